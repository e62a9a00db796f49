//! What every statement of the store promises, on both databases.

use ::contacts::domain::{Address, AddressKey, Channel, Email, Identity, Line, Phone, Profile, Tag};
use ::contacts::store::walk::{self, Among, Way};
use ::contacts::store::{MIGRATIONS, contacts, identities, tags};
use db::test_support::{TestDb, org};
use db::{BoxFuture, DbError, Tx, both_databases};
use kernel::{ContactId, Timestamp};
use uuid::Uuid;

const NOW: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);

/// Does it in a transaction of `acme`, and commits.
async fn write<T, F>(db: &TestDb, work: F) -> Result<T, DbError>
where
    F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, DbError>> + Send + 'static,
    T: Send + 'static,
{
    db.write(&org("acme"), work).await
}

async fn insert(db: &TestDb, profile: Profile) -> Result<ContactId, DbError> {
    let id = ContactId::from(db.clock.new_id());
    write(db, move |tx| Box::pin(async move { contacts::insert(tx, id, &profile, NOW).await })).await?;
    Ok(id)
}

async fn tag(db: &TestDb, id: ContactId, names: &[&str]) -> Result<(), DbError> {
    let names: Vec<Tag> = names.iter().map(|name| Tag::parse(name).unwrap()).collect();
    write(db, move |tx| Box::pin(async move { tags::insert(tx, id, &names).await })).await
}

async fn give(db: &TestDb, id: ContactId, addresses: Vec<Address>) -> usize {
    write(db, move |tx| Box::pin(async move { identities::insert(tx, id, &addresses, NOW).await }))
        .await
        .unwrap()
}

fn address(channel: &str, text: &str) -> Address {
    Address::parse(Channel::parse(channel).unwrap(), text).unwrap()
}

fn keys(addresses: &[Address]) -> Vec<AddressKey> {
    addresses.iter().map(|address| address.key().clone()).collect()
}

fn no_id_is_greater() -> ContactId {
    ContactId::from_uuid(Uuid::max())
}

both_databases!(a_contact_is_found_by_its_own_organization_only, MIGRATIONS, |db| async move {
    let profile = Profile {
        display_name: Line::parse("Zoë 👋 שלום").unwrap(),
        emails: vec![Email::parse("Zoe@x.org").unwrap()],
        phones: vec![Phone::parse("+4989123456").unwrap()],
        ..Profile::default()
    };
    let id = insert(&db, profile.clone()).await.unwrap();
    for (name, there) in [("acme", true), ("globex", false)] {
        let row = db.read(&org(name), move |tx| Box::pin(contacts::find(tx, id))).await.unwrap();
        let contact = row.map(|row| row.with(Vec::new(), Vec::new(), Vec::new()));
        assert_eq!(
            contact.as_ref().map(|contact| (&contact.profile, contact.version)),
            there.then_some((&profile, 1))
        );
        let locked = db.write(&org(name), move |tx| Box::pin(contacts::lock(tx, id))).await.unwrap();
        assert_eq!(locked.is_some(), there);
    }
});

both_databases!(an_external_id_is_one_contacts_where_it_is_set, MIGRATIONS, |db| async move {
    let with = |id: &str| Profile { external_id: Line::parse(id).unwrap(), ..Profile::default() };
    insert(&db, with("")).await.unwrap();
    insert(&db, with("")).await.unwrap();
    insert(&db, with("crm-1")).await.unwrap();
    let taken = insert(&db, with("crm-1")).await.unwrap_err();
    assert!(taken.violates_unique_on("contacts", "external_id"), "{taken:?}");
    insert(&db, with("CRM-1")).await.unwrap();
});

both_databases!(a_change_counts_the_version_up, MIGRATIONS, |db| async move {
    let id = insert(&db, Profile::default()).await.unwrap();
    let later = Timestamp::from_micros(NOW.as_micros() + 1);
    let profile = Profile { company: Line::parse("Acme").unwrap(), ..Profile::default() };
    let changed = profile.clone();
    let contact = write(&db, move |tx| {
        Box::pin(async move {
            contacts::update(tx, id, &changed, NOW).await?;
            contacts::touch(tx, id, later).await?;
            contacts::find(tx, id).await
        })
    });
    let contact = contact.await.unwrap().unwrap().with(Vec::new(), Vec::new(), Vec::new());
    assert_eq!((contact.version, &contact.profile), (3, &profile));
    assert_eq!((contact.create_time, contact.update_time), (NOW, later));
});

both_databases!(an_address_is_given_once_and_taken_back_from_its_owner_only, MIGRATIONS, |db| async move {
    let (ana, ben) =
        (insert(&db, Profile::default()).await.unwrap(), insert(&db, Profile::default()).await.unwrap());
    let (mail, chat) = (address("email", "Ana@x.org"), address("chat", "visitor"));
    assert_eq!(give(&db, ana, vec![mail.clone()]).await, 1);
    assert_eq!(
        give(&db, ben, vec![address("email", "ANA@X.ORG"), chat.clone()]).await,
        1,
        "only what nobody owns"
    );
    let of = keys(&[mail.clone(), chat.clone(), address("chat", "nobody")]);
    let asked = of.clone();
    let mut owners = write(&db, move |tx| Box::pin(async move { identities::find_owners(tx, &asked).await }))
        .await
        .unwrap();
    owners.sort_by_key(|owned| owned.contact_id);
    assert_eq!(
        owners.iter().map(|owned| (owned.key(), owned.contact_id)).collect::<Vec<_>>(),
        [(mail.key().clone(), ana), (chat.key().clone(), ben),]
    );
    let left = write(&db, move |tx| {
        Box::pin(async move {
            identities::remove(tx, ben, &of).await?;
            identities::list_of(tx, &[ana, ben]).await
        })
    });
    let channel = Channel::parse("email").unwrap();
    assert_eq!(
        left.await.unwrap(),
        [(ana, Identity { channel, address: "Ana@x.org".to_owned(), create_time: NOW })]
    );
});

both_databases!(tags_are_ordered_by_code_points, MIGRATIONS, |db| async move {
    let (ana, ben) =
        (insert(&db, Profile::default()).await.unwrap(), insert(&db, Profile::default()).await.unwrap());
    tag(&db, ana, &["ärger", "b", "B", "🎈", "a b", "a-b"]).await.unwrap();
    tag(&db, ben, &["b"]).await.unwrap();
    tag(&db, ben, &["b"]).await.unwrap();
    let (of, used) = write(&db, move |tx| {
        Box::pin(
            async move { Ok((tags::list_of(tx, &[ana, ben]).await?, tags::list_uses(tx, "", 10).await?)) },
        )
    })
    .await
    .unwrap();
    let anas: Vec<_> = of.iter().filter(|(id, _)| *id == ana).map(|(_, tag)| tag.as_str()).collect();
    assert_eq!(anas, ["B", "a b", "a-b", "b", "ärger", "🎈"]);
    let used: Vec<_> = used.iter().map(|used| (used.tag.as_str(), used.contact_count)).collect();
    assert_eq!(used, [("B", 1), ("a b", 1), ("a-b", 1), ("b", 2), ("ärger", 1), ("🎈", 1)]);
    let gone = ["b", "x"].map(|name| Tag::parse(name).unwrap());
    let after = write(&db, move |tx| {
        Box::pin(async move {
            tags::remove(tx, ana, &gone).await?;
            tags::list_uses(tx, "a-b", 1).await
        })
    });
    assert_eq!(after.await.unwrap()[0].contact_count, 1);
});

both_databases!(a_tag_of_nobody_is_refused, MIGRATIONS, |db| async move {
    let nobody = ContactId::from(db.clock.new_id());
    assert_eq!(tag(&db, nobody, &["vip"]).await, Err(DbError::ForeignKey));
});

both_databases!(lists_go_on_where_the_page_before_ended_either_way, MIGRATIONS, |db| async move {
    let mut ids = Vec::new();
    for number in 0..6 {
        let id = insert(&db, Profile::default()).await.unwrap();
        if number % 2 == 0 {
            tag(&db, id, &["even"]).await.unwrap();
        }
        ids.insert(0, id);
    }
    let (second, even) = (ids[1], Tag::parse("even").unwrap());
    let (newest, oldest) = (Way::Back(no_id_is_greater()), Way::On(ContactId::from_uuid(Uuid::nil())));
    let list = async |tagged: bool, way: Way, limit: i64| {
        let tag = tagged.then(|| even.clone());
        let acme = org("acme");
        let rows = db.read(&acme, move |tx| {
            Box::pin(async move {
                walk::list(tx, Among { tag: tag.as_ref(), ..Among::default() }, way, limit).await
            })
        });
        let rows: Result<_, DbError> = rows.await;
        rows.unwrap().iter().map(|row| row.contact_id).collect::<Vec<_>>()
    };
    assert_eq!(list(false, newest, 10).await, ids);
    assert_eq!(list(false, Way::Back(second), 2).await, ids[2..4]);
    assert_eq!(list(true, newest, 10).await, [ids[1], ids[3], ids[5]]);
    assert_eq!(list(true, Way::Back(second), 1).await, [ids[3]]);
    ids.reverse();
    assert_eq!(list(false, oldest, 10).await, ids);
    assert_eq!(list(false, Way::On(second), 10).await, ids[5..]);
    assert_eq!(list(true, oldest, 2).await, [ids[0], ids[2]]);
});

both_databases!(nothing_asked_for_is_nothing_found, MIGRATIONS, |db| async move {
    let nothing = write(&db, |tx| {
        Box::pin(async move {
            let nobody = ContactId::from(tx.clock().new_id());
            identities::remove(tx, nobody, &[]).await?;
            tags::remove(tx, nobody, &[]).await?;
            tags::insert(tx, nobody, &[]).await?;
            let given = identities::insert(tx, nobody, &[], NOW).await?;
            let owners = identities::find_owners(tx, &[]).await?.len();
            Ok(given
                + owners
                + identities::list_of(tx, &[]).await?.len()
                + tags::list_of(tx, &[]).await?.len())
        })
    });
    assert_eq!(nothing.await, Ok(0));
});
