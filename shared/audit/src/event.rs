//! What was done, on which object.

/// One action on one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    action: &'static str,
    object_id: String,
}

impl Event {
    /// An action, named `kind.verb` in lower case (`note.create`), on the object of that kind with this id. An id, not a
    /// name, not an address: never content.
    pub fn new(action: &'static str, object_id: impl ToString) -> Self {
        Self { action, object_id: object_id.to_string() }
    }

    /// The same action on several objects.
    pub fn each<T: ToString>(action: &'static str, object_ids: impl IntoIterator<Item = T>) -> Vec<Self> {
        object_ids.into_iter().map(|id| Self::new(action, id)).collect()
    }

    /// What was done: `note.create`.
    #[must_use]
    pub fn action(&self) -> &'static str {
        self.action
    }

    /// The kind of the object, which is the first part of the action: `note`.
    #[must_use]
    pub fn object_kind(&self) -> &'static str {
        self.action.split_once('.').map_or(self.action, |(kind, _)| kind)
    }

    /// The object.
    #[must_use]
    pub fn object_id(&self) -> &str {
        &self.object_id
    }
}
