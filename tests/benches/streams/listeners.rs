//! Who listens.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use kernel::Role;
use proto::notifications::v1::SubscribeRequest;
use proto::notifications::v1::notification_service_client::NotificationServiceClient;
use proto::notifications::v1::subscribe_response::Frame;

use crate::server::Server;

/// Streams of one connection, as an edge in front bundles them.
const TOGETHER: usize = 100;

/// Openings under way at once.
const AT_ONCE: usize = 50;

/// When a note was heard of, by its id.
pub(crate) type Ears = Arc<Mutex<HashMap<String, Instant>>>;

/// The name of a listener.
pub(crate) fn name(number: usize) -> String {
    format!("agent-{number}")
}

/// Opens one stream for each of so many people. All of them are open when this answers.
pub(crate) async fn open(server: &Server, streams: usize) -> Ears {
    let ears = Ears::default();
    let connections: Vec<_> = (0..streams.div_ceil(TOGETHER)).map(|_| server.channel()).collect();
    for batch in (0..streams).collect::<Vec<_>>().chunks(AT_ONCE) {
        let opening = batch.iter().map(|number| {
            let client = server.over(&connections[number / TOGETHER], &name(*number), Role::Agent);
            let ears = Arc::clone(&ears);
            async move {
                let mut feed = NotificationServiceClient::new(client);
                let mut stream = feed.subscribe(SubscribeRequest::default()).await.unwrap().into_inner();
                let first = stream.message().await.unwrap().unwrap();
                assert!(matches!(first.frame, Some(Frame::Opened(_))));
                tokio::spawn(async move {
                    while let Ok(Some(answer)) = stream.message().await {
                        if let Some(Frame::Notification(it)) = answer.frame {
                            ears.lock().unwrap().insert(it.note_id, Instant::now());
                        }
                    }
                });
            }
        });
        futures::future::join_all(opening).await;
    }
    ears
}
