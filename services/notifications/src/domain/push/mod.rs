//! What a push says, and how it travels. It holds nothing private: what happened in a sentence, and the ids by which the app asks for
//! the rest with its person's own token.

pub mod encryption;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use zones::Zone;

use super::bundle::{Bundle, BundleKind};
use super::email::{Item, Letter, Links, Locale};
use super::{Notification, NotificationType};

/// What is of use for a day.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// What somebody else has taken, or what has happened, by then.
const HOUR: Duration = Duration::from_secs(60 * 60);
/// An offer is answered within minutes, or it is somebody else's.
const MINUTES: Duration = Duration::from_secs(5 * 60);

/// What stands for all pushes that tell of several entries: on the device the new one takes the place of the one before.
const GATHERED: &str = "gathered";

/// How much a push may disturb the device (RFC 8030, section 5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// When it is awake anyway.
    Normal,
    /// At once: somebody waits.
    High,
}

impl Urgency {
    /// As a push service reads it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::High => "high",
        }
    }

    const fn of(kind: NotificationType) -> Self {
        match kind {
            NotificationType::Offered
            | NotificationType::Escalated
            | NotificationType::SlaWarning
            | NotificationType::SlaBreach => Self::High,
            _ => Self::Normal,
        }
    }
}

/// For how long it makes sense to hand it on to a device that is off.
const fn good_for(kind: NotificationType) -> Duration {
    match kind {
        NotificationType::Offered => MINUTES,
        NotificationType::SlaWarning => HOUR,
        _ => DAY,
    }
}

/// What is to be told to a person by push.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// The language.
    pub locale: Locale,
    /// What the person's clocks show.
    pub zone: Zone,
    /// The bundle that it is.
    pub bundle: Bundle,
    /// Its entries, oldest first; never empty.
    pub entries: &'a [Notification],
    /// How many there are, listed or not.
    pub total: u64,
    /// In how many conversations.
    pub conversations: u64,
}

/// A push.
#[derive(Clone, PartialEq, Eq)]
pub struct Push {
    /// What happened.
    pub title: String,
    /// The sentence that came with it, where the title is not that; else empty.
    pub body: String,
    /// For the app: all texts, as that is what FCM takes.
    pub data: BTreeMap<&'static str, String>,
    /// Of two pushes with the same tag a device shows the later one, and a push service keeps it for one that is off.
    pub tag: String,
    /// Whether it may take the place of another push, beside a repeat of itself.
    pub replaces: bool,
    /// How much it may disturb.
    pub urgency: Urgency,
    /// For how long it makes sense.
    pub ttl: Duration,
}

impl Push {
    /// What is said.
    pub fn of(told: Told<'_>) -> Self {
        let title = title(&told);
        let several = told.total > 1;
        let newest = told.entries.last();
        let reason = newest.filter(|_| !several).map(|entry| entry.reason.as_str().to_owned());
        let kinds = || told.entries.iter().map(|entry| entry.kind);
        Self {
            body: reason.filter(|reason| reason.trim_end_matches('.') != title).unwrap_or_default(),
            title,
            data: data(&told),
            // As many letters as a topic may have (RFC 8030, section 5.4).
            tag: if several {
                GATHERED.to_owned()
            } else {
                told.bundle.bundle_id.as_uuid().simple().to_string()
            },
            replaces: several,
            urgency: kinds().map(Urgency::of).max().unwrap_or(Urgency::Normal),
            ttl: kinds().map(good_for).max().unwrap_or(DAY),
        }
    }

    /// What a browser's service worker reads, as JSON.
    pub fn payload(&self) -> Vec<u8> {
        let Self { title, body, data, tag, .. } = self;
        let mut payload = json!({"title": title, "body": body, "tag": tag});
        if let Value::Object(fields) = &mut payload {
            fields.extend(data.iter().map(|(key, value)| ((*key).to_owned(), json!(value))));
        }
        payload.to_string().into_bytes()
    }
}

/// As the subject of an email has it.
fn title(told: &Told<'_>) -> String {
    let items: Vec<Item> =
        told.entries.iter().map(|entry| Item { entry: entry.clone(), excerpt: None }).collect();
    let letter = Letter {
        name: "",
        locale: told.locale,
        zone: told.zone,
        kind: match told.bundle.kind {
            BundleKind::Single => BundleKind::Single,
            BundleKind::Gathered | BundleKind::Digest => BundleKind::Gathered,
        },
        items: &items,
        total: told.total,
        conversations: told.conversations,
        one_type: told.total <= told.entries.len() as u64,
        links: &Links::default(),
    };
    letter.title()
}

/// Ids, and what is needed to sort and count.
fn data(told: &Told<'_>) -> BTreeMap<&'static str, String> {
    let mut data = BTreeMap::from([
        ("kind", if told.total > 1 { GATHERED } else { "single" }.to_owned()),
        ("count", told.total.to_string()),
    ]);
    let Some(newest) = told.entries.last() else { return data };
    data.insert("occur_time_ms", (newest.occur_time.as_micros() / 1_000).to_string());
    // Of several: the conversation, if it is one.
    if let Some(id) = newest.conversation_id.filter(|_| told.conversations == 1) {
        data.insert("conversation_id", id.to_string());
    }
    if told.total > 1 {
        return data;
    }
    data.insert("notification_id", newest.notification_id.to_string());
    data.insert("sequence", newest.sequence.number().to_string());
    data.insert("type", newest.kind.as_str().to_owned());
    if let Some(id) = newest.note_id {
        data.insert("note_id", id.to_string());
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::bundle::BundleId;
    use crate::domain::notification::Handling;
    use crate::domain::{Reason, Sequence};
    use kernel::{Clock, Timestamp};
    use proptest::prelude::*;

    fn entry(kind: NotificationType, reason: &str) -> Notification {
        let clock = Clock::system();
        Notification {
            notification_id: clock.new_id().into(),
            sequence: Sequence::new(7),
            kind,
            reason: Reason::parse(reason).unwrap(),
            conversation_id: Some(clock.new_id().into()),
            note_id: Some(clock.new_id().into()),
            actor: None,
            occur_time: Timestamp::from_micros(1_700_000_000_000_000),
            create_time: Timestamp::from_micros(1_700_000_000_000_000),
            handling: Handling::default(),
        }
    }

    fn push(kind: BundleKind, entries: &[Notification], total: u64, locale: Locale) -> Push {
        let bundle = Bundle { bundle_id: BundleId::from_uuid(Clock::system().new_id()), kind };
        let zone = Zone::parse("Europe/Berlin").unwrap();
        Push::of(Told { locale, zone, bundle, entries, total, conversations: entries.len() as u64 })
    }

    fn fields(push: &Push) -> Value {
        serde_json::from_slice(&push.payload()).unwrap()
    }

    // D5
    #[test]
    fn a_push_of_one_says_what_happened_and_where_and_nothing_else() {
        let entry = entry(NotificationType::Mentioned, "Eve mentioned you");
        let push = push(BundleKind::Single, std::slice::from_ref(&entry), 1, Locale::English);
        let expected = json!({
            "title": "Eve mentioned you", "body": "", "tag": push.tag, "kind": "single", "count": "1",
            "notification_id": entry.notification_id.to_string(), "sequence": "7", "type": "mentioned",
            "conversation_id": entry.conversation_id.unwrap().to_string(),
            "note_id": entry.note_id.unwrap().to_string(), "occur_time_ms": "1700000000000",
        });
        assert_eq!(fields(&push), expected);
        assert_eq!(
            (push.urgency, push.ttl, push.tag.len(), push.replaces),
            (Urgency::Normal, DAY, 32, false)
        );
    }

    // D5
    #[test]
    fn the_title_is_in_the_persons_language_with_the_sentence_below_it() {
        let entry = entry(NotificationType::Mentioned, "Eve mentioned you");
        let push = push(BundleKind::Single, &[entry], 1, Locale::German);
        assert_ne!(push.title, "Eve mentioned you");
        assert_eq!(push.body, "Eve mentioned you");
    }

    // D5
    #[test]
    fn several_are_counted_and_the_next_count_takes_the_place_of_this_one() {
        let entries = [(); 3].map(|()| entry(NotificationType::Mentioned, "Eve mentioned you"));
        let push = push(BundleKind::Gathered, &entries, 12, Locale::English);
        assert_eq!((push.tag.as_str(), push.replaces), ("gathered", true));
        assert!(push.title.contains("12"), "{}", push.title);
        assert_eq!(fields(&push)["count"], "12");
        assert_eq!(fields(&push)["notification_id"], Value::Null, "no single one is meant");
    }

    // D5
    #[test]
    fn what_somebody_waits_for_is_urgent_and_an_offer_is_soon_nothing_any_more() {
        let one = |kind| push(BundleKind::Single, &[entry(kind, "why")], 1, Locale::English);
        let offer = one(NotificationType::Offered);
        assert_eq!((offer.urgency, offer.ttl), (Urgency::High, MINUTES));
        assert_eq!(one(NotificationType::Assigned).urgency, Urgency::Normal);
        let both = [entry(NotificationType::Offered, "why"), entry(NotificationType::Assigned, "why")];
        let both = push(BundleKind::Gathered, &both, 2, Locale::English);
        assert_eq!(
            (both.urgency, both.ttl),
            (Urgency::High, DAY),
            "as urgent as the one, as lasting as the other"
        );
    }

    proptest! {
        // D5
        #[test]
        fn whatever_the_sentence_is_the_push_fits_into_one_message(
            reason in proptest::collection::vec(prop_oneof![Just('"'), Just('\\'), Just('😀'), any::<char>()], 1..500),
        ) {
            let reason: String = reason.into_iter().filter(|letter| !letter.is_control()).collect();
            prop_assume!(!reason.is_empty());
            for locale in Locale::ALL {
                let entry = entry(NotificationType::Workflow, &reason);
                let payload = push(BundleKind::Single, &[entry], 1, locale).payload();
                prop_assert!(payload.len() <= encryption::PLAIN, "{}", payload.len());
            }
        }
    }
}
