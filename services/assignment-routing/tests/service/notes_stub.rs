//! A stub of the notes service, which routing gives notes to write and cannot ask.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proto::common::v1::{EventDisposition, EventOutcome};
use proto::notes::v1::ingest_service_server::{IngestService, IngestServiceServer};
use proto::notes::v1::{IngestedNote, WriteNotesRequest, WriteNotesResponse};
use runtime::{Service, Unit};
use tonic::service::Routes;
use tonic::{Request, Response, Status};

/// Keeps what it is given, each note once. Clones are the same service.
#[derive(Clone, Default)]
pub(crate) struct Notes(Arc<Mutex<Vec<IngestedNote>>>, Arc<AtomicBool>);

impl Notes {
    pub(crate) fn unit(&self) -> Unit {
        let notes = self.clone();
        Unit::new("notes", move |_, _| {
            let routes = Routes::new(IngestServiceServer::new(notes.clone()));
            async move { Ok(Service { routes, workers: vec![], health: vec![] }) }
        })
    }

    /// Stops answering, or goes on.
    pub(crate) fn go_down(&self, down: bool) {
        self.1.store(down, Ordering::SeqCst);
    }

    /// What it was given so far.
    pub(crate) fn so_far(&self) -> Vec<IngestedNote> {
        self.0.lock().unwrap().clone()
    }

    /// What it was given, once it is so much.
    pub(crate) async fn written(&self, count: usize) -> Vec<IngestedNote> {
        for _ in 0..400 {
            let written = self.so_far();
            if written.len() >= count {
                return written;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("notes was given {} notes, not {count}", self.so_far().len());
    }
}

#[tonic::async_trait]
impl IngestService for Notes {
    async fn write_notes(
        &self,
        request: Request<WriteNotesRequest>,
    ) -> Result<Response<WriteNotesResponse>, Status> {
        if self.1.load(Ordering::SeqCst) {
            return Err(rpc::Fault::unavailable("stub").into());
        }
        let mut written = self.0.lock().unwrap();
        let mut outcomes = Vec::new();
        for note in request.into_inner().notes {
            outcomes.push(EventOutcome {
                event_id: note.event_id.clone(),
                disposition: EventDisposition::Applied.into(),
                reason: String::new(),
            });
            if written.iter().all(|known| known.event_id != note.event_id) {
                written.push(note);
            }
        }
        Ok(Response::new(WriteNotesResponse { outcomes }))
    }
}
