//! Processes of routing that share a database, among one of each other service.

use std::collections::BTreeSet;

use futures::StreamExt;
use kernel::Role;
use proto::routing::v1 as pb;
use sqlx::{Connection, PgConnection};
use suite::client::{Session, Wire};
use testkit::Engine;

use crate::cast::{eventually, message};
use crate::operations::get;
use crate::processes::Process;
use crate::world::{ORG, World};

/// Messages on their way at once.
const AT_ONCE: usize = 16;

/// The first is the world's own; the others are beside it.
pub(super) struct Replicas {
    pub(super) world: World,
    more: Vec<Process>,
    wires: Vec<Wire>,
}

impl Replicas {
    /// The four services with these environment variables, and one more process of routing for each of `more`, which are further
    /// variables of it.
    pub(super) async fn start(common: &[(&str, &str)], more: &[&[(&str, &str)]]) -> Self {
        let world = World::four_processes_with(Engine::Postgres, common).await;
        let starting = more.iter().map(|further| world.replica("routing", further));
        let more = futures::future::join_all(starting).await;
        let mut wires = vec![world.wire.clone()];
        for process in &more {
            wires.push(world.by_way_of("routing", process).await);
        }
        Self { world, more, wires }
    }

    /// So many with the same variables.
    pub(super) async fn alike(count: usize, common: &[(&str, &str)]) -> Self {
        Self::start(common, &vec![&[][..]; count - 1]).await
    }

    pub(super) fn count(&self) -> usize {
        self.wires.len()
    }

    /// The process of a replica.
    pub(super) fn process(&mut self, replica: usize) -> &mut Process {
        match replica.checked_sub(1) {
            None => self.world.process("routing"),
            Some(place) => &mut self.more[place],
        }
    }

    /// The API by way of a replica.
    pub(super) fn by_way_of(&self, replica: usize, subject: &str, role: Role) -> Session {
        let token = self.world.token(ORG, subject, role);
        self.wires[replica % self.wires.len()].bearing(&token).unwrap()
    }

    /// A connection to their database, as its owner.
    pub(super) async fn tables(&self) -> PgConnection {
        let (_, url) = self.world.stores();
        PgConnection::connect(&url.expect("it is on PostgreSQL")).await.unwrap()
    }

    /// Customers of these sources write in turn, by way of every replica of `by`: so many new conversations, whose names begin
    /// with `series`.
    pub(super) async fn customers_write(
        &self,
        by: &[usize],
        sources: &[&str],
        series: &str,
        count: usize,
    ) -> Vec<pb::Conversation> {
        let channels: Vec<Session> =
            by.iter().map(|&replica| self.by_way_of(replica, "chat-adapter", Role::Integration)).collect();
        futures::stream::iter(0..count)
            .map(|number| {
                let channel = channels[number % channels.len()].clone();
                let source = sources[number % sources.len()];
                let request = message(source, &format!("{series}-{number}"), 0, "hello");
                async move {
                    eventually("a message is taken", || async {
                        let answer = channel.conversations().record_message(request.clone()).await;
                        answer.ok()?.into_inner().conversation
                    })
                    .await
                }
            })
            .buffered(AT_ONCE)
            .collect()
            .await
    }

    /// How many each replica has given to agents, by its own count.
    pub(super) async fn gave(&mut self) -> Vec<u64> {
        let mut gave = Vec::new();
        for replica in 0..self.count() {
            let address = self.process(replica).metrics.clone();
            let page = get(&address, "/metrics").await;
            let counted = page.lines().find_map(|line| line.strip_prefix("routing_assigned_total "));
            gave.push(counted.map_or(0, |count| count.parse().unwrap()));
        }
        gave
    }

    /// Ends all of them in order.
    pub(super) async fn stop(self) {
        for process in self.more {
            let (well, _) = process.terminate().await;
            assert!(well, "it ends well");
        }
        self.world.stop().await;
    }
}

/// Over `agents` who all could take everything, any so many in a row are each of them once.
pub(super) fn are_strict_turns(turns: &[String], agents: usize) {
    for (place, window) in turns.windows(agents).enumerate() {
        let different = window.iter().collect::<BTreeSet<_>>().len();
        assert_eq!(different, agents, "{agents} agents have {agents} turns in a row, from turn {place} on");
    }
}
