//! What other services tell us: each event is checked by itself, so that one that cannot be stored does not take the
//! others of its batch with it.

use std::collections::{BTreeSet, VecDeque};

use kernel::{EventId, Malformed, Role, Subject, Timestamp};
use proto::common::v1::{Actor as ProtoActor, EventDisposition, EventOutcome};
use proto::notifications::v1::NotificationEvent;
use rpc::Fault;
use rpc::convert::{role_of, time_of};

use crate::app::notify::Applied;
use crate::domain::{Actor, Event, Excerpt, Reason};
use crate::wire;

/// A batch as it arrived: the events to apply, and the answer for each that was sent.
pub(crate) struct Batch<E = Event> {
    pub(crate) events: Vec<E>,
    answers: Vec<Answer>,
}

struct Answer {
    event_id: String,
    /// Why it cannot take effect.
    refused: Option<String>,
}

impl Batch {
    pub(crate) fn read(sent: Vec<NotificationEvent>) -> Self {
        Self::of(sent.into_iter().map(|event| (event.event_id.clone(), event)), read)
    }
}

impl<E> Batch<E> {
    /// Reads what was sent under these ids.
    pub(crate) fn of<S>(
        sent: impl Iterator<Item = (String, S)>,
        read: impl Fn(S) -> Result<E, Malformed>,
    ) -> Self {
        let mut batch = Self { events: Vec::new(), answers: Vec::new() };
        for (event_id, event) in sent {
            let refused = match read(event) {
                Ok(event) => {
                    batch.events.push(event);
                    None
                }
                Err(malformed) => Some(malformed.to_string()),
            };
            batch.answers.push(Answer { event_id, refused });
        }
        batch
    }

    pub(crate) fn take(&mut self) -> Vec<E> {
        std::mem::take(&mut self.events)
    }

    /// The outcomes in the order of sending; `applied` are those of [`Batch::events`].
    pub(crate) fn outcomes(self, applied: Vec<Applied>) -> Vec<EventOutcome> {
        let mut applied = VecDeque::from(applied);
        let answers = self.answers.into_iter();
        answers.map(|answer| answer.outcome(&mut applied)).collect()
    }
}

impl Answer {
    fn outcome(self, applied: &mut VecDeque<Applied>) -> EventOutcome {
        let (disposition, reason) = match self.refused {
            Some(reason) => (EventDisposition::Refused, reason),
            None => match applied.pop_front() {
                Some(Applied::Now) => (EventDisposition::Applied, String::new()),
                _ => (EventDisposition::Duplicate, String::new()),
            },
        };
        EventOutcome { event_id: self.event_id, disposition: disposition.into(), reason }
    }
}

/// What the contract's rules leave open is checked here. The reasons name fields, never values.
fn read(event: NotificationEvent) -> Result<Event, Malformed> {
    let kind = wire::kind_of(event.r#type).ok_or_else(|| Malformed::new("is not known here").at("type"))?;
    Ok(Event {
        event_id: EventId::parse(&event.event_id).map_err(|malformed| malformed.at("event_id"))?,
        kind,
        recipients: recipients(&event.recipient_subjects)?,
        reason: Reason::parse(&event.reason)?,
        conversation_id: optional("conversation_id", &event.conversation_id)?,
        note_id: optional("note_id", &event.note_id)?,
        actor: event.actor.map(actor).transpose()?,
        occur_time: time(event.occur_time)?,
        excerpt: Excerpt::of(&event.private_excerpt),
    })
}

fn recipients(subjects: &[String]) -> Result<BTreeSet<Subject>, Malformed> {
    let recipients: Result<BTreeSet<Subject>, Malformed> =
        subjects.iter().map(|subject| Subject::parse(subject)).collect();
    recipients.map_err(|malformed| malformed.at("recipient_subjects"))
}

fn optional<T: std::str::FromStr<Err = Malformed>>(
    field: &'static str,
    text: &str,
) -> Result<Option<T>, Malformed> {
    if text.is_empty() {
        Ok(None)
    } else {
        text.parse().map(Some).map_err(|malformed: Malformed| malformed.at(field))
    }
}

fn actor(actor: ProtoActor) -> Result<Actor, Malformed> {
    let subject = Subject::parse(&actor.subject).map_err(|malformed| malformed.at("actor.subject"))?;
    let role: Role = role_of("actor.role", actor.role).map_err(refusal("actor.role"))?;
    Actor::new(subject, role, &actor.display_name)
}

fn time(time: Option<prost_types::Timestamp>) -> Result<Timestamp, Malformed> {
    let time = time.ok_or_else(|| Malformed::new("is required").at("occur_time"))?;
    time_of("occur_time", &time).map_err(refusal("occur_time"))
}

fn refusal(field: &'static str) -> impl Fn(Fault) -> Malformed {
    move |_| Malformed::new("is not valid").at(field)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::common::v1::Role as ProtoRole;
    use proto::notifications::v1::NotificationType;

    fn event(id: u8) -> NotificationEvent {
        NotificationEvent {
            event_id: format!("01890a5d-ac96-774b-bcce-b302099a80{id:02}"),
            r#type: NotificationType::Mentioned.into(),
            recipient_subjects: vec!["ana".to_owned(), "ben".to_owned(), "ana".to_owned()],
            reason: "Eve mentioned you".to_owned(),
            conversation_id: String::new(),
            note_id: String::new(),
            actor: None,
            occur_time: Some(prost_types::Timestamp::default()),
            private_excerpt: String::new(),
        }
    }

    #[test]
    fn a_recipient_named_twice_is_told_once() {
        assert_eq!(read(event(1)).unwrap().recipients.len(), 2);
    }

    #[test]
    fn what_cannot_be_stored_is_refused_with_the_field_that_is_wrong() {
        let actor = |subject: &str, role: ProtoRole, name: &str| {
            let (subject, display_name) = (subject.to_owned(), name.to_owned());
            Some(ProtoActor { subject, role: role.into(), display_name })
        };
        let ends = Some(prost_types::Timestamp { seconds: i64::MAX, nanos: 0 });
        let cases = [
            ("event_id", NotificationEvent { event_id: event(1).event_id.to_uppercase(), ..event(1) }),
            (
                "recipient_subjects",
                NotificationEvent { recipient_subjects: vec!["a b".to_owned()], ..event(1) },
            ),
            ("reason", NotificationEvent { reason: "a\u{0}b".to_owned(), ..event(1) }),
            ("note_id", NotificationEvent { note_id: "X".to_owned(), ..event(1) }),
            ("actor.subject", NotificationEvent { actor: actor("", ProtoRole::Agent, ""), ..event(1) }),
            ("actor.role", NotificationEvent { actor: actor("ana", ProtoRole::Unspecified, ""), ..event(1) }),
            (
                "actor.display_name",
                NotificationEvent { actor: actor("ana", ProtoRole::Agent, "\n"), ..event(1) },
            ),
            ("occur_time", NotificationEvent { occur_time: ends, ..event(1) }),
        ];
        for (field, event) in cases {
            assert_eq!(read(event).unwrap_err().field(), Some(field));
        }
    }

    #[test]
    fn a_refused_event_leaves_its_neighbours_in_place() {
        let bad = NotificationEvent { reason: "\u{0}".to_owned(), ..event(2) };
        let mut batch = Batch::read(vec![event(1), bad, event(3)]);
        assert_eq!(batch.take().len(), 2);
        let outcomes = batch.outcomes(vec![Applied::Before, Applied::Now]);
        let dispositions: Vec<EventDisposition> = outcomes.iter().map(EventOutcome::disposition).collect();
        assert_eq!(
            dispositions,
            [EventDisposition::Duplicate, EventDisposition::Refused, EventDisposition::Applied]
        );
        assert_eq!(outcomes[1].event_id, event(2).event_id);
        assert!(outcomes[1].reason.starts_with("reason: "), "{}", outcomes[1].reason);
    }
}
