use std::collections::{BTreeMap, BTreeSet};

use kernel::{ContactId, Timestamp};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::domain::{
    Address, Attribute, Channel, Choices, Contact, Definition, Email, Field, Key, Line, ListId, ListName,
    Mask, Phone, Profile, Tag, Value, ValueType,
};

const NOW: Timestamp = Timestamp::from_micros(1);
const UPSERT: Manner = Manner { mode: Mode::Upsert, replace: false, may_define: true };

fn id(number: u128) -> ContactId {
    ContactId::from_uuid(Uuid::from_u128(number))
}

fn line(text: &str) -> Line {
    Line::parse(text).unwrap()
}

fn tags(texts: &[&str]) -> BTreeSet<Tag> {
    texts.iter().map(|text| Tag::parse(text).unwrap()).collect()
}

fn attribute(key: &str, said: Said) -> (Key, Said) {
    (Key::parse(key).unwrap(), said)
}

/// A row with these addresses; `@` makes an email.
fn row(external_id: &str, addresses: &[&str]) -> ContactRow {
    let (emails, phones): (Vec<&str>, Vec<&str>) = addresses.iter().partition(|text| text.contains('@'));
    let profile = Profile {
        external_id: line(external_id),
        emails: emails.iter().map(|text| Email::parse(text).unwrap()).collect(),
        phones: phones.iter().map(|text| Phone::parse(text).unwrap()).collect(),
        ..Profile::default()
    };
    let said = |field: &Field| match field {
        Field::ExternalId => !external_id.is_empty(),
        Field::Emails => !emails.is_empty(),
        Field::Phones => !phones.is_empty(),
        _ => false,
    };
    let fields = Mask::of(Field::ALL.into_iter().filter(said));
    ContactRow { profile, fields, ..ContactRow::default() }
}

fn named(name: &str, row: ContactRow) -> ContactRow {
    let mut paths: Vec<Field> = vec![Field::DisplayName];
    let profile = Profile { display_name: line(name), ..row.profile };
    let set = |text: bool, field| if text { vec![field] } else { vec![] };
    paths.extend(set(!profile.external_id.is_empty(), Field::ExternalId));
    paths.extend(set(!profile.emails.is_empty(), Field::Emails));
    paths.extend(set(!profile.phones.is_empty(), Field::Phones));
    ContactRow { profile, fields: Mask::of(paths), ..row }
}

/// Ids from a number on.
struct Ids(u128);

impl Ids {
    fn next(&mut self) -> Uuid {
        self.0 += 1;
        Uuid::from_u128(self.0)
    }
}

fn definition(key: &str, value_type: ValueType, choices: &[&str]) -> Definition {
    Definition {
        key: Key::parse(key).unwrap(),
        version: 1,
        display_name: line(key),
        description: Line::default(),
        value_type,
        choices: Choices::of(value_type, choices.iter().map(|choice| line(choice)).collect()).unwrap(),
        archived: false,
        create_time: NOW,
        update_time: NOW,
    }
}

fn nobody() -> Known {
    let definitions =
        vec![definition("plan", ValueType::Choice, &["gold"]), definition("age", ValueType::Number, &[])];
    let lists = BTreeMap::from([("fair".to_owned(), ListId::from_uuid(Uuid::from_u128(900)))]);
    Known::new(definitions, lists, 1)
}

fn apply(known: &mut Known, row: &ContactRow, manner: Manner) -> Result<Outcome, Rejection> {
    let mut ids = Ids(known.changed().count() as u128 * 10 + 1_000);
    known.apply(row, manner, NOW, || ids.next())
}

fn one(known: &Known) -> Contact {
    let all: Vec<&Held> = known.changed().collect();
    assert_eq!(all.len(), 1);
    all[0].now.clone()
}

fn refused(known: &mut Known, row: &ContactRow, manner: Manner) -> (RejectionReason, String) {
    let rejection = apply(known, row, manner).unwrap_err();
    (rejection.reason, rejection.violations[0].field.clone())
}

// C10
#[test]
fn a_row_stands_for_its_external_id_then_an_email_then_a_phone() {
    let mut known = nobody();
    assert_eq!(apply(&mut known, &row("e1", &["a@x.org", "+4989123456"]), UPSERT), Ok(Outcome::Created));
    for again in [row("e1", &[]), row("", &["A@X.org"]), row("", &["+49 89 123456"])] {
        assert_eq!(apply(&mut known, &again, UPSERT), Ok(Outcome::Unchanged));
    }
    assert_eq!(apply(&mut known, &row("", &["a@x.org", "b@x.org"]), UPSERT), Ok(Outcome::Updated));
    assert_eq!(one(&known).profile.emails.len(), 2);
    assert_eq!(apply(&mut known, &row("e2", &["c@x.org"]), UPSERT), Ok(Outcome::Created));
}

// C10
#[test]
fn what_belongs_to_somebody_else_is_a_conflict_and_changes_nothing() {
    let mut known = nobody();
    apply(&mut known, &row("e1", &["a@x.org"]), UPSERT).unwrap();
    apply(&mut known, &row("e2", &["b@x.org"]), UPSERT).unwrap();
    let before: Vec<Contact> = known.changed().map(|held| held.now.clone()).collect();
    for (conflict, field) in [
        (row("e1", &["b@x.org"]), "emails[0]"),
        (row("", &["a@x.org", "b@x.org"]), "emails[1]"),
        // The email is e1's, who cannot be e3 as well.
        (row("e3", &["a@x.org"]), "external_id"),
        (ContactRow { contact_id: Some(one_of(&known, "e1")), ..row("e2", &[]) }, "external_id"),
    ] {
        assert_eq!(refused(&mut known, &conflict, UPSERT), (RejectionReason::Conflict, field.to_owned()));
    }
    assert_eq!(known.changed().map(|held| held.now.clone()).collect::<Vec<_>>(), before);
}

fn one_of(known: &Known, external_id: &str) -> ContactId {
    known.owner_of_external_id(external_id).unwrap()
}

// C10
#[test]
fn a_row_without_anything_to_find_it_by_is_left_out() {
    let mut known = nobody();
    let nameless = named("Ana", row("", &[]));
    assert_eq!(refused(&mut known, &nameless, UPSERT), (RejectionReason::InvalidValue, String::new()));
    assert_eq!(known.changed().count(), 0);
}

// C10
#[test]
fn a_mode_keeps_rows_from_making_or_from_changing() {
    let (create, update) =
        (Manner { mode: Mode::CreateOnly, ..UPSERT }, Manner { mode: Mode::UpdateOnly, ..UPSERT });
    let mut known = nobody();
    assert_eq!(refused(&mut known, &row("e1", &[]), update).0, RejectionReason::NotFound);
    assert_eq!(apply(&mut known, &row("e1", &[]), create), Ok(Outcome::Created));
    // What an interrupted import brought is no error when it is run again.
    assert_eq!(apply(&mut known, &row("e1", &[]), create), Ok(Outcome::Unchanged));
    assert_eq!(refused(&mut known, &named("Ana", row("e1", &[])), create).0, RejectionReason::Exists);
    assert_eq!(apply(&mut known, &named("Ana", row("e1", &[])), update), Ok(Outcome::Updated));
}

// C10
#[test]
fn an_import_takes_nothing_away_unless_it_replaces() {
    let full = ContactRow {
        tags: Some(tags(&["old"])),
        lists: Some(vec![ListName::parse("Fair").unwrap()]),
        attributes: vec![attribute("plan", Said::Text("gold".into())), attribute("age", Said::Number(7.0))],
        ..row("e1", &["a@x.org", "+4989123456"])
    };
    let less = ContactRow {
        tags: Some(tags(&["new"])),
        lists: Some(vec![ListName::parse("Spring").unwrap()]),
        attributes: vec![attribute("age", Said::Cell("8".into()))],
        all_attributes: true,
        ..row("e1", &["b@x.org"])
    };
    let mut adding = nobody();
    apply(&mut adding, &full, UPSERT).unwrap();
    let mut replacing = adding.clone();
    apply(&mut adding, &ContactRow { all_attributes: false, ..less.clone() }, UPSERT).unwrap();
    let contact = one(&adding);
    assert_eq!((contact.profile.emails.len(), contact.tags.len(), contact.attributes.len()), (2, 2, 2));
    assert_eq!(adding.changed().next().unwrap().lists.len(), 2);
    assert_eq!(adding.new_lists().len(), 1);

    apply(&mut replacing, &less, Manner { replace: true, ..UPSERT }).unwrap();
    let contact = one(&replacing);
    assert_eq!(contact.profile.emails, [Email::parse("b@x.org").unwrap()]);
    // Not named, so it stays.
    assert_eq!(contact.profile.phones.len(), 1);
    assert_eq!((contact.tags.len(), contact.attributes.len()), (1, 1));
    assert_eq!(replacing.changed().next().unwrap().lists.len(), 1);
    // The address that was given up is somebody else's to take.
    assert_eq!(apply(&mut replacing, &row("e2", &["a@x.org"]), UPSERT), Ok(Outcome::Created));
}

// C10
#[test]
fn a_value_is_read_by_the_type_of_its_attribute() {
    let mut known = nobody();
    let with =
        |key: &str, said: Said| ContactRow { attributes: vec![attribute(key, said)], ..row("e1", &[]) };
    for (key, said) in [
        ("plan", Said::Text("silver".into())),
        ("plan", Said::Number(1.0)),
        ("age", Said::Text("7".into())),
        ("age", Said::Cell("seven".into())),
        ("age", Said::Cell("inf".into())),
        ("shoe", Said::Cell("38".into())),
    ] {
        let field = format!("attribute.{key}");
        assert_eq!(
            refused(&mut known, &with(key, said.clone()), UPSERT),
            (RejectionReason::InvalidValue, field),
            "{said:?}"
        );
    }
    apply(&mut known, &with("age", Said::Cell(" 7.50 ".into())), UPSERT).unwrap();
    let Value::Number(age) = &one(&known).attributes[0].value else { panic!("{:?}", one(&known)) };
    assert_eq!(age.get(), 7.5);
}

// C10
#[test]
fn all_that_is_wrong_with_a_row_is_told_at_once() {
    let mut known = nobody();
    apply(&mut known, &row("e1", &["a@x.org"]), UPSERT).unwrap();
    apply(&mut known, &row("e2", &["b@x.org"]), UPSERT).unwrap();
    let misfits = vec![attribute("age", Said::Text("7".into())), attribute("shoe", Said::Number(38.0))];
    let wrong = vec![RowViolation { field: "phones[0]".into(), description: "must be one".into() }];
    let many: Vec<String> = (0..21).map(|number| format!("c{number}@x.org")).collect();
    for (row, first) in [
        (ContactRow { wrong, ..ContactRow::default() }, "phones[0]"),
        (row("", &[]), ""),
        (row("e1", &["b@x.org"]), "emails[0]"),
        (row("e1", &many.iter().map(String::as_str).collect::<Vec<_>>()), "emails"),
    ] {
        let row = ContactRow { attributes: misfits.clone(), ..row };
        let told = apply(&mut known, &row, UPSERT).unwrap_err().violations.into_iter().map(|one| one.field);
        assert_eq!(told.collect::<Vec<_>>(), [first, "attribute.age", "attribute.shoe"]);
    }
}

// C10 C6
#[test]
fn an_id_from_elsewhere_is_kept_unless_it_is_merged_away_or_erased() {
    let mut known = nobody();
    let of = |number| ContactRow { contact_id: Some(id(number)), ..row("", &[]) };
    known.is_erased(id(7));
    apply(&mut known, &of(5), UPSERT).unwrap();
    assert_eq!(one(&known).contact_id, id(5));
    known.survives(id(6), id(5));
    assert_eq!(apply(&mut known, &named("Ana", of(6)), UPSERT), Ok(Outcome::Updated));
    apply(&mut known, &of(7), UPSERT).unwrap();
    let ids: Vec<ContactId> = known.changed().map(|held| held.now.contact_id).collect();
    assert!(ids.len() == 2 && !ids.contains(&id(7)), "{ids:?}");
}

// C10
#[test]
fn a_number_on_another_channel_belongs_to_whoever_has_it() {
    let mut known = nobody();
    apply(&mut known, &row("e1", &["+4989123456"]), UPSERT).unwrap();
    let whatsapp = Address::parse(Channel::parse("whatsapp").unwrap(), "+4989123456").unwrap();
    let other = ContactRow { identities: vec![whatsapp.clone()], ..row("e2", &[]) };
    assert_eq!(refused(&mut known, &other, UPSERT).0, RejectionReason::Conflict);
    let same = ContactRow { identities: vec![whatsapp], ..row("", &[]) };
    assert_eq!(apply(&mut known, &same, UPSERT), Ok(Outcome::Updated));
    assert_eq!(one(&known).identities.len(), 2);
}

// C10
#[test]
fn limits_hold_for_what_there_would_be_together() {
    let mut known = nobody();
    let many: Vec<String> = (0..15).map(|number| format!("a{number}@x.org")).collect();
    let others: Vec<String> = (0..6).map(|number| format!("b{number}@x.org")).collect();
    let texts =
        |all: &[String]| -> ContactRow { row("e1", &all.iter().map(String::as_str).collect::<Vec<_>>()) };
    apply(&mut known, &texts(&many), UPSERT).unwrap();
    assert_eq!(
        refused(&mut known, &texts(&others), UPSERT),
        (RejectionReason::LimitReached, "emails".to_owned())
    );
    let lists = (0..1_000).map(|number| ListName::parse(&format!("list {number}")).unwrap()).collect();
    let row = ContactRow { lists: Some(lists), ..row("e9", &[]) };
    assert_eq!(refused(&mut known, &row, UPSERT), (RejectionReason::LimitReached, "lists".to_owned()));
    assert!(known.new_lists().is_empty());
}

/// Rows about a few people, so that they meet.
fn rows() -> impl Strategy<Value = Vec<ContactRow>> {
    let address = prop_oneof![Just("a@x.org"), Just("b@x.org"), Just("c@x.org"), Just("+4989123456")];
    let row =
        (0_usize..4, proptest::collection::vec(address, 0..3), 0_usize..3, proptest::option::of("[a-c]"));
    let row = row.prop_map(|(external, addresses, name, tag)| {
        let external = ["", "e1", "e2", "e3"][external];
        let row = row_of(external, &addresses);
        let row = if name == 0 { row } else { named(["", "Ana", "Ben"][name], row) };
        ContactRow { tags: tag.map(|tag| tags(&[&tag])), ..row }
    });
    proptest::collection::vec(row, 1..25)
}

fn row_of(external: &str, addresses: &[&str]) -> ContactRow {
    let mut row = row(external, addresses);
    row.profile = row.profile.without_repeats();
    row
}

/// What there is afterwards, without ids.
fn outcome(rows: &[ContactRow], cut: usize, replace: bool) -> (Vec<bool>, Vec<Profile>) {
    let manner = Manner { replace, ..UPSERT };
    let (mut stored, mut results): (Vec<Contact>, Vec<bool>) = (Vec::new(), Vec::new());
    let mut ids = Ids(1_000);
    for batch in rows.chunks(cut) {
        let mut known = nobody();
        stored.iter().for_each(|contact| known.hold(contact.clone(), BTreeSet::new()));
        results.extend(batch.iter().map(|row| known.apply(row, manner, NOW, || ids.next()).is_ok()));
        for held in known.changed() {
            stored.retain(|contact| contact.contact_id != held.now.contact_id);
            stored.push(held.now.clone());
        }
    }
    stored.sort_by_key(|contact| contact.contact_id);
    (results, stored.into_iter().map(|contact| contact.profile).collect())
}

proptest! {
    // C10
    #[test]
    fn it_makes_no_difference_how_a_file_is_cut_into_batches(rows in rows(), cut in 1_usize..10, replace: bool) {
        prop_assert_eq!(outcome(&rows, cut, replace), outcome(&rows, rows.len(), replace));
    }

    // C10
    #[test]
    fn an_address_has_one_owner_whatever_the_rows_say(rows in rows(), replace: bool) {
        let (_, profiles) = outcome(&rows, 7, replace);
        let mut seen = BTreeSet::new();
        for profile in profiles {
            let ids = (!profile.external_id.is_empty()).then(|| profile.external_id.as_str().to_owned());
            let keys = profile.addresses().iter().map(|address| address.key().address.clone()).collect::<Vec<_>>();
            for key in keys.into_iter().chain(ids) {
                prop_assert!(seen.insert(key.clone()), "{} has two owners", key);
            }
        }
    }

    // C10
    #[test]
    fn the_same_rows_again_change_nothing_where_none_repeats_another(name in "[A-Z][a-z]{1,8}", count in 1_usize..20) {
        let rows: Vec<ContactRow> = (0..count)
            .map(|number| named(&name, row(&format!("e{number}"), &[&format!("p{number}@x.org")])))
            .collect();
        let mut known = nobody();
        let mut ids = Ids(1_000);
        for row in &rows {
            prop_assert_eq!(known.apply(row, UPSERT, NOW, || ids.next()), Ok(Outcome::Created));
        }
        for row in &rows {
            prop_assert_eq!(known.apply(row, UPSERT, NOW, || ids.next()), Ok(Outcome::Unchanged));
        }
    }
}

#[test]
fn an_attribute_that_is_there_is_kept_as_it_is() {
    let mut known = Known::new(
        vec![Definition { archived: true, ..definition("age", ValueType::Number, &[]) }],
        BTreeMap::new(),
        0,
    );
    let mut contact = Contact {
        contact_id: id(1),
        version: 4,
        profile: row("e1", &[]).profile,
        tags: vec![],
        identities: vec![],
        attributes: vec![],
        block: None,
        create_time: NOW,
        update_time: NOW,
    };
    contact.attributes.push(Attribute {
        key: Key::parse("age").unwrap(),
        value: Value::Number(crate::domain::Number::new(7.0).unwrap()),
    });
    known.hold(contact, BTreeSet::new());
    let same = ContactRow { attributes: vec![attribute("age", Said::Cell("7".into()))], ..row("e1", &[]) };
    assert_eq!(apply(&mut known, &same, UPSERT), Ok(Outcome::Unchanged));
    let other = ContactRow { attributes: vec![attribute("age", Said::Cell("8".into()))], ..row("e1", &[]) };
    assert_eq!(refused(&mut known, &other, UPSERT).0, RejectionReason::InvalidValue);
}
