//! Tokens already verified, so that a person's next call costs a hash and not a signature.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use kernel::Timestamp;

use crate::Caller;

/// How many verified tokens are remembered. About 1 KiB each.
const ROOM: usize = 10_000;

/// SHA-256 of a token: the tokens themselves are not the key, so that a lookup's time says nothing about them.
pub(super) type TokenDigest = [u8; 32];

#[derive(Default)]
pub(super) struct Seen(Mutex<HashMap<TokenDigest, Arc<Caller>>>);

impl Seen {
    /// The caller of a token seen before, never beyond the token's end.
    pub(super) fn find(&self, digest: &TokenDigest, now: Timestamp) -> Option<Arc<Caller>> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(digest).filter(|caller| now < caller.expires).cloned()
    }

    pub(super) fn remember(&self, digest: TokenDigest, caller: &Arc<Caller>, now: Timestamp) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= ROOM {
            seen.retain(|_, caller| now < caller.expires);
        }
        if seen.len() >= ROOM {
            // An arbitrary tenth goes at once, so that making room is rare. A forgotten token is only verified again.
            let mut kept = 0;
            seen.retain(|_, _| {
                kept += 1;
                kept % 10 != 0
            });
        }
        seen.insert(digest, Arc::clone(caller));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use kernel::{OrgId, Role, Subject};

    use super::*;

    fn caller(expires: Timestamp) -> Arc<Caller> {
        let (org, subject) = (OrgId::parse("acme").unwrap(), Subject::parse("ana").unwrap());
        let (token, person) = ("t".into(), "acme/ana".into());
        Arc::new(Caller {
            org,
            subject,
            role: Role::Agent,
            expires,
            name: None,
            username: None,
            token,
            person,
        })
    }

    fn digest(number: usize) -> TokenDigest {
        let mut digest = [0; 32];
        digest[..8].copy_from_slice(&number.to_be_bytes());
        digest
    }

    #[test]
    fn it_never_grows_beyond_its_room_and_forgets_the_expired_first() {
        let seen = Seen::default();
        let start = Timestamp::from_micros(0);
        let (early, late) = (start.plus(Duration::from_secs(1)), start.plus(Duration::from_secs(9)));
        for number in 0..ROOM {
            seen.remember(digest(number), &caller(if number % 2 == 0 { early } else { late }), start);
        }
        let then = start.plus(Duration::from_secs(2));
        seen.remember(digest(ROOM), &caller(late), then);
        assert_eq!(seen.0.lock().unwrap().len(), ROOM / 2 + 1);
        for number in ROOM..ROOM * 3 {
            seen.remember(digest(number), &caller(late), then);
            assert!(seen.0.lock().unwrap().len() <= ROOM);
        }
    }

    #[test]
    fn a_token_is_not_found_beyond_its_end() {
        let seen = Seen::default();
        let ends = Timestamp::from_micros(10);
        seen.remember(digest(1), &caller(ends), Timestamp::from_micros(0));
        assert!(seen.find(&digest(1), Timestamp::from_micros(9)).is_some());
        assert!(seen.find(&digest(1), ends).is_none());
    }
}
