//! A repeated request has one effect and one answer.

use kernel::{Clock, Role};
use proto::common::v1::ErrorReason;
use proto::notes::v1 as notes;
use proto::notifications::v1 as feed;
use proto::routing::v1 as pb;
use tonic::Code;

use crate::cast::{Ear, assigned, customer_writes, message, route, team};
use crate::world::World;

testkit::on_both_databases! {
    // P5
    async fn the_same_request_id_gives_the_first_answer_and_tells_people_once(engine) {
        let world = World::one_process(engine).await;
        let team = team(&world, "flights", &["ana", "ben"]).await;
        route(&world, "airline", &team.team_id, vec![]).await;
        let recorded = customer_writes(&world, message("airline", "r-1", 0, "hello")).await;
        let conversation = assigned(&world, &recorded.conversation.unwrap().conversation_id).await;
        let author = team.agent(&conversation.assignee.unwrap().subject);
        let colleague = team.other_than(&author.subject);
        let mut ear = Ear::open(&colleague.api).await;
        let request = notes::CreateNoteRequest {
            conversation_id: conversation.conversation_id.clone(),
            body: format!("@{} once", colleague.subject),
            request_id: Clock::system().new_id().to_string(),
            ..Default::default()
        };
        // All at once, as impatient clients do.
        let tries = (0..8).map(|_| {
            let (mut notes, request) = (author.api.notes(), request.clone());
            async move { notes.create_note(request).await.unwrap().into_inner().note.unwrap() }
        });
        let answers = futures::future::join_all(tries).await;
        assert!(answers.iter().all(|note| note == &answers[0]), "{answers:?}");

        let other = notes::CreateNoteRequest { body: "something else".into(), ..request.clone() };
        let refused = author.api.notes().create_note(other).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert_eq!(rpc::reason_of(&refused), Some(ErrorReason::RequestIdReused));

        let list = notes::ListNotesRequest { conversation_id: conversation.conversation_id.clone(), ..Default::default() };
        assert_eq!(author.api.notes().list_notes(list).await.unwrap().into_inner().notes.len(), 1);
        assert_eq!(ear.hears().await.note_id, answers[0].note_id);
        let second = notes::CreateNoteRequest {
            body: format!("@{} twice", colleague.subject),
            request_id: String::new(),
            ..request
        };
        let second = author.api.notes().create_note(second).await.unwrap().into_inner().note.unwrap();
        assert_eq!(ear.hears().await.note_id, second.note_id, "nothing came in between");
    }

    // R5
    async fn a_redelivered_webhook_changes_nothing(engine) {
        let world = World::one_process(engine).await;
        let tries = (0..16).map(|_| customer_writes(&world, message("airline", "r-2", 0, "hello")));
        let answers = futures::future::join_all(tries).await;
        let first = answers[0].message.clone().unwrap();
        assert!(answers.iter().all(|answer| answer.message.as_ref() == Some(&first)), "one message");
        assert_eq!(answers.iter().filter(|answer| !answer.duplicate).count(), 1);
        assert_eq!(answers.iter().filter(|answer| answer.conversation_created).count(), 1);
        let channel = world.as_one("chat-adapter", Role::Integration);
        let list = pb::ListMessagesRequest { conversation_id: first.conversation_id.clone(), ..Default::default() };
        assert_eq!(channel.conversations().list_messages(list).await.unwrap().into_inner().messages, [first]);
    }

    // D3 P14
    async fn two_devices_hear_everything_and_a_cut_one_goes_on_where_it_was(engine) {
        let world = World::one_process(engine).await;
        let team = team(&world, "flights", &["ana", "ben"]).await;
        route(&world, "airline", &team.team_id, vec![]).await;
        let recorded = customer_writes(&world, message("airline", "r-3", 0, "hello")).await;
        let conversation = assigned(&world, &recorded.conversation.unwrap().conversation_id).await;
        let author = team.agent(&conversation.assignee.unwrap().subject);
        let colleague = team.other_than(&author.subject);
        let (mut phone, mut laptop) = (Ear::open(&colleague.api).await, Ear::open(&colleague.api).await);
        let write = |number: u32| {
            let body = format!("{number} @{}", colleague.subject);
            let (api, id) = (author.api.clone(), conversation.conversation_id.clone());
            async move { crate::privacy::note_on(&api, &id, &body).await.note_id }
        };
        let first = write(1).await;
        assert_eq!((phone.hears().await.note_id, laptop.hears().await.note_id), (first.clone(), first));

        let request = feed::SubscribeRequest::default();
        let mut stream = colleague.api.notifications().subscribe(request).await.unwrap().into_inner();
        let token = stream.message().await.unwrap().unwrap().resume_token;
        drop(stream);
        let missed = [write(2).await, write(3).await];
        let start = proto::common::v1::stream_start::Start::ResumeToken(token.clone());
        let start = Some(proto::common::v1::StreamStart { start: Some(start) });
        let resumed = colleague.api.notifications().subscribe(feed::SubscribeRequest { start: start.clone() }).await;
        let mut stream = resumed.unwrap().into_inner();
        let mut heard = Vec::new();
        while heard.len() < 2 {
            let frame = stream.message().await.unwrap().unwrap().frame;
            if let Some(feed::subscribe_response::Frame::Notification(notification)) = frame {
                heard.push(notification.note_id);
            }
        }
        assert_eq!(heard, missed);
        let stolen = author.api.notifications().subscribe(feed::SubscribeRequest { start }).await;
        let refused = match stolen {
            Err(status) => status,
            Ok(stream) => stream.into_inner().message().await.unwrap_err(),
        };
        assert_eq!(refused.code(), Code::InvalidArgument, "a token of another person: {refused:?}");
    }
}
