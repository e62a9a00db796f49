use kernel::{ContactId, Timestamp};
use proptest::prelude::*;
use uuid::Uuid;

use super::columns::Columns;
use super::records::{Content, Place, Record, Records};
use super::*;
use crate::domain::transfer::{ContactRow, RejectionReason, Row};
use crate::domain::{
    Attribute, Channel, Contact, Date, Email, Identity, Key, Line, ListName, Number, Phone, Profile, Tag,
    Value,
};

mod records;

/// The records of a file that comes in pieces of this size.
fn records(mut records: Records, file: &[u8], piece: usize) -> Vec<Record> {
    let (mut all, mut read, mut came) = (Vec::new(), 0, 0);
    loop {
        let mut rest = &file[read..came];
        let record = records.next(&mut rest, came == file.len());
        read = came - rest.len();
        match record {
            Some(record) => all.push(record),
            None if came == file.len() => return all,
            None => came = file.len().min(came + piece),
        }
    }
}

fn csv(file: &[u8], piece: usize) -> Vec<Record> {
    records(Records::csv(b',', Place::BEGINNING), file, piece)
}

fn cells(record: &Record) -> Vec<String> {
    match &record.content {
        Content::Cells(cells) => {
            cells.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect()
        }
        other => vec![format!("{other:?}")],
    }
}

fn line_of(text: &str) -> Result<ContactRow, Vec<(RejectionReason, String)>> {
    match read_line(text.as_bytes(), false).unwrap() {
        Ok(Row::Contact(row)) if row.wrong.is_empty() => Ok(*row),
        Ok(Row::Contact(row)) => {
            Err(row.wrong.iter().map(|one| (RejectionReason::InvalidValue, one.field.clone())).collect())
        }
        Ok(other) => panic!("{other:?}"),
        Err(rejection) => {
            Err(rejection.violations.iter().map(|one| (rejection.reason, one.field.clone())).collect())
        }
    }
}

// C10
#[test]
fn a_row_that_breaks_a_rule_names_each_field_and_never_the_value() {
    let fields = |text: &str| -> Vec<String> {
        line_of(text).unwrap_err().into_iter().map(|(_, field)| field).collect()
    };
    assert_eq!(
        fields(
            r#"{"external_id": "e1", "emails": ["a@x.org", "canary"], "phones": ["089 1"], "language": "d e", "tags": ["ok", "a,b"]}"#
        ),
        ["emails[1]", "language", "phones[0]", "tags[1]"]
    );
    assert_eq!(
        fields(r#"{"emails": "a@x.org", "shoe_size": 38, "display_name": 7}"#),
        ["display_name", "emails", "shoe_size"]
    );
    assert_eq!(
        fields(r#"{"emails": "a@x.org", "phones": ["089 1"], "attributes": {"plan": "x", "Plan": "x"}}"#),
        ["emails", "phones[0]", "attributes"]
    );
    assert_eq!(fields(r#"{"identities": [{"channel": "Chat", "address": "v"}]}"#), ["identities[0]"]);
    let of_profile = r#"{"identities": [{"channel": "chat", "address": "v"}, {"channel": "email", "address": "a@x.org"}, {"channel": "phone", "address": "+4989123456"}]}"#;
    assert_eq!(fields(of_profile), ["identities[1]", "identities[2]"]);
    assert_eq!(fields(r#"{"external_id": "e1", "company": "A", "company": "B"}"#), ["company"]);
    assert_eq!(fields(r#"{"external_id": "e1", "attributes": {"plan": "a", "plan": "b"}}"#), ["plan"]);
    assert_eq!(fields(r#"{"external_id": "e1", "canary@x": 1, "canary@x": 2}"#), [""]);
    assert_eq!(fields(r#"{"contact_id": "00000000-0000-4000-8000-000000000000"}"#), ["contact_id"]);
    assert_eq!(fields(r#"{"attributes": {"Plan": "x"}}"#), ["attributes"]);
    for unreadable in ["[1]", "nonsense", "{", "\"text\""] {
        assert_eq!(line_of(unreadable).unwrap_err(), [(RejectionReason::Unreadable, String::new())]);
    }
    let canary = r#"{"emails": ["canary"], "canary@field": 1, "display_name": "can\u0000ary"}"#;
    let row = read_line(canary.as_bytes(), false).unwrap().unwrap();
    assert!(!format!("{row:?}").contains("canary"), "{row:?}");
    assert!(read_line(b"  ", false).is_none() && read_line(br#"{"type":"rejected"}"#, false).is_none());
}

// C10
#[test]
fn of_a_row_that_is_wrong_in_very_many_places_little_is_said() {
    let many = vec!["\"x,y\""; 100_000].join(",");
    let tags = format!(r#"{{"external_id": "e1", "tags": [{many}], "emails": [{many}], "lists": [{many}]}}"#);
    let fields = (0..20_000).map(|field| format!("\"f{field}\":1")).collect::<Vec<_>>().join(",");
    for line in [tags, format!("{{{fields}}}")] {
        let wrong = line_of(&line).unwrap_err();
        assert!((3..=20).contains(&wrong.len()), "{}", wrong.len());
    }
    let fields = line_of(&format!(r#"{{"external_id": "e1", "tags": [{many}]}}"#)).unwrap_err();
    assert_eq!(fields[0].1, "tags");
}

// C10
#[test]
fn empty_cells_say_nothing_unless_the_import_replaces() {
    let columns =
        Columns::of_header(&[b"external_id".to_vec(), b"company".to_vec(), b"tags".to_vec()]).unwrap();
    let row = |replace| {
        let cells = [b"e1".to_vec(), vec![], vec![]];
        match read_cells(&columns, &cells, replace).unwrap().unwrap() {
            Row::Contact(row) => *row,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((row(false).tags, row(true).tags), (None, Some(Default::default())));
    assert_ne!(row(false).fields, row(true).fields);
    let too_few = read_cells(&columns, &[b"e1".to_vec()], false).unwrap().unwrap_err();
    assert_eq!(too_few.reason, RejectionReason::Unreadable);
    assert!(read_cells(&columns, &[vec![], vec![], vec![]], false).is_none());
}

/// Texts that files tend to break: of every script and direction, with separators, quotes, formulas and spaces.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{1,12}",
        Just("\u{202b}محمد العربي\u{202c}".to_owned()),
        Just("👩🏽‍💻 Ana; \"Zoë\", =1+1".to_owned()),
        "[=+@;,'\\\\\" a-]{1,8}",
    ]
    .prop_filter("one line, not blank", |text| !proto::is_blank(text) && !text.chars().any(char::is_control))
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        text().prop_map(|text| Value::Text(Line::parse(&text).unwrap())),
        any::<f64>().prop_filter_map("finite", |number| Number::new(number).ok().map(Value::Number)),
        any::<bool>().prop_map(Value::Boolean),
        Just(Value::Date(Date::parse("2026-02-28").unwrap())),
    ]
}

fn contact() -> impl Strategy<Value = (Contact, Vec<ListName>)> {
    let names = (text(), proptest::option::of(text()), text());
    let addresses = proptest::collection::btree_set("[a-z=+-]{1,6}@[a-z]{1,6}\\.org", 0..3);
    let tag = text().prop_map(|text| text.replace(',', ".").trim_start().to_owned());
    let tags = proptest::collection::btree_set(tag.prop_filter("not empty", |tag| !tag.is_empty()), 0..4);
    let lists = proptest::collection::vec(text(), 0..3);
    let chat = proptest::option::of(text());
    (names, addresses, any::<bool>(), tags, lists, chat, value()).prop_map(
        |((display, company, external), emails, phone, tags, lists, chat, value)| {
            let line = |text: &str| Line::parse(text).unwrap();
            let profile = Profile {
                display_name: line(&display),
                company: line(&company.unwrap_or_default()),
                external_id: line(&external),
                emails: emails.iter().map(|email| Email::parse(email).unwrap()).collect(),
                phones: phone.then(|| Phone::parse("+4989123456").unwrap()).into_iter().collect(),
                language: line("pt-BR"),
                avatar_url: line("https://example.com/a?b=c,d;e"),
                ..Profile::default()
            };
            let identity = |address: String| Identity {
                channel: Channel::parse("chat").unwrap(),
                address,
                create_time: Timestamp::from_micros(0),
            };
            let contact = Contact {
                contact_id: ContactId::parse("01890a5d-ac96-774b-bcce-b302099a8057").unwrap(),
                version: 3,
                profile,
                tags: tags.iter().map(|tag| Tag::parse(tag).unwrap()).collect(),
                identities: chat.into_iter().map(identity).collect(),
                attributes: vec![Attribute { key: Key::parse("plan").unwrap(), value }],
                block: None,
                create_time: Timestamp::from_micros(1),
                update_time: Timestamp::from_micros(2),
            };
            (contact, lists.iter().filter_map(|name| ListName::parse(name).ok()).collect())
        },
    )
}

/// What a row that was read says, as a contact and the lists it is on.
fn contact_of(row: &ContactRow, like: &Contact) -> (Contact, Vec<ListName>) {
    let definition = crate::domain::Definition {
        key: Key::parse("plan").unwrap(),
        version: 1,
        display_name: Line::default(),
        description: Line::default(),
        value_type: like.attributes[0].value.value_type(),
        choices: Default::default(),
        archived: false,
        create_time: like.create_time,
        update_time: like.update_time,
    };
    let value = |(key, said): &(Key, crate::domain::transfer::Said)| Attribute {
        key: key.clone(),
        value: said.read(&definition).unwrap().unwrap(),
    };
    let identities = row.identities.iter().map(|address| Identity {
        channel: address.key().channel.clone(),
        address: address.written().to_owned(),
        create_time: Timestamp::from_micros(0),
    });
    let contact = Contact {
        contact_id: row.contact_id.unwrap_or(ContactId::from_uuid(Uuid::nil())),
        profile: row.profile.clone(),
        tags: row.tags.iter().flatten().cloned().collect(),
        identities: identities.collect(),
        attributes: row.attributes.iter().map(value).collect(),
        ..like.clone()
    };
    (contact, row.lists.clone().unwrap_or_default())
}

fn read_back(format: FileFormat, bytes: &[u8]) -> Vec<Result<Row, crate::domain::transfer::Rejection>> {
    let all = match format {
        FileFormat::Csv => csv(bytes, 11),
        FileFormat::JsonLines => records(Records::lines(Place::BEGINNING), bytes, 11),
    };
    let mut all = all.into_iter();
    let columns = match format {
        FileFormat::Csv => all.next().map(|header| match header.content {
            Content::Cells(cells) => Columns::of_header(&cells).unwrap(),
            other => panic!("{other:?}"),
        }),
        FileFormat::JsonLines => None,
    };
    all.filter_map(|record| match record.content {
        Content::Cells(cells) => read_cells(columns.as_ref().unwrap(), &cells, true),
        Content::Line(line) => read_line(&line, true),
        Content::Unreadable(why) => panic!("{why}"),
    })
    .collect()
}

proptest! {
    // C10 P13
    #[test]
    fn what_is_written_is_read_again(contacts in proptest::collection::vec(contact(), 1..4), raw_cells: bool) {
        let plan = [Key::parse("plan").unwrap()];
        for format in [FileFormat::Csv, FileFormat::JsonLines] {
            let writer = Writer::new(format, Columns::to_write(&[], &plan).unwrap(), raw_cells);
            let write = |contacts: &[(Contact, Vec<ListName>)]| {
                let mut bytes = Vec::new();
                writer.header(&mut bytes);
                contacts.iter().for_each(|(contact, lists)| writer.contact(contact, lists, &mut bytes));
                bytes
            };
            let written = write(&contacts);
            let rows = read_back(format, &written);
            prop_assert_eq!(rows.len(), contacts.len());
            let mut again = Vec::new();
            for (row, (contact, _)) in rows.into_iter().zip(&contacts) {
                match row {
                    Ok(Row::Contact(row)) => again.push(contact_of(&row, contact)),
                    other => prop_assert!(false, "{:?}", other),
                }
            }
            prop_assert_eq!(String::from_utf8(write(&again)).unwrap(), String::from_utf8(written).unwrap());
        }
    }

    // C10
    #[test]
    fn no_cell_that_is_written_runs(contact in contact()) {
        let writer = Writer::new(FileFormat::Csv, Columns::to_write(&[], &[]).unwrap(), false);
        let mut bytes = Vec::new();
        writer.contact(&contact.0, &contact.1, &mut bytes);
        for record in csv(&bytes, 1_000) {
            for cell in cells(&record) {
                prop_assert!(!cell.starts_with(['=', '+', '-', '@']), "{}", cell);
            }
        }
    }

    // C10 P13
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), text in "[\\{\\}\\[\\]\":,a-z0-9\"\n\r; ]{0,120}", piece in 1_usize..20) {
        let columns = Columns::of_header(&[b"emails".to_vec(), b"tags".to_vec()]).unwrap();
        for file in [bytes.as_slice(), text.as_bytes()] {
            let whole = csv(file, file.len() + 1);
            prop_assert_eq!(csv(file, piece), whole.clone(), "however the bytes are cut");
            let mut behind = usize::from(file.starts_with("\u{feff}".as_bytes())) * 3;
            for record in &whole {
                let (from, length) = (record.offset as usize, record.length as usize);
                prop_assert!(file[behind..from].iter().all(|byte| matches!(byte, b'\r' | b'\n')), "no byte is lost");
                behind = from + length;
            }
            prop_assert!(file[behind..].iter().all(|byte| matches!(byte, b'\r' | b'\n')));
            for record in whole {
                if let Content::Cells(cells) = &record.content {
                    let _ = (read_cells(&columns, cells, true), Columns::of_header(cells));
                }
            }
            for record in records(Records::lines(Place::BEGINNING), file, piece) {
                if let Content::Line(line) = &record.content {
                    let _ = read_line(line, false);
                }
            }
            guess_delimiter(file);
        }
    }
}
