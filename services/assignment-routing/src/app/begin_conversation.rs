//! Where conversations begin: with the first message of a customer, and what workflows make of it (R9).

use audit::Event;
use db::Tx;
use kernel::ContactId;

use super::App;
use super::record_message::{Recorded, Stamped};
use crate::domain::condition::Facts;
use crate::domain::conversation::{Conversation, Status};
use crate::domain::decision::Decision;
use crate::domain::priority::Priority;
use crate::domain::workflow::{Plan, Trigger};
use crate::error::Error;
use crate::peers::KnownContact;
use crate::store;
use crate::store::queue::Place;

impl App {
    /// Begins a conversation and runs its workflows; nothing if another first message has begun it.
    pub(super) async fn begin(
        &self,
        tx: &mut Tx,
        it: &Stamped,
        contact: KnownContact,
    ) -> Result<Option<Recorded>, Error> {
        let plan = self.rulesets.current(tx).await?.run(Trigger::ConversationCreated, it.facts(&contact));
        let mut conversation = it.conversation(contact.id, &plan);
        conversation.record(it.new.direction, it.at());
        if !store::conversations::insert_conversation(tx, &conversation).await? {
            return Ok(None);
        }
        let message = it.message(&conversation);
        store::messages::insert_message(tx, &message).await?;
        let done =
            [Event::new("conversation.create", conversation.id), Event::new("message.create", message.id)];
        audit::record(tx, &it.origin, &done).await?;
        self.route(tx, it, &conversation, plan).await?;
        Ok(Some(Recorded { message, conversation, duplicate: false, created: true }))
    }

    /// Puts a new conversation into the queue its plan says, or stores that there is none.
    async fn route(&self, tx: &mut Tx, it: &Stamped, new: &Conversation, plan: Plan) -> Result<(), Error> {
        let Some(routed) = plan.queue else {
            let decision = Decision::unrouted(it.decision, new.id, it.now, plan.traces);
            return Ok(store::decisions::insert_decisions(tx, &[decision]).await?);
        };
        let place = Place {
            conversation: new.id,
            team: routed.team,
            strategy: routed.strategy,
            workflow: Some(routed.workflow),
            traces: plan.traces,
            priority: new.priority,
            queue_time: it.now,
            explained: false,
        };
        store::queue::join(tx, &place).await?;
        self.ring(tx, routed.team);
        Ok(())
    }
}

impl Stamped {
    fn facts(&self, contact: &KnownContact) -> Facts {
        Facts {
            source: self.new.source.clone(),
            channel: self.new.channel.clone(),
            subject: self.new.subject.clone(),
            tags: self.new.tags.clone(),
            priority: Priority::Normal,
            contact_tags: contact.tags.clone(),
            contact_language: contact.language.clone(),
            text: self.new.text.clone(),
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
        }
    }
}
