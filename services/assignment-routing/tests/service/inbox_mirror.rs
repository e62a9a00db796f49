//! R16 and P14: who follows their inbox has what the lists have, whatever happens and however often the stream is cut.

use std::collections::BTreeMap;

use kernel::Role;
use proto::routing::v1::watch_inbox_response::Frame;
use proto::routing::v1::*;

use crate::inbox::{mention, note, read};
use crate::inbox_watch::{
    ALL, PATIENCE, Stream, assigned_to, frame, from_now, opened, opened_with_token, resume, watch,
};
use crate::world::{World, inbound, outbound};

async fn counts_of(world: &World, who: &str) -> BTreeMap<i32, i64> {
    let answer = world.conversations(who, Role::Agent).get_inbox_counts(GetInboxCountsRequest {}).await;
    answer.unwrap().into_inner().counts.into_iter().map(|count| (count.view, count.count)).collect()
}

/// What a client shows that applies whatever the stream says, and lists when it is told to.
#[derive(Default)]
struct Mirror {
    views: BTreeMap<i32, BTreeMap<String, InboxEntry>>,
    counts: BTreeMap<i32, i64>,
    token: String,
}

impl Mirror {
    fn apply(&mut self, change: InboxChange) {
        for (view, entries) in &mut self.views {
            match &change.entry {
                Some(entry) if change.views.contains(view) => {
                    entries.insert(change.conversation_id.clone(), entry.clone());
                }
                _ => {
                    entries.remove(&change.conversation_id);
                }
            }
        }
    }

    async fn list(&mut self, world: &World, who: &str, views: &[InboxView]) {
        for view in views {
            self.views.insert((*view).into(), listed(world, who, *view).await);
        }
    }

    /// Takes one frame; false at the end.
    async fn take(&mut self, world: &World, who: &str, stream: &mut Stream) -> bool {
        let Some(next) = frame(stream).await else { return false };
        self.token = next.resume_token;
        match next.frame.unwrap() {
            Frame::Change(change) => self.apply(change),
            Frame::Counts(counts) => {
                self.counts = counts.counts.into_iter().map(|count| (count.view, count.count)).collect();
            }
            Frame::TeamsChanged(teams) => self.list(world, who, &teams.views().collect::<Vec<_>>()).await,
            Frame::Opened(_) | Frame::Heartbeat(_) | Frame::OfferChange(_) => {}
            Frame::Closing(_) => return false,
            other @ Frame::ResyncRequired(_) => panic!("{other:?}"),
        }
        true
    }
}

/// A view as the lists have it, by conversation.
async fn listed(world: &World, who: &str, view: InboxView) -> BTreeMap<String, InboxEntry> {
    let (mut all, mut page_token) = (BTreeMap::new(), String::new());
    loop {
        let request =
            ListConversationsRequest { view: view.into(), page_size: 200, page_token, ..Default::default() };
        let page =
            world.conversations(who, Role::Agent).list_conversations(request).await.unwrap().into_inner();
        for entry in page.entries {
            let id = entry.conversation.as_ref().unwrap().conversation_id.clone();
            all.insert(id, entry);
        }
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return all;
        }
    }
}

/// One of many things that happen around a conversation, by number.
async fn something(world: &World, number: usize, it: &Conversation, agents: &[Agent], team: &Team) {
    let id = it.conversation_id.clone();
    let latest = world.read(&id).await;
    let external = it.external_id.as_str();
    match number % 11 {
        0 => drop(world.record(inbound(external, &format!("in-{number}"))).await),
        1 => drop(world.record(outbound(external, &format!("out-{number}"))).await),
        2 => drop(world.resolve(&id).await),
        3 | 4 => {
            // It may be resolved, or change at this moment: that it is refused then is no matter here.
            let _refused = world.assign("root", &latest, &agents[number % agents.len()]).await;
        }
        5 => {
            let target = assign_conversation_request::Target::TeamId(team.team_id.clone());
            let _refused = world.order("root", &latest, target).await;
        }
        6 => note(world, it, "ben").await,
        7 => mention(world, it, &["ana", "ben"]).await,
        8 => read(world, "ana", it).await,
        9 => {
            let snooze_until_time = Some(rpc::convert::proto_time(world.clock.now().plus(PATIENCE * 100)));
            let request =
                SnoozeConversationRequest { conversation_id: id, snooze_until_time, etag: String::new() };
            let _refused = world.conversations("root", Role::Admin).snooze_conversation(request).await;
        }
        _ => {
            let request = ReopenConversationRequest { conversation_id: id, etag: String::new() };
            world.conversations("root", Role::Admin).reopen_conversation(request).await.unwrap();
        }
    }
}

testkit::on_both_databases! {
    // R16 R7
    async fn the_counts_come_with_the_opening_and_again_when_they_changed(engine) {
        let world = World::on(engine).await;
        let ana = world.agent("ana").await;
        world.begin("c-0").await;
        let mut stream = opened(&world, "ana", &ALL).await;
        let mut mirror = Mirror::default();
        for (number, to_ana) in [(1, false), (2, true), (3, true)] {
            while mirror.counts != counts_of(&world, "ana").await {
                assert!(mirror.take(&world, "ana", &mut stream).await);
            }
            let it = world.begin(&format!("c-{number}")).await;
            if to_ana {
                assigned_to(&world, &it, &ana).await;
            }
        }
        while mirror.counts != counts_of(&world, "ana").await {
            assert!(mirror.take(&world, "ana", &mut stream).await);
        }
        assert_eq!((mirror.counts[&InboxView::All.into()], mirror.counts[&InboxView::Mine.into()]), (4, 2));
    }

    // R16, P14, fault 12: many change the same conversations at once, and the stream is cut again and again.
    async fn however_often_a_stream_is_cut_who_follows_it_has_what_the_lists_have(engine) {
        let world = World::on(engine).await;
        let agents = [world.agent("ana").await, world.agent("ben").await, world.agent("eve").await];
        let team = world.team("billing", &[&agents[0], &agents[1]]).await;
        let mut conversations = Vec::new();
        for number in 0..12 {
            conversations.push(world.begin(&format!("c-{number}")).await);
        }
        let mut mirror = Mirror::default();
        let (mut stream, token) = opened_with_token(&world, "ana", &ALL, from_now()).await;
        mirror.token = token;
        mirror.list(&world, "ana", &ALL).await;
        let work = futures::future::join_all((0..6).map(|writer| {
            let (world, conversations, agents, team) = (&world, &conversations, &agents, &team);
            async move {
                for step in 0..25 {
                    // Each goes over the conversations and the deeds in an order of its own, the same each time.
                    let number = writer * 7 + step * (2 * writer + 3);
                    let it = &conversations[(number * 5 + step) % conversations.len()];
                    something(world, number, it, agents, team).await;
                }
            }
        }));
        tokio::pin!(work);
        let (mut busy, mut taken) = (true, 0);
        loop {
            tokio::select! {
                biased;
                _ = &mut work, if busy => busy = false,
                went_on = mirror.take(&world, "ana", &mut stream) => {
                    assert!(went_on);
                    taken += 1;
                    if taken % 7 == 0 {
                        // Cut off, whatever is on its way; the next goes on behind what came.
                        stream = watch(world.client("ana", Role::Agent), &ALL, resume(&mirror.token)).await.unwrap();
                    }
                }
            }
            if !busy {
                let (mut lists, counts) = (Mirror::default(), counts_of(&world, "ana").await);
                lists.list(&world, "ana", &ALL).await;
                if lists.views == mirror.views && counts == mirror.counts {
                    break;
                }
            }
        }
        assert!(taken > 30, "there was something to follow: {taken} frames");
        assert!(mirror.views.values().any(|view| !view.is_empty()));
    }
}
