//! What the tables of routing say, asked beside every process.

use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, Connection, PgConnection, raw_sql};

use super::replicas::Replicas;

/// Looks at the end of each transaction that changes somebody's load whether they have more conversations than it is told. Whoever
/// changes a load holds its row until then: no change by another can be missed.
const LOOK: &str = "
    CREATE TABLE public.too_many (agent_id UUID NOT NULL, conversations BIGINT NOT NULL);
    CREATE FUNCTION public.look_for_too_many() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
    DECLARE has BIGINT;
    BEGIN
        SELECT COUNT(*) INTO has FROM routing.conversations c
        WHERE c.org_id = NEW.org_id AND c.assignee_id = NEW.agent_id AND c.status = 'OPEN';
        IF has > TG_ARGV[0]::BIGINT THEN
            INSERT INTO public.too_many VALUES (NEW.agent_id, has);
        END IF;
        RETURN NULL;
    END $$;
    CREATE CONSTRAINT TRIGGER look_for_too_many AFTER UPDATE ON routing.loads
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.look_for_too_many(";

/// How long nobody who waits may get an agent. Debug builds on a busy machine are slow.
const PATIENCE: Duration = Duration::from_secs(30);

/// The most that [`Witness::counting`] lets anybody have.
pub(super) const MOST: i32 = 3;

pub(super) struct Witness(PgConnection);

impl Witness {
    /// Who looks when asked.
    pub(super) async fn of(replicas: &Replicas) -> Self {
        Self(replicas.tables().await)
    }

    /// Who looks at every change as well, whether somebody has more than [`MOST`].
    pub(super) async fn counting(replicas: &Replicas) -> Self {
        let mut tables = replicas.tables().await;
        raw_sql(AssertSqlSafe(format!("{LOOK}{MOST})"))).execute(&mut tables).await.unwrap();
        Self(tables)
    }

    /// A number.
    pub(super) async fn number(&mut self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&mut self.0).await.unwrap()
    }

    /// Who got the conversations of a team, in the order in which they were given: batches by the database's time, which is asked
    /// for under the team's lock, and within a batch by decision.
    pub(super) async fn turns(&mut self, team_id: &str) -> Vec<String> {
        sqlx::query_scalar(
            "SELECT a.agent_id::text FROM routing.assignments a
             JOIN routing.conversations c ON c.org_id = a.org_id AND c.conversation_id = a.conversation_id
             WHERE c.team_id = $1::uuid ORDER BY a.assign_time, a.decision_id",
        )
        .bind(team_id)
        .fetch_all(&mut self.0)
        .await
        .unwrap()
    }

    /// Waits until nobody waits for an agent.
    pub(super) async fn nothing_waits(&mut self) {
        let (mut fewest, mut since) = (i64::MAX, Instant::now());
        loop {
            match self.number("SELECT COUNT(*) FROM routing.queue").await {
                0 => return,
                fewer if fewer < fewest => (fewest, since) = (fewer, Instant::now()),
                still => assert!(since.elapsed() < PATIENCE, "{still} wait for an agent, and none gets one"),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Each conversation was given once, `count` of them; who has what, their loads and the queue agree.
    pub(super) async fn each_was_given_once(&mut self, count: usize) {
        let given = self.number("SELECT COUNT(*) FROM routing.assignments").await;
        let once = self.number("SELECT COUNT(DISTINCT conversation_id) FROM routing.assignments").await;
        assert_eq!((given, once), (count as i64, count as i64), "given, and given once");
        self.agrees().await;
    }

    /// One open assignment for each conversation that somebody has, and of them; loads as many as there are open ones.
    pub(super) async fn agrees(&mut self) {
        let crossed = self
            .number(
                "SELECT COUNT(*) FROM routing.conversations c
                 FULL JOIN (SELECT * FROM routing.assignments WHERE end_time IS NULL) a
                     ON a.org_id = c.org_id AND a.conversation_id = c.conversation_id
                 WHERE a.agent_id IS DISTINCT FROM c.assignee_id",
            )
            .await;
        let miscounted = self
            .number(
                "SELECT COUNT(*) FROM routing.loads l WHERE l.open_count <> (
                     SELECT COUNT(*) FROM routing.conversations c
                     WHERE c.org_id = l.org_id AND c.assignee_id = l.agent_id AND c.status = 'OPEN')",
            )
            .await;
        let astray = self
            .number(
                "SELECT COUNT(*) FROM routing.queue q JOIN routing.conversations c
                     ON c.org_id = q.org_id AND c.conversation_id = q.conversation_id
                 WHERE c.status <> 'OPEN' OR c.assignee_id IS NOT NULL OR c.team_id <> q.team_id",
            )
            .await;
        assert_eq!((crossed, miscounted, astray), (0, 0, 0), "crossed, miscounted, astray");
    }

    /// The latest heartbeat of an agent was nearly a minute ago: their lease ends in a second.
    pub(super) async fn beats_no_more(&mut self, agent_id: &str) {
        let _: String = sqlx::query_scalar(
            "UPDATE routing.presence
             SET lease_expire_time = (EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::bigint + 1000000
             WHERE agent_id = $1::uuid AND NOT pinned RETURNING availability",
        )
        .bind(agent_id)
        .fetch_one(&mut self.0)
        .await
        .unwrap();
    }

    /// Ends.
    pub(super) async fn done(self) {
        self.0.close().await.unwrap();
    }
}
