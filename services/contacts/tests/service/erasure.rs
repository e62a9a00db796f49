//! A contact is erased (P12): gone at once for everybody, then from the other services.

use std::time::Duration;

use db::{Db, Target};
use kernel::{Clock, OrgId, Role};
use proto::common::v1::ErasedCount;
use proto::contacts::v1::erasure_service_client::ErasureServiceClient;
use proto::contacts::v1::*;
use testkit::{Client, Engine, Suite};
use tonic::{Code, Status};

use crate::desk::{
    agent, attributes, broken_fields, create, define, get, lists, named, refusal, resolve, searches, set,
    texts, value,
};
use crate::erasers::Erasers;

type Erasures = ErasureServiceClient<Client>;

/// In everything that is known of the person, and nowhere else.
const MARKER: &str = "markermia";

/// The service, and stand-ins for those that erase with it.
struct World {
    suite: Suite,
    erasers: Erasers,
}

impl World {
    async fn on(engine: Engine) -> Self {
        let erasers = Erasers::default();
        let [routing, notes, notifications] = erasers.units();
        let suite = Suite::of([contacts::unit(), routing, notes, notifications]).on(engine);
        let suite = suite.configured(|config| {
            config.limits.calls_per_person = 0;
            config.limits.person_per_second = 0;
            config.limits.org_per_second = 0;
        });
        Self { suite: suite.start().await, erasers }
    }

    fn admin(&self) -> Erasures {
        self.somebody("acme", Role::Admin)
    }

    fn somebody(&self, org: &str, role: Role) -> Erasures {
        ErasureServiceClient::new(self.suite.client(org, "root", role))
    }

    /// A contact of whom everything is known that can be.
    async fn mia(&self) -> Contact {
        let profile = ContactProfile {
            given_name: MARKER.to_owned(),
            company: format!("{MARKER} Inc"),
            emails: texts(&["markermia@example.com"]),
            phones: texts(&["+491701234567"]),
            external_id: format!("crm-{MARKER}"),
            ..named("Markermia Example")
        };
        let request = CreateContactRequest {
            profile: Some(profile),
            tags: texts(&["tag-markermia"]),
            request_id: Clock::system().new_id().to_string(),
            ..CreateContactRequest::default()
        };
        let mia = agent(&self.suite).create_contact(request).await.unwrap().into_inner().contact.unwrap();
        let mut attributes = attributes(&self.suite);
        define(&mut attributes, "note", AttributeType::Text).await.unwrap();
        let about = attribute_value::Value::Text(format!("{MARKER} likes tea"));
        let mia = set(&mut attributes, &mia, vec![value("note", about)]).await.unwrap();
        let list = CreateListRequest { display_name: "Friends".to_owned(), ..CreateListRequest::default() };
        let list = lists(&self.suite).create_list(list).await.unwrap().into_inner().list.unwrap();
        let members =
            AddListMembersRequest { list_id: list.list_id, contact_ids: vec![mia.contact_id.clone()] };
        lists(&self.suite).add_list_members(members).await.unwrap();
        mia
    }

    async fn erase(&self, contact: &Contact) -> Result<Erasure, Status> {
        let request = erase(contact);
        Ok(self.admin().erase_contact(request).await?.into_inner().erasure.unwrap())
    }

    async fn read(&self, erasure_id: &str) -> Erasure {
        let request = GetErasureRequest { erasure_id: erasure_id.to_owned() };
        self.admin().get_erasure(request).await.unwrap().into_inner().erasure.unwrap()
    }

    /// The erasure, once it is as it should be.
    async fn once(&self, erasure_id: &str, wanted: impl Fn(&Erasure) -> bool) -> Erasure {
        for _ in 0..1_500 {
            let erasure = self.read(erasure_id).await;
            if wanted(&erasure) {
                return erasure;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("it stays like this: {:?}", self.read(erasure_id).await);
    }

    async fn done(&self, erasure_id: &str) -> Erasure {
        self.once(erasure_id, |it| it.state() == ErasureState::Done).await
    }

    /// How many rows of the organization a table has.
    async fn rows(&self, table: &'static str) -> i64 {
        let target = match self.suite.database_url() {
            Some(url) => Target::Postgres { url, schema: "contacts".to_owned(), connections: 1 },
            None => Target::Sqlite { path: self.suite.data().join("contacts.db"), readers: 1 },
        };
        let db = Db::open(target, &contacts::store::MIGRATIONS, Clock::system()).await.unwrap();
        let org = OrgId::parse("acme").unwrap();
        let count = db.read(&org, move |tx| {
            Box::pin(async move {
                let query = tx.query_dynamic(format!("SELECT COUNT(*) FROM {table} WHERE org_id = $1"));
                query.fetch_value::<i64>(tx).await
            })
        });
        let count = count.await.unwrap();
        db.close().await;
        count
    }
}

fn erase(contact: &Contact) -> EraseContactRequest {
    EraseContactRequest {
        contact_id: contact.contact_id.clone(),
        etag: contact.etag.clone(),
        request_id: String::new(),
    }
}

fn part(erasure: &Erasure, service: ErasingService) -> &ErasurePart {
    erasure.parts.iter().find(|part| part.service() == service).unwrap()
}

fn removed(part: &ErasurePart) -> Vec<(&str, i64)> {
    part.removed.iter().map(|ErasedCount { kind, count }| (kind.as_str(), *count)).collect()
}

testkit::on_both_databases! {
    // P12
    async fn an_erased_contact_is_gone_at_once_and_the_address_is_free(engine) {
        let world = World::on(engine).await;
        let mia = world.mia().await;
        let other = create(&mut agent(&world.suite), named("Somebody else")).await.unwrap();
        world.erasers.make_down(&["routing", "notes", "notifications"]);
        let erasure = world.erase(&mia).await.unwrap();
        assert_eq!((erasure.contact_id, erasure.state), (mia.contact_id.clone(), ErasureState::Running.into()));
        assert_eq!(erasure.requester.unwrap().subject, "root");

        let gone = get(&mut agent(&world.suite), &mia.contact_id).await.unwrap_err();
        let never = get(&mut agent(&world.suite), &Clock::system().new_id().to_string()).await.unwrap_err();
        assert_eq!(refusal(&gone), refusal(&never), "as one that never was");
        let found = SearchContactsRequest { query: MARKER.to_owned(), ..SearchContactsRequest::default() };
        assert_eq!(searches(&world.suite).search_contacts(found).await.unwrap().into_inner().hits, vec![]);
        let listed = lists(&world.suite).list_lists(ListListsRequest::default()).await.unwrap().into_inner();
        assert_eq!(listed.lists[0].member_count, 0);
        let tags = agent(&world.suite).list_tags(ListTagsRequest::default()).await.unwrap().into_inner();
        assert_eq!(tags.tags, vec![]);
        get(&mut agent(&world.suite), &other.contact_id).await.unwrap();

        let new = resolve(&mut agent(&world.suite), "email", "markermia@example.com").await.unwrap();
        assert!(new.created && new.contact.unwrap().contact_id != mia.contact_id);
        world.suite.stop().await;
    }

    // P12
    async fn the_report_says_what_each_service_removed(engine) {
        let world = World::on(engine).await;
        let mia = world.mia().await;
        world.erasers.conversations((0..5).map(|_| Clock::system().new_id().to_string()).collect());
        world.erasers.takes("routing", 3);
        let erasure = world.erase(&mia).await.unwrap();
        let done = world.done(&erasure.erasure_id).await;

        assert!(done.end_time.is_some());
        let services: Vec<_> = done.parts.iter().map(ErasurePart::service).collect();
        use ErasingService::{Contacts, Notes, Notifications, Routing};
        assert_eq!(services, [Contacts, Routing, Notes, Notifications]);
        for part in &done.parts {
            assert_eq!(part.state(), ErasureState::Done);
            assert!(part.start_time.is_some() && part.end_time.is_some() && part.waiting_since_time.is_none());
        }
        let ours = removed(part(&done, Contacts));
        for (kind, count) in [("contacts", 1), ("identities", 2), ("tags", 1), ("attributes", 1), ("list_memberships", 1)] {
            assert!(ours.contains(&(kind, count)), "{kind}: {ours:?}");
        }
        assert!(ours.contains(&("kept_answers", 1)), "of CreateContact, which held the profile: {ours:?}");
        assert_eq!(removed(part(&done, Routing)), [("things", 3)]);
        assert_eq!(removed(part(&done, Notes)), [("things", 1)]);
        assert_eq!(world.erasers.asked().iter().filter(|asked| asked.starts_with("notes:")).count(), 4,
            "three pages of conversations, and the contact");
        for table in ["contacts", "identities", "contact_tags", "contact_attributes", "search_entries",
            "list_members", "contact_activities", "duplicate_keys"] {
            assert_eq!(world.rows(table).await, 0, "{table}");
        }
        world.suite.stop().await;
    }

    // P12
    async fn a_service_that_is_down_is_waited_for_and_named_while_the_others_go_on(engine) {
        let world = World::on(engine).await;
        let mia = world.mia().await;
        world.erasers.conversations(vec![Clock::system().new_id().to_string()]);
        world.erasers.make_down(&["notes"]);
        let erasure = world.erase(&mia).await.unwrap().erasure_id;
        use ErasingService::{Contacts, Notes, Notifications, Routing};
        let waiting = world
            .once(&erasure, |it| {
                part(it, Notes).waiting_since_time.is_some() && part(it, Notifications).state() == ErasureState::Done
            })
            .await;
        assert_eq!(waiting.state(), ErasureState::Running);
        for service in [Contacts, Routing, Notifications] {
            assert_eq!(part(&waiting, service).state(), ErasureState::Done, "{service:?}");
        }
        let since = part(&waiting, Notes).waiting_since_time;
        world.erasers.make_down(&[]);
        let done = world.done(&erasure).await;
        assert_eq!(part(&done, Notes).waiting_since_time, None, "it waited since {since:?}");
        world.suite.stop().await;
    }

    // P12
    async fn an_erasure_goes_on_after_a_restart(engine) {
        let mut world = World::on(engine).await;
        let mia = world.mia().await;
        world.erasers.conversations(vec![Clock::system().new_id().to_string()]);
        world.erasers.make_down(&["routing"]);
        let erasure = world.erase(&mia).await.unwrap().erasure_id;
        world.once(&erasure, |it| part(it, ErasingService::Routing).waiting_since_time.is_some()).await;
        world.suite.restart().await;
        world.erasers.make_down(&[]);
        let done = world.done(&erasure).await;
        assert_eq!(removed(part(&done, ErasingService::Contacts)).iter().filter(|(kind, _)| *kind == "contacts").count(), 1);
        world.suite.stop().await;
    }

    // P12, P5, P6
    async fn whoever_erases_has_read_whom_and_a_retry_erases_nobody_else(engine) {
        let world = World::on(engine).await;
        let mia = world.mia().await;
        let without = EraseContactRequest { etag: String::new(), ..erase(&mia) };
        assert_eq!(broken_fields(&world.admin().erase_contact(without).await.unwrap_err()), ["etag"]);
        let stale = EraseContactRequest { etag: "9999".to_owned(), ..erase(&mia) };
        assert_eq!(world.admin().erase_contact(stale).await.unwrap_err().code(), Code::Aborted);
        let foreign = world.somebody("globex", Role::Admin).erase_contact(erase(&mia)).await.unwrap_err();
        assert_eq!(foreign.code(), Code::NotFound);
        for role in [Role::Contact, Role::Agent, Role::Supervisor, Role::Integration, Role::Service] {
            let refused = world.somebody("acme", role).erase_contact(erase(&mia)).await.unwrap_err();
            assert_eq!(refused.code(), Code::PermissionDenied, "{role:?}");
        }
        get(&mut agent(&world.suite), &mia.contact_id).await.unwrap();

        let request_id = Clock::system().new_id().to_string();
        let once = EraseContactRequest { request_id, ..erase(&mia) };
        let first = world.admin().erase_contact(once.clone()).await.unwrap().into_inner();
        let id = first.erasure.clone().unwrap().erasure_id;
        world.done(&id).await;
        let again = world.admin().erase_contact(once).await.unwrap().into_inner();
        assert_eq!(again, first, "the first answer, as it was");
        let late = world.admin().erase_contact(erase(&mia)).await.unwrap_err();
        assert_eq!(late.code(), Code::NotFound);
        world.suite.stop().await;
    }

    // P12, P7
    async fn erasures_are_listed_newest_first_and_by_contact(engine) {
        let world = World::on(engine).await;
        let mut erased = Vec::new();
        for number in 0..5 {
            let contact = create(&mut agent(&world.suite), named(&format!("{number}"))).await.unwrap();
            erased.push((contact.contact_id.clone(), world.erase(&contact).await.unwrap().erasure_id));
        }
        let (mut listed, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = ListErasuresRequest { page_size: 2, page_token, ..ListErasuresRequest::default() };
            let page = world.admin().list_erasures(request).await.unwrap().into_inner();
            listed.extend(page.erasures.into_iter().map(|it| (it.contact_id, it.erasure_id)));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        erased.reverse();
        assert_eq!(listed, erased);
        let (contact_id, erasure_id) = erased[2].clone();
        let request = ListErasuresRequest { contact_id, ..ListErasuresRequest::default() };
        let of_one = world.admin().list_erasures(request).await.unwrap().into_inner().erasures;
        assert_eq!(of_one.len(), 1);
        assert_eq!(of_one[0].erasure_id, erasure_id);
        let request = GetErasureRequest { erasure_id };
        let foreign = world.somebody("globex", Role::Admin).get_erasure(request).await.unwrap_err();
        assert_eq!(foreign.code(), Code::NotFound);
        world.suite.stop().await;
    }
}

// P12
db::both_databases!(one_worker_at_a_time_has_an_erasure, contacts::store::MIGRATIONS, |db| async move {
    use contacts::domain::{Actor, ErasingService};
    use contacts::store::erasures;

    let (now, lease) = (db.clock.now(), Duration::from_secs(10));
    let erasure = contacts::domain::Erasure {
        erasure_id: db.clock.new_id().into(),
        contact_id: db.clock.new_id().into(),
        merged: Vec::new(),
        parts: ErasingService::ALL.map(contacts::domain::ErasurePart::pending).to_vec(),
        requester: Actor {
            subject: kernel::Subject::parse("root").unwrap(),
            role: Role::Admin,
            display_name: String::new(),
        },
        create_time: now,
        end_time: None,
    };
    let (id, acme) = (erasure.erasure_id, OrgId::parse("acme").unwrap());
    let insert = db.write(&acme, move |tx| Box::pin(async move { erasures::insert(tx, &erasure).await }));
    insert.await.unwrap();
    let claim = async |fence, at: kernel::Timestamp| {
        let claimed = db.write_system(move |tx| {
            Box::pin(async move { erasures::claim(tx, fence, at, at.plus(lease)).await })
        });
        claimed.await.unwrap()
    };
    let extend = async |fence| {
        let until = now.plus(2 * lease);
        let kept =
            db.write(&acme, move |tx| Box::pin(async move { erasures::extend(tx, id, fence, until).await }));
        kept.await.unwrap()
    };
    let (first, second) = (db.clock.new_id(), db.clock.new_id());
    assert_eq!(claim(first, now).await, Some((acme.clone(), id)));
    assert_eq!(claim(second, now).await, None, "the first has it");
    let later = now.plus(lease);
    assert_eq!(claim(second, later).await, Some((acme.clone(), id)), "the first one's time is over");
    assert!(!extend(first).await, "who comes back late writes nothing");
    assert!(extend(second).await);
    let end = db.write(&acme, move |tx| {
        Box::pin(async move { erasures::release(tx, id, second, later, Some(later)).await })
    });
    assert!(end.await.unwrap());
    assert_eq!(claim(first, later.plus(10 * lease)).await, None, "nothing is left to do");
});
