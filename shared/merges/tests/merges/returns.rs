//! Rows return when a merge is taken back.

use std::time::Duration;

use db::both_databases;
use merges::LATE;

use crate::things::{MIGRATIONS, Shop};

// C6
both_databases!(exactly_what_moved_returns, MIGRATIONS, |db| async move {
    let shop = Shop::of(db);
    let [a, b] = shop.contacts();
    shop.put(a, 25).await;
    shop.put(b, 5).await;
    let merge = shop.merge(a, b).await;
    shop.settle().await;
    shop.put(b, 2).await;
    shop.unmerge(merge, a, b).await;
    shop.put_late(a).await;
    shop.settle().await;
    assert_eq!(shop.count([a, b]).await, [26, 7], "what came since stays");
});

// C6
both_databases!(a_merge_taken_back_halfway_leaves_nothing_behind, MIGRATIONS, |db| async move {
    let shop = Shop::of(db);
    let [a, b] = shop.contacts();
    shop.put(a, 25).await;
    let merge = shop.merge(a, b).await;
    assert!(shop.follower.round().await.unwrap());
    assert_eq!(shop.count([a, b]).await, [15, 10]);
    shop.unmerge(merge, a, b).await;
    shop.settle().await;
    assert_eq!(shop.count([a, b]).await, [25, 0]);
    shop.db.hand.advance(LATE);
    assert_eq!(shop.settle().await, 0, "nothing is left to do");
});

// C6
both_databases!(
    what_is_being_written_when_a_merge_is_taken_back_returns_with_it,
    MIGRATIONS,
    |db| async move {
        let shop = Shop::of(db);
        let [a, b, c] = shop.contacts();
        let first = shop.merge(a, b).await;
        let second = shop.merge(b, c).await;
        shop.settle().await;
        let writer = shop.put_slowly(a);
        writer.it_has.await.unwrap();
        let mut parts = Box::pin(async {
            shop.unmerge(second, b, c).await;
            shop.unmerge(first, a, b).await;
            shop.settle().await;
        });
        // Time enough for it to end too early.
        let early = tokio::time::timeout(Duration::from_millis(300), &mut parts).await.is_ok();
        writer.finish.send(()).unwrap();
        writer.written.await.unwrap();
        if !early {
            parts.await;
        }
        assert_eq!(shop.count([a, b, c]).await, [1, 0, 0]);
    }
);

// C6
both_databases!(chains_return_in_the_order_in_which_they_are_taken_back, MIGRATIONS, |db| async move {
    let shop = Shop::of(db);
    let [a, b, c] = shop.contacts();
    for (contact, count) in [(a, 25), (b, 14), (c, 3)] {
        shop.put(contact, count).await;
    }
    let first = shop.merge(a, b).await;
    let second = shop.merge(b, c).await;
    shop.settle().await;
    assert_eq!(shop.count([a, b, c]).await, [0, 0, 42]);
    shop.unmerge(second, b, c).await;
    // Whatever clocks say: this one goes back.
    shop.db.hand.set(shop.db.clock.now().minus(Duration::from_secs(1)));
    shop.unmerge(first, a, b).await;
    shop.db.hand.advance(Duration::from_secs(2));
    shop.settle().await;
    assert_eq!(shop.count([a, b, c]).await, [25, 14, 3]);
});

// C6
both_databases!(a_merge_done_again_while_rows_return_has_them_all, MIGRATIONS, |db| async move {
    let shop = Shop::of(db);
    let [a, b] = shop.contacts();
    shop.put(a, 25).await;
    let merge = shop.merge(a, b).await;
    shop.settle().await;
    shop.unmerge(merge, a, b).await;
    assert!(shop.follower.round().await.unwrap());
    let again = shop.merge(a, b).await;
    shop.settle().await;
    shop.db.hand.advance(LATE);
    shop.settle().await;
    assert_eq!(shop.count([a, b]).await, [0, 25]);
    shop.unmerge(again, a, b).await;
    shop.settle().await;
    assert_eq!(shop.count([a, b]).await, [25, 0]);
});
