//! Ids: one type per kind of thing, so that a note's id is never taken for a conversation's.

/// Makes an id type around a UUID: `id_type!(/// A note. NoteId);`.
///
/// The type is `Copy`, ordered bytewise as both databases order it, shown as lowercase hyphenated text, parsed from
/// exactly that form, and stored as UUID (PostgreSQL) or a 16 byte BLOB (SQLite). New values come from
/// `clock.new_id().into()`.
#[macro_export]
macro_rules! id_type {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name($crate::macro_support::uuid::Uuid);

        impl $name {
            /// Reads the lowercase hyphenated form.
            ///
            /// # Errors
            /// [`Malformed`]($crate::Malformed) when the text is not a UUID in that form.
            pub fn parse(text: &str) -> Result<Self, $crate::Malformed> {
                $crate::id::parse_uuid(text).map(Self)
            }

            /// Takes a UUID to be the id of this kind of thing.
            pub const fn from_uuid(uuid: $crate::macro_support::uuid::Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID underneath.
            pub const fn as_uuid(&self) -> $crate::macro_support::uuid::Uuid {
                self.0
            }
        }

        impl From<$crate::macro_support::uuid::Uuid> for $name {
            fn from(uuid: $crate::macro_support::uuid::Uuid) -> Self {
                Self(uuid)
            }
        }

        impl From<$name> for $crate::macro_support::uuid::Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::Malformed;
            fn from_str(text: &str) -> Result<Self, $crate::Malformed> {
                Self::parse(text)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(&self.0, f)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl $crate::macro_support::serde::Serialize for $name {
            fn serialize<S: $crate::macro_support::serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                $crate::macro_support::serde::Serialize::serialize(&self.0, to)
            }
        }

        impl<'de> $crate::macro_support::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::macro_support::serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                $crate::macro_support::serde::Deserialize::deserialize(from).map(Self)
            }
        }

        $crate::stored_as!($name, $crate::macro_support::uuid::Uuid);
    )+};
}

/// Stores a newtype exactly as the type it wraps, on every database sqlx knows.
///
/// The wrapped value is field `0`; `#[derive(sqlx_macros::Type)]` does the same but asks every user for sqlx.
#[doc(hidden)]
#[macro_export]
macro_rules! stored_as {
    ($name:ident, $inner:ty) => {
        impl<DB: $crate::macro_support::sqlx::Database> $crate::macro_support::sqlx::Type<DB> for $name
        where
            $inner: $crate::macro_support::sqlx::Type<DB>,
        {
            fn type_info() -> DB::TypeInfo {
                <$inner as $crate::macro_support::sqlx::Type<DB>>::type_info()
            }
            fn compatible(ty: &DB::TypeInfo) -> bool {
                <$inner as $crate::macro_support::sqlx::Type<DB>>::compatible(ty)
            }
        }

        impl<'q, DB: $crate::macro_support::sqlx::Database> $crate::macro_support::sqlx::Encode<'q, DB>
            for $name
        where
            $inner: $crate::macro_support::sqlx::Encode<'q, DB>,
        {
            fn encode_by_ref(
                &self,
                buf: &mut <DB as $crate::macro_support::sqlx::Database>::ArgumentBuffer,
            ) -> Result<
                $crate::macro_support::sqlx::encode::IsNull,
                $crate::macro_support::sqlx::error::BoxDynError,
            > {
                $crate::macro_support::sqlx::Encode::<'q, DB>::encode_by_ref(&self.0, buf)
            }
        }

        impl<'r, DB: $crate::macro_support::sqlx::Database> $crate::macro_support::sqlx::Decode<'r, DB>
            for $name
        where
            $inner: $crate::macro_support::sqlx::Decode<'r, DB>,
        {
            fn decode(
                value: <DB as $crate::macro_support::sqlx::Database>::ValueRef<'r>,
            ) -> Result<Self, $crate::macro_support::sqlx::error::BoxDynError> {
                <$inner as $crate::macro_support::sqlx::Decode<'r, DB>>::decode(value).map(Self)
            }
        }

        impl $crate::macro_support::sqlx::postgres::PgHasArrayType for $name {
            fn array_type_info() -> $crate::macro_support::sqlx::postgres::PgTypeInfo {
                <$inner as $crate::macro_support::sqlx::postgres::PgHasArrayType>::array_type_info()
            }
        }
    };
}

/// Reads the one spelling of a UUID that the contracts allow: lowercase, hyphenated.
#[doc(hidden)]
pub fn parse_uuid(text: &str) -> Result<uuid::Uuid, crate::Malformed> {
    let hyphenated = text.len() == 36 && !text.bytes().any(|b| b.is_ascii_uppercase());
    match uuid::Uuid::try_parse(text) {
        Ok(uuid) if hyphenated => Ok(uuid),
        _ => Err(crate::Malformed::new("is not a lowercase hyphenated UUID")),
    }
}

id_type! {
    /// A person outside, as the contacts service knows them.
    ContactId,
    /// One address (email, phone, channel account) of a contact.
    IdentityId,
    /// A customer conversation.
    ConversationId,
    /// A customer-facing message in a conversation.
    MessageId,
    /// A person inside, as the routing service knows them.
    AgentId,
    /// A team of agents.
    TeamId,
    /// A workflow: rules that send conversations to teams.
    WorkflowId,
    /// A stored assignment decision.
    DecisionId,
    /// A private note on a conversation.
    NoteId,
    /// One person mentioned in one note.
    MentionId,
    /// One entry of one person's feed.
    NotificationId,
    /// An event in the outbox and, at its consumer, in the inbox.
    EventId,
    /// A merge of two contacts.
    MergeId,
}

#[cfg(test)]
mod tests {
    use super::NoteId;

    const TEXT: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

    #[test]
    fn an_id_reads_and_shows_the_lowercase_hyphenated_form_only() {
        let id = NoteId::parse(TEXT).unwrap();
        assert_eq!(id.to_string(), TEXT);
        assert_eq!(format!("{id:?}"), format!("NoteId({TEXT})"));
        for bad in ["", "x", &TEXT.to_uppercase(), &TEXT.replace('-', ""), &format!("{{{TEXT}}}"), &TEXT[1..]]
        {
            assert!(NoteId::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn json_holds_the_same_text() {
        let id = NoteId::parse(TEXT).unwrap();
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(json, format!("\"{TEXT}\""));
        assert_eq!(serde_json::from_str::<NoteId>(&json).unwrap(), id);
    }
}
