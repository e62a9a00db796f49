//! Connections that go silent: nothing comes and nothing ends (a firewall that forgot them, a machine that is gone).

use crate::ledger::{MIGRATIONS, enter, read_names};
use db::test_support::{TestDb, org};
use db::{Db, DbError, Engine, Gather, Target};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Passes bytes on, but not those of connections made before the last silence.
struct Proxy {
    port: u16,
    silenced: Arc<AtomicU64>,
    made: Arc<AtomicU64>,
}

impl Proxy {
    async fn to(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (silenced, made) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let (until, count) = (Arc::clone(&silenced), Arc::clone(&made));
        tokio::spawn(async move {
            while let Ok((inner, _)) = listener.accept().await {
                let number = count.fetch_add(1, Ordering::SeqCst) + 1;
                let outer = TcpStream::connect(&server).await.unwrap();
                let ((from, to), (back, forth)) = (inner.into_split(), outer.into_split());
                tokio::spawn(pass(from, forth, number, Arc::clone(&until)));
                tokio::spawn(pass(back, to, number, Arc::clone(&until)));
            }
        });
        Self { port, silenced, made }
    }

    fn silence(&self) {
        self.silenced.store(self.made.load(Ordering::SeqCst), Ordering::SeqCst);
    }
}

async fn pass(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    number: u64,
    silenced: Arc<AtomicU64>,
) {
    let mut bytes = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut bytes).await {
        if number <= silenced.load(Ordering::SeqCst) {
            // The socket stays open, so that neither end learns of it.
            return std::future::pending().await;
        }
        if to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}

/// The same schema through the proxy.
async fn through(proxy: &Proxy, db: &TestDb, connections: u32) -> Db {
    let Target::Postgres { url, schema, .. } = db.target.clone() else { panic!("PostgreSQL only") };
    let server = server(&url);
    let url = url.replace(&server, &format!("127.0.0.1:{}", proxy.port));
    Db::open(Target::Postgres { url, schema, connections }, &MIGRATIONS, db.clock.clone()).await.unwrap()
}

/// `host:port` of an address.
fn server(url: &str) -> String {
    let rest = url.split_once("://").unwrap().1;
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    rest.split(['/', '?']).next().unwrap().to_owned()
}

async fn write(db: &Db, name: String) -> Result<u64, DbError> {
    db.write(&org("acme"), move |tx| Box::pin(async move { enter(tx, &name, 1).await })).await
}

// Faults 3
#[test]
fn silent_connections_are_given_up_and_the_service_recovers_by_itself() {
    db::test_support::run(Engine::Postgres, &MIGRATIONS, |db: TestDb| async move {
        let Target::Postgres { url, .. } = &db.target else { panic!("PostgreSQL only") };
        let proxy = Proxy::to(server(url)).await;
        let few = through(&proxy, &db, 4).await;
        let amounts: Gather<i64, i64> = Gather::new(few.clone(), |tx, _| {
            Box::pin(async move {
                tx.query("SELECT amount, amount FROM entries WHERE org_id = $1 LIMIT 1").fetch_all(tx).await
            })
        });
        for round in 0..3 {
            // All four are in use, and then at hand.
            let busy: Vec<_> = (0..16)
                .map(|n| {
                    let few = few.clone();
                    tokio::spawn(async move { write(&few, format!("{round}/{n}")).await })
                })
                .collect();
            for write in busy {
                write.await.unwrap().unwrap();
            }
            proxy.silence();
            let silenced = Instant::now();
            let mut tries = 0;
            loop {
                let answer = write(&few, format!("{round}/after/{tries}")).await;
                let asked = amounts.ask(&org("acme"), 1).await;
                if answer.is_ok() && asked == Ok(Some(1)) {
                    break;
                }
                for refused in [answer.map(drop), asked.map(drop)].into_iter().filter_map(Result::err) {
                    assert!(refused.is_transient(), "{refused:?}");
                }
                tries += 1;
                assert!(silenced.elapsed() < Duration::from_secs(30), "not recovered after {tries} tries");
            }
        }
        let names = read_names(&db, &org("acme")).await;
        assert!(names.len() >= 3 * 17, "{} entries", names.len());
        few.close().await;
    });
}
