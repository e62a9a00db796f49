//! Hints between processes over core NATS.

use std::collections::HashSet;
use std::sync::Weak;
use std::time::Duration;

use async_nats::connection::State;
use async_nats::{Client, ConnectOptions, Event, Message, ServerAddr, Subscriber};
use futures::StreamExt;
use futures::stream::SelectAll;
use kernel::OrgId;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::exchange::Exchange;

const PREFIX: &str = "backchannel";

/// Between sessions, when the client gave up (a refused login, for one).
const PAUSE: Duration = Duration::from_secs(5);

/// How long NATS may take to answer at first before somebody is told that it does not.
const FIRST_ANSWER: Duration = Duration::from_secs(2);

/// What the other processes are to be told.
pub(super) struct Hint {
    pub(super) topic: &'static str,
    pub(super) org: OrgId,
    pub(super) key: String,
}

/// Asks NATS once whether it is there, and which version it is.
pub(super) async fn version(address: &ServerAddr) -> Result<String, async_nats::Error> {
    let options = ConnectOptions::new().name(PREFIX).connection_timeout(FIRST_ANSWER).max_reconnects(1);
    let client = options.connect(address.clone()).await?;
    Ok(client.server_info().version)
}

/// Keeps a session with NATS until `stop`.
pub(super) async fn keep_connected(
    address: ServerAddr,
    exchange: Weak<Exchange>,
    mut outbound: mpsc::Receiver<Hint>,
    stop: CancellationToken,
) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            ended = session(&address, &exchange, &mut outbound) => {
                if let Err(error) = ended {
                    tracing::warn!(%error, "no session with NATS; wake-ups stay in this process for now");
                }
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

/// One client's life. It reconnects by itself; only what it cannot get over ends it.
async fn session(
    address: &ServerAddr,
    exchange: &Weak<Exchange>,
    outbound: &mut mpsc::Receiver<Hint>,
) -> Result<(), async_nats::Error> {
    let Some(more_topics) = exchange.upgrade().map(|exchange| exchange.more_topics()) else { return Ok(()) };
    // For the topics that are there already.
    more_topics.notify_one();
    let client = connect(address, exchange.clone()).await?;
    let (mut heard, mut messages) = (HashSet::new(), SelectAll::new());
    let first_answer = tokio::time::sleep(FIRST_ANSWER);
    tokio::pin!(first_answer);
    let mut looked = false;
    loop {
        tokio::select! {
            () = &mut first_answer, if !looked => {
                looked = true;
                if client.connection_state() != State::Connected {
                    tracing::warn!("NATS does not answer; wake-ups stay in this process until it does");
                }
            }
            () = more_topics.notified() => {
                for topic in exchange.upgrade().map(|exchange| exchange.listened()).unwrap_or_default() {
                    if heard.insert(topic) {
                        messages.push(hear(&client, topic).await?);
                    }
                }
            }
            hint = outbound.recv() => match hint {
                Some(Hint { topic, org, key }) => {
                    client.publish(format!("{PREFIX}.{topic}.{org}"), key.into()).await?;
                }
                None => return Ok(()),
            },
            Some((topic, message)) = messages.next(), if !messages.is_empty() => {
                if let (Some(exchange), Some((org, key))) = (exchange.upgrade(), read(&message)) {
                    exchange.announce(topic, &org, key);
                }
            }
        }
    }
}

async fn connect(address: &ServerAddr, exchange: Weak<Exchange>) -> Result<Client, async_nats::Error> {
    let options = ConnectOptions::new()
        .name(PREFIX)
        // NATS may come later than we do.
        .retry_on_initial_connect()
        // This process has heard its own hints already.
        .no_echo()
        .ping_interval(Duration::from_secs(10))
        .reconnect_delay_callback(|attempt| Duration::from_millis(100).saturating_mul(1 << attempt.min(6)))
        .event_callback(move |event| {
            // Whatever was said while we were away is lost: everybody looks again.
            if let (Event::Connected, Some(exchange)) = (event, exchange.upgrade()) {
                exchange.announce_everything();
            }
            async {}
        });
    Ok(options.connect(address.clone()).await?)
}

async fn hear(
    client: &Client,
    topic: &'static str,
) -> Result<impl futures::Stream<Item = (&'static str, Message)> + Unpin + use<>, async_nats::Error> {
    let messages: Subscriber = client.subscribe(format!("{PREFIX}.{topic}.*")).await?;
    Ok(messages.map(move |message| (topic, message)))
}

/// Organization and key of a hint; nothing if it is not one of ours.
fn read(message: &Message) -> Option<(OrgId, &str)> {
    let org = message.subject.as_str().rsplit('.').next()?;
    Some((OrgId::parse(org).ok()?, std::str::from_utf8(&message.payload).ok()?))
}
