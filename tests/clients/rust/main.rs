//! A first quarter of an hour with Backchannel: the edge is at `$EDGE`, behind a proxy that refuses two calls of three at `$FLAKY`,
//! and `$TOKEN_COMMAND` prints a token when `--sub` and `--role` follow. What to copy from is in [`backchannel`], [`repeat`] and
//! [`watch`]; the stubs are those of the crate `proto`.

#![expect(clippy::print_stdout, reason = "it tells the person at the terminal what holds")]

mod backchannel;
mod repeat;
mod watch;

use std::process::{Command, ExitCode};
use std::time::Duration;

use backchannel::{Backchannel, Refusal, patiently};
use proto::notes::v1::{CreateNoteRequest, ListNotesRequest};
use proto::routing::v1::{Direction, GetMyAgentRequest, ListAgentsRequest, RecordMessageRequest};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tonic::Code;
use uuid::Uuid;
use watch::Watch;

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[tokio::main]
async fn main() -> ExitCode {
    let mut passed = 0;
    let ended = walk(&mut passed).await;
    let failed = u8::from(ended.is_err());
    if let Err(error) = ended {
        println!("✗ {error}");
    }
    println!("rust client: {passed} passed, {failed} failed");
    ExitCode::from(failed)
}

async fn walk(passed: &mut u32) -> Outcome {
    let mut done = |promise: &str| {
        *passed += 1;
        println!("✓ {promise}");
    };
    let mut place = Place::find()?;
    place.a_message_of_a_customer_makes_a_conversation().await?;
    done("a message of a customer makes a conversation");
    place.an_agent_appears().await?;
    done("an agent appears from the token on first sight");
    place.a_refusal_names_its_reason().await?;
    done("a refusal names its reason and the field");
    place.a_safe_call_is_repeated().await?;
    done("a call that is safe to repeat is repeated while nobody answers");
    place.pages_give_each_note_once().await?;
    done("pages give each note once");
    place.a_watch_goes_on().await?;
    done("a watch goes on where it was cut");
    Ok(())
}

/// The people, and the conversation they work on.
struct Place {
    ana: Backchannel,
    ben: Backchannel,
    adapter: Backchannel,
    flaky: Backchannel,
    conversation_id: String,
}

impl Place {
    fn find() -> Outcome<Self> {
        Ok(Self {
            ana: api("EDGE", "ana", "agent")?,
            ben: api("EDGE", "ben", "agent")?,
            adapter: api("EDGE", "adapter", "integration")?,
            flaky: api("FLAKY", "ana", "agent")?,
            conversation_id: String::new(),
        })
    }

    async fn a_message_of_a_customer_makes_a_conversation(&mut self) -> Outcome {
        let request = RecordMessageRequest {
            channel: "chat".to_owned(),
            external_id: "c-1/0".to_owned(),
            direction: Direction::Inbound.into(),
            conversation_external_id: "c-1".to_owned(),
            contact_address: "kim".to_owned(),
            contact_display_name: "Kim Customer".to_owned(),
            source: "airline".to_owned(),
            text: "I lost my boarding pass".to_owned(),
            ..RecordMessageRequest::default()
        };
        let recorded = self.adapter.conversations().record_message(request).await?.into_inner();
        self.conversation_id = recorded.conversation.ok_or("no conversation")?.conversation_id;
        Ok(())
    }

    async fn an_agent_appears(&self) -> Outcome {
        for (name, person) in [("ana", &self.ana), ("ben", &self.ben)] {
            let agent = person.agents().get_my_agent(GetMyAgentRequest {}).await?.into_inner().agent;
            equal(agent.ok_or("no agent")?.username.as_str(), name, "username")?;
        }
        Ok(())
    }

    async fn a_refusal_names_its_reason(&self) -> Outcome {
        let request = CreateNoteRequest {
            conversation_id: "c-1".to_owned(),
            body: "x".to_owned(),
            request_id: "again".to_owned(),
            ..CreateNoteRequest::default()
        };
        let refused = self.ana.notes().create_note(request).await.err().ok_or("it was not refused")?;
        let refusal = Refusal::of(&refused);
        equal((refusal.code, refusal.reason.as_str()), (Code::InvalidArgument, "INVALID_FIELD"), "refusal")?;
        let fields: Vec<&str> = refusal.fields.keys().map(String::as_str).collect();
        equal(fields, vec!["conversation_id", "request_id"], "fields")
    }

    async fn a_safe_call_is_repeated(&self) -> Outcome {
        let listed = self.flaky.agents().list_agents(ListAgentsRequest::default()).await?.into_inner();
        equal(listed.agents.len(), 2, "agents found in spite of two failures")?;
        // A note has no request_id here: a second attempt might write it twice.
        let request = CreateNoteRequest {
            conversation_id: self.conversation_id.clone(),
            body: "once".to_owned(),
            ..CreateNoteRequest::default()
        };
        let refused = self.flaky.notes().create_note(request).await.err().ok_or("it was not refused")?;
        equal(refused.code(), Code::Unavailable, "what is not safe to repeat")
    }

    async fn pages_give_each_note_once(&self) -> Outcome {
        let wrote: Vec<String> = (0..7).map(|number| format!("note {number}")).collect();
        for body in &wrote {
            self.write(body).await?;
        }
        let mut read = Vec::new();
        let mut page_token = String::new();
        loop {
            let request =
                ListNotesRequest { conversation_id: self.conversation_id.clone(), page_size: 3, page_token };
            let page = patiently(async || self.ana.notes().list_notes(request.clone()).await).await?;
            read.extend(page.notes.into_iter().map(|note| note.body));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return equal(read, wrote, "notes");
            }
        }
    }

    async fn a_watch_goes_on(&self) -> Outcome {
        let (opened, mut is_open) = mpsc::channel(16);
        let (tell, mut told) = mpsc::channel(16);
        let mut watch = Watch::new(self.ben.clone(), opened);
        let (mut wrote, mut heard) = (Vec::new(), Vec::new());
        for round in 0..3 {
            let listening = watch.listen(tell.clone());
            is_open.recv().await.ok_or("the stream does not open")?;
            wrote.push(self.write(&format!("heard in round {round} @ben")).await?);
            heard.push(timeout(Duration::from_secs(30), told.recv()).await?.ok_or("the watch ended")?);
            // Cut off, whatever it is doing: what it was through with is what counts.
            watch = listening.cut().await;
            wrote.push(self.write(&format!("written while nobody listened in round {round} @ben")).await?);
        }
        let _listening = watch.listen(tell);
        while heard.len() < wrote.len() {
            heard.push(timeout(Duration::from_secs(30), told.recv()).await?.ok_or("the watch ended")?);
        }
        equal(heard, wrote, "notes heard over three cuts")
    }

    /// A note of Ana's; its id. With a `request_id` it could be written again and again, and would be there once.
    async fn write(&self, body: &str) -> Outcome<String> {
        let request = CreateNoteRequest {
            conversation_id: self.conversation_id.clone(),
            body: body.to_owned(),
            request_id: Uuid::new_v4().to_string(),
            ..CreateNoteRequest::default()
        };
        let made = patiently(async || self.ana.notes().create_note(request.clone()).await).await?;
        Ok(made.note.ok_or("no note")?.note_id)
    }
}

/// The API for a person. The token is one of `backchannel token`; elsewhere whoever signs in people gives it.
fn api(address: &str, subject: &str, role: &str) -> Outcome<Backchannel> {
    let command = std::env::var("TOKEN_COMMAND")?;
    let mut words = command.split_whitespace();
    let program = words.next().ok_or("TOKEN_COMMAND is empty")?;
    let printed = Command::new(program).args(words).args(["--sub", subject, "--role", role]).output()?;
    let token = String::from_utf8(printed.stdout)?;
    Backchannel::connect(&format!("http://{}", std::env::var(address)?), token.trim())
}

fn equal<T: PartialEq + std::fmt::Debug>(actual: T, expected: T, what: &str) -> Outcome {
    if actual == expected {
        return Ok(());
    }
    Err(format!("{what}: expected {expected:?}, got {actual:?}").into())
}
