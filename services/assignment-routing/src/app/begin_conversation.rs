//! Where conversations begin: with the first message of a customer, and what workflows make of it (R9). Nobody is called for the
//! conversation of a blocked contact: it is born resolved, and no workflow looks at it (C9).

use audit::{Event, Origin};
use db::Tx;
use kernel::ContactId;

use super::App;
use super::effects::Effects;
use super::record_message::{Recorded, Stamped};
use super::waits::Change;
use super::workflow_runs::count_failures;
use crate::NAME;
use crate::domain::conversation::{Conversation, Status};
use crate::domain::decision::Decision;
use crate::domain::facts::Facts;
use crate::domain::history::{EventKind, HistoryEvent};
use crate::domain::ruleset::{Plan, Ruleset};
use crate::domain::workflow::Trigger;
use crate::error::Error;
use crate::events::{Around, Happened};
use crate::peers::KnownContact;
use crate::store;
use crate::store::queue::Place;

/// What a first message is to workflows.
pub(super) const BEGINNING: &[Trigger] = &[Trigger::ConversationCreated, Trigger::MessageReceived];

impl App {
    /// Begins a conversation and runs its workflows; nothing if another first message has begun it.
    pub(super) async fn begin(
        &self,
        tx: &mut Tx,
        it: &Stamped,
        contact: KnownContact,
    ) -> Result<Option<Recorded>, Error> {
        let (ruleset, plan) = if contact.blocked {
            (Ruleset::default(), Plan { tags: it.new.tags.clone(), ..Plan::default() })
        } else {
            let ruleset = self.rulesets.current(tx).await?;
            let plan = ruleset.run(BEGINNING, it.facts(&contact), it.now);
            (ruleset, plan)
        };
        // By whose address it is, so that it returns with the address. Contacts may know of other merges by now than we do: ours count, as
        // the conversations of the same contact follow them.
        let home = merges::hold_home(tx, contact.first).await?;
        let mut conversation = it.conversation(home.contact_id, &plan);
        conversation.first_contact = (home.contact_id != contact.first).then_some(contact.first);
        if contact.blocked {
            conversation.record_unheard(it.at());
            conversation.resolve(it.now);
        } else {
            conversation.record(it.new.direction, it.at());
        }
        ruleset.policies().follow(&mut conversation, it.now);
        let message = it.message(&conversation);
        // Whether an agent whom a workflow named can take it is known only later.
        let happened = match plan.agent {
            Some(_) => None,
            None => began(tx, it, &mut conversation, &plan),
        };
        let Some(units) = store::conversations::insert_conversation(tx, &conversation).await? else {
            return Ok(None);
        };
        conversation.units = units;
        merges::remember(tx, &home.merges, &[conversation.id.as_uuid()]).await?;
        store::messages::insert_message(tx, &message).await?;
        self.announce_beginning(tx, &conversation).await?;
        self.remember(tx, happened.as_slice()).await?;
        let done =
            [Event::new("conversation.create", conversation.id), Event::new("message.create", message.id)];
        audit::record(tx, &it.origin, &done).await?;
        self.ring_inboxes(tx);
        self.tell_contacts(tx, it, &conversation).await?;
        if contact.blocked {
            let decision = Decision::unheard(it.decision, conversation.id, it.now);
            store::decisions::insert_decisions(tx, &[decision]).await?;
        } else {
            self.route(tx, it, &mut conversation, plan).await?;
            self.begin_waits(tx, &ruleset, &[Change { was: None, is: &conversation }]).await?;
        }
        Ok(Some(Recorded { message, conversation, duplicate: false, created: true }))
    }

    /// Tells contacts that a conversation with one began, and that it is resolved if it was born so.
    async fn tell_contacts(&self, tx: &mut Tx, it: &Stamped, new: &Conversation) -> Result<(), Error> {
        // Later than the message came in: contacts may have made the contact for it meanwhile, and nothing happens before that.
        let now = self.clock.now();
        let began = Around::of(new, it.event, Happened::Opened, None, now);
        let ended = (new.status == Status::Resolved)
            .then(|| Around::of(new, self.clock.new_id().into(), Happened::Resolved, None, now));
        let told: Vec<_> = std::iter::once(began).chain(ended).map(Around::event).collect();
        Ok(self.outbox.record(tx, &told).await?)
    }

    /// Gives a new conversation to the agent of its plan, or else puts it into the queue its plan says, or stores that there is
    /// none. Tells whom the plan tells.
    async fn route(
        &self,
        tx: &mut Tx,
        it: &Stamped,
        new: &mut Conversation,
        mut plan: Plan,
    ) -> Result<(), Error> {
        count_failures(tx, &plan);
        self.speak(tx, new, &mut plan, it.now).await?;
        if let Some(named) = plan.agent {
            let mut effects = Effects::of(&self.clock, None);
            let given = self.give_to(tx, &mut effects, new, named, &mut plan).await?;
            if given {
                effects.save(new.clone(), "conversation.assign");
            } else if let Some(happened) = began(tx, it, new, &plan) {
                effects.remember(happened);
                effects.save(new.clone(), "conversation.queue");
            } else {
                effects.keep(new.clone());
            }
            let written = effects.write(self, tx, &Origin::system(NAME, "workflows")).await?;
            *new = written.into_iter().next().ok_or(Error::Raced)?;
            if given {
                return Ok(());
            }
        }
        let Some(routed) = plan.queue else {
            let decision = Decision::unrouted(it.decision, new.id, it.now, plan.traces);
            return Ok(store::decisions::insert_decisions(tx, &[decision]).await?);
        };
        let place = Place {
            workflow: Some(routed.workflow),
            traces: plan.traces,
            ..Place::of(new, routed.team, tx.now().await?)
        };
        store::queue::join(tx, &place).await?;
        self.ring(tx, routed.team);
        Ok(())
    }
}

/// What happens to a new conversation with its first message: it goes to a team, or is born resolved.
fn began(tx: &Tx, it: &Stamped, new: &mut Conversation, plan: &Plan) -> Option<HistoryEvent> {
    let (team, kind) = match (&plan.queue, new.status) {
        (Some(routed), _) => (Some(routed.team), EventKind::Queued),
        (None, Status::Resolved) => (None, EventKind::Resolved),
        (None, _) => return None,
    };
    let id = tx.clock().new_id().into();
    Some(HistoryEvent { team, ..new.happened(kind, id, it.now, None) })
}

impl Stamped {
    fn facts(&self, contact: &KnownContact) -> Facts {
        Facts {
            source: self.new.source.clone(),
            channel: self.new.channel.clone(),
            subject: self.new.subject.clone(),
            tags: self.new.tags.clone(),
            message_count: 1,
            contact: Some(contact.facts.clone()),
            text: self.new.text.clone(),
            ..Facts::default()
        }
    }

    fn conversation(&self, contact: ContactId, plan: &Plan) -> Conversation {
        Conversation {
            id: self.conversation,
            version: 1,
            source: self.new.source.clone(),
            channel: self.new.channel.clone(),
            external_id: self.new.conversation_external_id.clone(),
            contact,
            first_contact: None,
            subject: self.new.subject.clone(),
            tags: plan.tags.clone(),
            priority: plan.priority,
            status: Status::Open,
            assignee: None,
            team: plan.queue.as_ref().map(|routed| routed.team),
            waiting_since: None,
            first_reply_time: None,
            last_activity_time: self.at(),
            snooze_until: None,
            resolve_time: None,
            create_time: self.now,
            message_count: 0,
            last_inbound_position: 0,
            last_entry_time: self.now,
            units: 1,
            sharing: plan.queue.as_ref().map(|routed| routed.sharing.clone()),
            sla: None,
        }
    }
}
