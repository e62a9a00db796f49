//! Customers write, 200 messages a second whatever the answers take. Every eighth message begins a conversation, as in real support
//! traffic; each conversation goes to somebody, who is told on their stream.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use proto::notifications::v1::{NotificationType, SubscribeRequest, subscribe_response::Frame};
use proto::routing::v1::{Availability, Direction, RecordMessageRequest};
use tokio::time::MissedTickBehavior;

use crate::office::{ARRIVALS, Office};

const EVERY: Duration = Duration::from_millis(5);
/// Messages of a conversation. Each comes so many conversations behind the one before it.
const MESSAGES: usize = 8;
const BEHIND: usize = 5;
/// Conversations that are there when the first message comes.
const EARLY: usize = MESSAGES * BEHIND;
/// The first seconds are not counted.
const WARM_UP: usize = 600;
const MEASURED: usize = 4_000;
/// How long the last ones may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// When agents were told, by conversation.
type Told = Arc<Mutex<HashMap<String, Instant>>>;

/// Median and 99th percentile, in milliseconds, of what there is to wait for.
pub(crate) async fn measure(office: &mut Office) -> [(&'static str, [f64; 2]); 3] {
    office.are(Availability::Online).await;
    let told = Told::default();
    for mut feed in office.feeds() {
        let mut stream = feed.subscribe(SubscribeRequest::default()).await.unwrap().into_inner();
        let told = Arc::clone(&told);
        tokio::spawn(async move {
            while let Ok(Some(answer)) = stream.message().await {
                if let Some(Frame::Notification(it)) = answer.frame
                    && it.r#type() == NotificationType::Assigned
                {
                    told.lock().unwrap().insert(it.conversation_id, Instant::now());
                }
            }
        });
    }
    for number in 0..EARLY {
        let early = RecordMessageRequest { external_id: format!("early-{number}"), ..of(number, number) };
        office.channel().record_message(early).await.unwrap();
    }
    office.settle().await;
    office.vacuum().await;
    let mut tick = tokio::time::interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut calls = Vec::with_capacity(WARM_UP + MEASURED);
    let channels = [office.channel(), office.channel(), office.channel(), office.channel()];
    for number in 0..WARM_UP + MEASURED {
        // When it should be sent, not when it is: what is late because of others counts.
        let begun = tick.tick().await.into_std();
        let mut channel = channels[number % channels.len()].clone();
        calls.push(tokio::spawn(async move {
            let recorded = channel.record_message(message(number)).await.unwrap().into_inner();
            (recorded.conversation.unwrap().conversation_id, begun, begun.elapsed(), begins(number))
        }));
    }
    let mut sent = Vec::new();
    for call in calls.into_iter().skip(WARM_UP) {
        sent.push(call.await.unwrap());
    }
    let since = Instant::now();
    let all_told = |told: &Told| {
        let told = told.lock().unwrap();
        sent.iter().filter(|(.., begins)| *begins).all(|(id, ..)| told.contains_key(id))
    };
    while !all_told(&told) {
        assert!(since.elapsed() < PATIENCE, "somebody was not told");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let answered = sent.iter().map(|(_, _, took, _)| *took).collect();
    let heard = {
        let told = told.lock().unwrap();
        let firsts = sent.iter().filter(|(.., begins)| *begins);
        firsts.map(|(id, begun, ..)| told[id].saturating_duration_since(*begun)).collect()
    };
    [
        ("message to answer, 200 a second: p50", percentiles(answered)),
        ("message to decision: p50", percentiles(decided(office).await)),
        ("message to the agent's stream: p50", percentiles(heard)),
    ]
}

/// From the moment in which a conversation began to the one in which it was decided who gets it.
async fn decided(office: &mut Office) -> Vec<Duration> {
    let spans: Vec<i64> = sqlx::query_scalar(
        "SELECT a.assign_time - c.create_time FROM conversations c
         JOIN assignments a ON a.org_id = c.org_id AND a.conversation_id = c.conversation_id
         WHERE c.org_id = 'bench' AND c.source = $1 ORDER BY c.create_time OFFSET $2",
    )
    .bind(ARRIVALS)
    .bind(i64::try_from(EARLY + WARM_UP / MESSAGES).unwrap())
    .fetch_all(&mut office.tables)
    .await
    .unwrap();
    spans.into_iter().map(|micros| Duration::from_micros(u64::try_from(micros).unwrap_or(0))).collect()
}

fn begins(number: usize) -> bool {
    number.is_multiple_of(MESSAGES)
}

fn message(number: usize) -> RecordMessageRequest {
    // Of one that is there already: the first ones were begun before.
    let conversation = (EARLY + number / MESSAGES) - number % MESSAGES * BEHIND;
    of(conversation, number)
}

fn of(conversation: usize, number: usize) -> RecordMessageRequest {
    RecordMessageRequest {
        channel: "chat".into(),
        external_id: format!("a-{conversation}/{number}"),
        direction: Direction::Inbound.into(),
        conversation_external_id: format!("a-{conversation}"),
        contact_address: format!("customer-{conversation}"),
        source: ARRIVALS.into(),
        text: "Where is my parcel?".into(),
        ..RecordMessageRequest::default()
    }
}

fn percentiles(mut took: Vec<Duration>) -> [f64; 2] {
    took.sort();
    let at =
        |share: f64| took[((took.len() as f64 * share) as usize).min(took.len() - 1)].as_secs_f64() * 1e3;
    [at(0.5), at(0.99)]
}
