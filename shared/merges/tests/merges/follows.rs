//! Rows go to the contact that stayed.

use audit::Filter;
use db::both_databases;
use db::test_support::org;
use merges::{LATE, What, home_of};
use proto::common::v1::EventDisposition;

use crate::things::{ACME, AT_ONCE, MIGRATIONS, Shop};

// C6
both_databases!(rows_follow_in_steps_and_each_leaves_a_record, MIGRATIONS, |db| async move {
    let shop = Shop::of(db);
    let [a, b] = shop.contacts();
    shop.put(a, 25).await;
    shop.put(b, 3).await;
    shop.merge(a, b).await;
    assert_eq!(shop.count([a, b]).await, [25, 3], "the answer does not wait for rows");
    let at_once = usize::from(AT_ONCE);
    assert_eq!(shop.settle().await, 25_usize.div_ceil(at_once));
    assert_eq!(shop.count([a, b]).await, [0, 28]);
    audit::Sealer::new("shop", shop.db.db.clone()).seal_all().await.unwrap();
    let filter = Filter { action: Some("thing.move".to_owned()), ..Filter::default() };
    let read =
        shop.db.read(&ACME, move |tx| Box::pin(async move { audit::list(tx, &filter, None, 100).await }));
    assert_eq!(read.await.unwrap().len(), 25);
});

// C6 faults 6
both_databases!(an_event_takes_effect_once, MIGRATIONS, |db| async move {
    let shop = Shop::of(db);
    let [a, b] = shop.contacts();
    let merge = shop.db.clock.new_id().into();
    let heard = shop.heard(What::Merged, merge, a, b);
    assert_eq!(shop.tell(heard).await, EventDisposition::Applied);
    assert_eq!(shop.tell(heard).await, EventDisposition::Duplicate);
    shop.unmerge(merge, a, b).await;
    // Given up once, and told again by an admin after the end of the merge.
    let again = shop.heard(What::Merged, merge, a, b);
    assert_eq!(shop.tell(again).await, EventDisposition::Applied);
    shop.put_late(a).await;
    shop.settle().await;
    assert_eq!(shop.count([a, b]).await, [1, 0], "the merge is over");
});

// C6
both_databases!(a_row_written_late_lands_with_who_stands_for_the_contact, MIGRATIONS, |db| async move {
    let shop = Shop::of(db);
    let [a, b, c] = shop.contacts();
    let first = shop.merge(a, b).await;
    let second = shop.merge(b, c).await;
    shop.settle().await;
    shop.put_late(a).await;
    assert_eq!(shop.count([a, b, c]).await, [0, 0, 1], "at once, through both merges");
    // Its writer had looked before the alias was there.
    shop.put(a, 1).await;
    shop.settle().await;
    assert_eq!(shop.count([a, b, c]).await, [1, 0, 1], "nobody looks yet");
    shop.db.hand.advance(LATE);
    shop.settle().await;
    assert_eq!(shop.count([a, b, c]).await, [0, 0, 2]);
    shop.unmerge(second, b, c).await;
    shop.settle().await;
    assert_eq!(shop.count([a, b, c]).await, [0, 2, 0]);
    shop.unmerge(first, a, b).await;
    shop.settle().await;
    assert_eq!(shop.count([a, b, c]).await, [2, 0, 0], "late ones return with the merge that took them");
});

// C6
both_databases!(who_stands_for_a_contact_is_found_through_all_merges, MIGRATIONS, |db| async move {
    let shop = Shop::of(db);
    let contacts: [_; 6] = shop.contacts();
    let mut merges = Vec::new();
    for pair in contacts.windows(2) {
        merges.push(shop.merge(pair[0], pair[1]).await);
    }
    let home = |contact| shop.db.read(&ACME, move |tx| home_of(tx, contact));
    let found = home(contacts[0]).await.unwrap();
    assert_eq!((found.contact_id, &found.merges), (contacts[5], &merges));
    let found = home(contacts[5]).await.unwrap();
    assert_eq!((found.contact_id, found.merges.len()), (contacts[5], 0));
    let other = shop.db.read(&org("other"), move |tx| home_of(tx, contacts[0])).await.unwrap();
    assert_eq!(other.contact_id, contacts[0], "another organization's merges are nobody's here");
});

// C6
both_databases!(two_workers_move_each_row_once, MIGRATIONS, |db| async move {
    let shop = Shop::of(db);
    let [a, b] = shop.contacts();
    shop.put(a, 200).await;
    let merge = shop.merge(a, b).await;
    tokio::join!(shop.settle(), shop.settle());
    assert_eq!(shop.count([a, b]).await, [0, 200]);
    shop.unmerge(merge, a, b).await;
    tokio::join!(shop.settle(), shop.settle());
    assert_eq!(shop.count([a, b]).await, [200, 0]);
});
