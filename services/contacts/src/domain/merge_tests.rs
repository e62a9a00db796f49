//! Merging and taking it back are rules on values: these hold them without a database.

use std::collections::BTreeSet;

use kernel::{Clock, Role, Subject, Timestamp};
use proptest::prelude::*;

use super::{Side, Single, Snapshot, TooLarge, Union};
use crate::domain::attribute::Value;
use crate::domain::{
    Actor, Attribute, Block, Channel, Contact, Email, Field, Identity, Key, Line, Phone, Profile, Tag,
};

fn line(text: &str) -> Line {
    Line::parse(text).unwrap()
}

fn side(profile: Profile, tags: &[&str], attributes: &[(&str, &str)]) -> Side {
    let attribute = |(key, text): &(&str, &str)| Attribute {
        key: Key::parse(key).unwrap(),
        value: Value::Text(line(text)),
    };
    Side {
        contact: Contact {
            contact_id: Clock::system().new_id().into(),
            version: 1,
            profile,
            tags: tags.iter().map(|tag| Tag::parse(tag).unwrap()).collect(),
            identities: Vec::new(),
            attributes: attributes.iter().map(attribute).collect(),
            block: None,
            create_time: Timestamp::from_micros(0),
            update_time: Timestamp::from_micros(0),
        },
        lists: BTreeSet::new(),
    }
}

fn profile(name: &str, company: &str, email: &str) -> Profile {
    let emails = Email::parse(email).into_iter().collect();
    Profile { display_name: line(name), company: line(company), emails, ..Profile::default() }
}

fn snapshot(from: &Side, into: &Side, take: &[Single]) -> Snapshot {
    let union = Union::of(from, into, &take.iter().cloned().collect()).unwrap();
    Snapshot { from: from.clone(), into: into.clone(), merged: union.merged }
}

// C6
#[test]
fn the_contact_that_stays_wins_unless_told_otherwise() {
    let from = side(profile("Ana", "Acme", "ana@x.org"), &["vip"], &[("plan", "gold"), ("city", "Rome")]);
    let into = side(profile("", "Acme Inc", "ana@y.org"), &["new"], &[("plan", "basic")]);
    let union = Union::of(&from, &into, &BTreeSet::new()).unwrap();
    let merged = &union.merged.contact;
    assert_eq!((merged.profile.display_name.as_str(), merged.profile.company.as_str()), ("Ana", "Acme Inc"));
    assert_eq!(
        merged.profile.emails.iter().map(Email::as_str).collect::<Vec<_>>(),
        ["ana@y.org", "ana@x.org"]
    );
    assert_eq!(merged.tags.iter().map(Tag::as_str).collect::<Vec<_>>(), ["new", "vip"]);
    let conflicts: Vec<_> = union
        .conflicts
        .iter()
        .map(|conflict| (conflict.of.path(), conflict.from.as_str(), conflict.into.as_str()))
        .collect();
    let expected =
        [("company".to_owned(), "Acme", "Acme Inc"), ("attributes.plan".to_owned(), "gold", "basic")];
    assert_eq!(conflicts, expected);
    let take = ["company", "attributes.plan"].map(|path| Single::parse(path).unwrap());
    let merged = Union::of(&from, &into, &take.into_iter().collect()).unwrap().merged.contact;
    assert_eq!(merged.profile.company.as_str(), "Acme");
    assert_eq!(merged.attributes, from.contact.attributes.iter().rev().cloned().collect::<Vec<_>>());
}

// C6
#[test]
fn what_changed_after_the_merge_stays_where_it_is() {
    let from = side(profile("Ana", "Acme", "ana@x.org"), &["vip"], &[("city", "Rome")]);
    let into = side(profile("", "Acme Inc", "ana@y.org"), &["new"], &[]);
    let snapshot = snapshot(&from, &into, &[Single::Profile(Field::Company)]);
    let mut now = snapshot.merged.clone();
    now.contact.profile.display_name = line("Ana S.");
    now.contact.profile.emails.insert(0, Email::parse("new@z.org").unwrap());
    now.contact.tags.push(Tag::parse("zz").unwrap());
    now.contact.attributes =
        vec![Attribute { key: Key::parse("city").unwrap(), value: Value::Text(line("Oslo")) }];
    let parted = snapshot.parted(&now).contact;
    assert_eq!(
        (parted.profile.display_name.as_str(), parted.profile.company.as_str()),
        ("Ana S.", "Acme Inc")
    );
    assert_eq!(
        parted.profile.emails.iter().map(Email::as_str).collect::<Vec<_>>(),
        ["new@z.org", "ana@y.org"]
    );
    assert_eq!(parted.tags.iter().map(Tag::as_str).collect::<Vec<_>>(), ["new", "zz"]);
    assert_eq!(parted.attributes, now.contact.attributes);
}

// C6, C9
#[test]
fn a_block_of_one_holds_for_both_until_they_part() {
    let actor =
        Actor { subject: Subject::parse("ana").unwrap(), role: Role::Agent, display_name: String::new() };
    let block = Block { actor, block_time: Timestamp::from_micros(1), reason: line("spam") };
    let (mut from, into) = (side(Profile::default(), &[], &[]), side(Profile::default(), &[], &[]));
    from.contact.block = Some(block.clone());
    let snapshot = snapshot(&from, &into, &[]);
    assert_eq!(snapshot.merged.contact.block, Some(block));
    assert_eq!(snapshot.parted(&snapshot.merged).contact.block, None);
}

// C6
#[test]
fn a_contact_does_not_grow_beyond_its_limits() {
    let full = |count: usize, of: &str| {
        let mut side = side(Profile::default(), &[], &[]);
        let contact = &mut side.contact;
        for n in 0..count {
            match of {
                "tags" => contact.tags.push(Tag::parse(&format!("{} {n}", contact.contact_id)).unwrap()),
                "emails" => {
                    let email = format!("{n}@{}.org", contact.contact_id);
                    contact.profile.emails.push(Email::parse(&email).unwrap());
                }
                "phones" => {
                    let last = contact.contact_id.as_uuid().as_u128() % 1_000_000;
                    contact.profile.phones.push(Phone::parse(&format!("+4989{last:06}{n:02}")).unwrap());
                }
                _ => contact.identities.push(Identity {
                    channel: Channel::parse("chat").unwrap(),
                    address: n.to_string(),
                    create_time: Timestamp::from_micros(0),
                }),
            }
        }
        side
    };
    for (of, limit) in [("tags", 200), ("emails", 20), ("phones", 20), ("identities", 500)] {
        let one = full(1, of);
        assert!(Union::of(&one, &full(limit - 1, of), &BTreeSet::new()).is_ok(), "{of}");
        assert_eq!(Union::of(&one, &full(limit, of), &BTreeSet::new()), Err(TooLarge { of, limit }));
    }
}

#[test]
fn only_what_has_one_value_can_be_taken() {
    for path in ["company", "external_id", "attributes.plan"] {
        assert_eq!(Single::parse(path).unwrap().path(), path);
    }
    for path in ["emails", "tags", "attributes.", "attributes.Plan", "", "lists"] {
        assert!(Single::parse(path).is_err(), "{path}");
    }
}

fn any_side(domain: &'static str) -> impl Strategy<Value = Side> {
    let text = "[ab]?";
    let tags = proptest::collection::btree_set("[a-d]", 0..4);
    let attributes = proptest::collection::btree_map("[a-c]", "[xy]", 0..3);
    (text, text, 0_usize..3, tags, attributes).prop_map(move |(name, company, emails, tags, attributes)| {
        let mut profile = profile(&name, &company, "");
        profile.emails = (0..emails).map(|n| Email::parse(&format!("{n}@{domain}.org")).unwrap()).collect();
        let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
        let attributes: Vec<_> = attributes.iter().map(|(key, text)| (key.as_str(), text.as_str())).collect();
        side(profile, &tags, &attributes)
    })
}

proptest! {
    // C6
    #[test]
    fn a_merge_taken_back_at_once_leaves_nothing(
        from in any_side("x"), into in any_side("y"), take_name in any::<bool>(), take_b in any::<bool>()
    ) {
        let mut take = Vec::new();
        if take_name { take.push(Single::Profile(Field::DisplayName)); }
        if take_b { take.push(Single::Attribute(Key::parse("b").unwrap())); }
        let snapshot = snapshot(&from, &into, &take);
        prop_assert_eq!(snapshot.parted(&snapshot.merged), into);
    }
}
