//! How records are chained: each hash covers the hash before it.

use sha2::{Digest, Sha256};

use crate::Record;

/// Names the way of hashing. Another way has another name, so that no record has the same bytes in both.
const VERSION: &[u8] = b"backchannel.audit.v1";

/// SHA-256.
pub type Hash = [u8; 32];

/// The end of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Head {
    /// The sequence of the last record; 0 of an empty chain.
    pub sequence: i64,
    /// The hash of the last record; of an empty chain [`Head::start`]'s.
    pub hash: Hash,
}

impl Head {
    /// Where the chain of an organization in a service begins. The two names are part of every hash: records cannot be
    /// carried from one chain to another.
    #[must_use]
    pub fn start(service: &str, org: &str) -> Self {
        let mut bytes = Bytes::default();
        bytes.text(service);
        bytes.text(org);
        Self { sequence: 0, hash: bytes.hash() }
    }

    /// The end after one more record, whatever sequence and hash that says it has.
    #[must_use]
    pub(crate) fn after(&self, record: &Record) -> Self {
        let sequence = self.sequence.saturating_add(1);
        let mut bytes = Bytes::default();
        bytes.part(&self.hash);
        bytes.part(&sequence.to_be_bytes());
        bytes.text(&record.org_id);
        bytes.part(record.event_id.as_bytes());
        bytes.text(&record.actor_subject);
        bytes.text(&record.actor_role);
        bytes.text(&record.action);
        bytes.text(&record.object_kind);
        bytes.text(&record.object_id);
        bytes.text(&record.method);
        bytes.maybe(record.request_id.as_ref().map(|id| id.as_bytes().as_slice()));
        bytes.maybe(record.trace_id.as_ref().map(String::as_bytes));
        Self { sequence, hash: bytes.hash() }
    }
}

/// The bytes that are hashed: every part behind its length, so that no two lists of parts have the same bytes.
struct Bytes(Sha256);

impl Default for Bytes {
    fn default() -> Self {
        let mut bytes = Self(Sha256::new());
        bytes.part(VERSION);
        bytes
    }
}

impl Bytes {
    fn part(&mut self, part: &[u8]) {
        self.0.update((part.len() as u64).to_be_bytes());
        self.0.update(part);
    }

    fn text(&mut self, text: &str) {
        self.part(text.as_bytes());
    }

    /// Absent is not the same as empty.
    fn maybe(&mut self, part: Option<&[u8]>) {
        self.0.update([u8::from(part.is_some())]);
        self.part(part.unwrap_or_default());
    }

    fn hash(self) -> Hash {
        self.0.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn record() -> Record {
        Record {
            org_id: "acme".into(),
            event_id: Uuid::from_u128(7),
            actor_subject: "ana".into(),
            actor_role: "agent".into(),
            action: "note.create".into(),
            object_kind: "note".into(),
            object_id: "n-1".into(),
            method: "/x/Y".into(),
            request_id: None,
            trace_id: None,
            sequence: 0,
            hash: None,
        }
    }

    // P10
    #[test]
    fn every_field_and_the_place_in_the_chain_change_the_hash() {
        let start = Head::start("notes", "acme");
        let whole = start.after(&record());
        let changes: [fn(&mut Record); 10] = [
            |it| it.org_id.push('x'),
            |it| it.event_id = Uuid::from_u128(8),
            |it| it.actor_subject.push('x'),
            |it| it.actor_role.push('x'),
            |it| it.action.push('x'),
            |it| it.object_kind.push('x'),
            |it| it.object_id.push('x'),
            |it| it.method.push('x'),
            |it| it.request_id = Some(Uuid::nil()),
            |it| it.trace_id = Some(String::new()),
        ];
        for (number, change) in changes.into_iter().enumerate() {
            let mut altered = record();
            change(&mut altered);
            assert_ne!(start.after(&altered).hash, whole.hash, "field {number}");
        }
        let moved = Record { action: "note.createn".into(), object_kind: "ote".into(), ..record() };
        assert_ne!(start.after(&moved).hash, whole.hash, "a letter that moved to the next field");
        assert_ne!(Head { sequence: 1, ..start }.after(&record()).hash, whole.hash);
        assert_ne!(Head::start("contacts", "acme").after(&record()).hash, whole.hash);
        assert_ne!(Head::start("notes", "globex").hash, start.hash);
    }

    // P10
    #[test]
    fn the_way_of_hashing_is_the_released_one() {
        // Computed by another program from the description above: one that hashes otherwise would call every chain there is broken.
        let hash = Head::start("notes", "acme").after(&record()).hash;
        let text: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(text, "a280c4a73cffa2c305113bbb19d79977122b7771cb4ffdce2f2098f73e4db2bd");
    }
}
