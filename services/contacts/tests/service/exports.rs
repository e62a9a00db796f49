//! Contacts go to files, and come back (C10, P13).

use kernel::Role;
use proto::contacts::v1::attribute_value::Value;
use proto::contacts::v1::*;
use testkit::{Suite, on_both_databases};
use tonic::Code;

use crate::desk::{agent, attributes, broken_fields, create, define, lists, named, set, suite, texts, value};
use crate::files::{TIMELESS, admin, csv, export, export_of, import, json_lines};

const CSV: ContactFileFormat = ContactFileFormat::Csv;
const JSON: ContactFileFormat = ContactFileFormat::JsonLines;

/// An organization with what files tend to break; one attribute is archived.
async fn filled(suite: &Suite) {
    let (mut ana, mut admin) = (agent(suite), attributes(suite));
    define(&mut admin, "plan", AttributeType::Choice).await.unwrap();
    for (key, of) in [
        ("score", AttributeType::Number),
        ("vip", AttributeType::Boolean),
        ("since", AttributeType::Date),
        ("site", AttributeType::Link),
        ("motto", AttributeType::Text),
    ] {
        define(&mut admin, key, of).await.unwrap();
    }
    let fair = CreateListRequest {
        display_name: "Fair; \"2026\", שָׁלוֹם".into(),
        description: "=1+1".into(),
        ..Default::default()
    };
    let fair = lists(suite).create_list(fair).await.unwrap().into_inner().list.unwrap();
    let names = [
        "Zoë Ångström",
        "محمد العربي",
        "\u{202e}שָׁלוֹם\u{202c}",
        "山田 太郎",
        "👩🏽‍💻 Ana",
        "=cmd|' /C calc'!A0",
        " leading, \"quoted\"; and \\ more ",
        "'apostrophe",
        "-1",
    ];
    for (index, name) in names.iter().enumerate() {
        let profile = ContactProfile {
            emails: vec![format!("+p{index}@example.com"), format!("q{index}@example.com")],
            phones: vec![format!("+49891234{index:03}")],
            external_id: format!("@{index}"),
            company: "Acme; \"Söhne\" & Co, KG".into(),
            language: "pt-BR".into(),
            time_zone: "America/Sao_Paulo".into(),
            default_channel: "chat".into(),
            avatar_url: "https://example.com/a?b=c,d;e".into(),
            ..named(name)
        };
        let contact = create(&mut ana, profile).await.unwrap();
        let tags = TagContactRequest {
            contact_id: contact.contact_id.clone(),
            add: texts(&["vip; sehr", "=tag", "ünïcode 🎉 "]),
            remove: vec![],
        };
        ana.tag_contact(tags).await.unwrap();
        let values = vec![
            value("plan", Value::Choice("gold".into())),
            value("score", Value::Number(0.1 + index as f64 / 3.0)),
            value("vip", Value::Boolean(index % 2 == 0)),
            value("since", Value::Date("2026-02-28".into())),
            value("site", Value::Link("https://example.com/ü".into())),
            value("motto", Value::Text(format!("-{name}"))),
        ];
        set(&mut admin, &contact, values).await.unwrap();
        if index % 2 == 0 {
            let add = AddListMembersRequest {
                list_id: fair.list_id.clone(),
                contact_ids: vec![contact.contact_id],
            };
            lists(suite).add_list_members(add).await.unwrap();
        }
    }
    crate::desk::resolve(&mut ana, "chat", "visitor; \u{1F600} \\").await.unwrap();
    let archive =
        UpdateAttributeDefinitionRequest { key: "motto".into(), archived: true, ..Default::default() };
    admin.update_attribute_definition(archive).await.unwrap();
}

on_both_databases! {
    // C10 P13
    async fn an_organization_goes_out_and_comes_in_byte_for_byte(engine) {
        let suite = suite(engine).await;
        filled(&suite).await;
        let out = export(admin(&suite, "acme"), export_of(JSON, &TIMELESS)).await.unwrap();
        assert_eq!(out.contacts, Some(10));
        let told = import(admin(&suite, "empty"), json_lines(), &out.text()).await.unwrap();
        // Six definitions, a list and ten contacts; the last line archives one of the definitions.
        assert_eq!((told.counted(), told.rejected), ([17, 1, 0, 0], vec![]));
        let back = export(admin(&suite, "empty"), export_of(JSON, &TIMELESS)).await.unwrap();
        assert_eq!(back.text(), out.text());
        // Where it came from, it changes nothing.
        let told = import(admin(&suite, "acme"), json_lines(), &out.text()).await.unwrap();
        assert_eq!(told.counted(), [0, 0, 18, 0]);
        let replace = ContactImportStart { replace: true, ..json_lines() };
        assert_eq!(import(admin(&suite, "acme"), replace, &out.text()).await.unwrap().counted(), [0, 0, 18, 0]);

        for raw_cells in [false, true] {
            let request = ExportContactsRequest { raw_cells, ..export_of(CSV, &TIMELESS) };
            let out = export(admin(&suite, "acme"), request.clone()).await.unwrap().text();
            let formulas = out.lines().flat_map(|line| line.split(',')).any(|cell| cell.trim_matches('"').starts_with('='));
            assert_eq!(formulas, raw_cells, "{out}");
            let org = format!("csv-{raw_cells}");
            let definitions: String = back.text().lines().filter(|line| line.contains("attribute_definition") && !line.contains(r#""archived":true"#))
                .map(|line| format!("{line}\n")).collect();
            import(admin(&suite, &org), json_lines(), &definitions).await.unwrap();
            assert_eq!(import(admin(&suite, &org), csv(), &out).await.unwrap().counted(), [10, 0, 0, 0]);
            assert_eq!(export(admin(&suite, &org), request).await.unwrap().text(), out);
        }
    }

    // C10
    async fn only_the_columns_and_contacts_that_are_asked_for_leave(engine) {
        let suite = suite(engine).await;
        let file = "external_id,display_name,emails,tags,lists\ne1,Zoë,a@x.org,vip,Fair\ne2,Ben,b@x.org,vip,\ne3,Cem,,,Fair\n";
        import(admin(&suite, "acme"), csv(), file).await.unwrap();
        let text = async |request: ExportContactsRequest| export(admin(&suite, "acme"), request).await.unwrap().text();
        let columns = ["tags", "external_id"];
        assert_eq!(text(export_of(CSV, &columns)).await, "tags,external_id\r\nvip,e1\r\nvip,e2\r\n,e3\r\n");
        let tagged = ExportContactsRequest { tag: "vip".into(), ..export_of(CSV, &["external_id"]) };
        assert_eq!(text(tagged.clone()).await, "external_id\r\ne1\r\ne2\r\n");
        let list_id = lists(&suite).list_lists(ListListsRequest::default()).await.unwrap().into_inner().lists[0].list_id.clone();
        let listed = ExportContactsRequest { list_id: list_id.clone(), ..export_of(CSV, &["external_id"]) };
        assert_eq!(text(listed.clone()).await, "external_id\r\ne1\r\ne3\r\n");
        let both = ExportContactsRequest { tag: "vip".into(), ..listed.clone() };
        assert_eq!(text(both).await, "external_id\r\ne1\r\n");
        assert_eq!(text(export_of(JSON, &["external_id"])).await.lines().next().unwrap(), r#"{"type":"contact","external_id":"e1"}"#);
        let all = text(export_of(CSV, &[])).await;
        assert!(all.starts_with("contact_id,external_id,") && all.lines().next().unwrap().ends_with("create_time,update_time"));
        let refused = export(admin(&suite, "acme"), export_of(CSV, &["external_id", "shoe_size"])).await.unwrap_err();
        assert_eq!(broken_fields(&refused), ["columns"]);
        let foreign = export(admin(&suite, "rival"), listed).await.unwrap_err();
        assert_eq!(foreign.code(), Code::NotFound);
        assert_eq!(export(admin(&suite, "rival"), export_of(CSV, &["external_id"])).await.unwrap().text(), "external_id\r\n");
    }

    // C10 P14
    async fn an_export_that_was_cut_goes_on_behind_any_piece(engine) {
        let suite = suite(engine).await;
        let rows: String = (0..1_000).map(|row| format!("e{row},{}\n", "long ".repeat(30))).collect();
        import(admin(&suite, "acme"), csv(), &format!("external_id,display_name\n{rows}")).await.unwrap();
        for format in [CSV, JSON] {
            let whole = export(admin(&suite, "acme"), export_of(format, &[])).await.unwrap();
            assert!(whole.pieces.len() > 5 && whole.contacts == Some(1_000));
            for cut in [0, 1, whole.pieces.len() / 2, whole.pieces.len() - 1] {
                let (before, token) = (&whole.pieces[..=cut], whole.pieces[cut].1.clone());
                let rest = ExportContactsRequest { resume_token: token, ..export_of(format, &[]) };
                let rest = export(admin(&suite, "acme"), rest).await.unwrap();
                let bytes: Vec<u8> = before.iter().flat_map(|(bytes, _)| bytes.clone()).collect();
                assert_eq!(String::from_utf8(bytes).unwrap() + &rest.text(), whole.text());
                assert_eq!(rest.contacts, Some(1_000));
            }
            let token = whole.pieces[0].1.clone();
            let other = ExportContactsRequest { resume_token: token.clone(), ..export_of(format, &["external_id"]) };
            assert_eq!(broken_fields(&export(admin(&suite, "acme"), other).await.unwrap_err()), ["resume_token"]);
            let foreign = ExportContactsRequest { resume_token: token, ..export_of(format, &[]) };
            assert_eq!(export(admin(&suite, "rival"), foreign).await.unwrap_err().code(), Code::InvalidArgument);
        }
    }

    // C10 P10
    async fn what_leaves_is_in_the_audit_trail_and_only_some_may(engine) {
        let suite = suite(engine).await;
        for role in [Role::Contact, Role::Agent, Role::Integration] {
            let refused = export(suite.client("acme", "x", role), export_of(CSV, &[])).await.unwrap_err();
            assert_eq!(refused.code(), Code::PermissionDenied, "{role}");
        }
        let sue = suite.client("acme", "sue", Role::Supervisor);
        let opened = export(sue, export_of(CSV, &["emails"])).await.unwrap().opened;
        let again = ExportContactsRequest { resume_token: opened, ..export_of(CSV, &["emails"]) };
        export(admin(&suite, "acme"), again).await.unwrap();
        let mut trail = admin_service_client::AdminServiceClient::new(admin(&suite, "acme"));
        let mut events = trail.list_audit_events(ListAuditEventsRequest::default()).await.unwrap().into_inner().events;
        events.reverse();
        let seen: Vec<_> = events.iter().map(|event| (event.action.as_str(), event.actor_subject.as_str())).collect();
        assert_eq!(seen, [("contact_export.begin", "sue"), ("contact_export.resume", "root")]);
        assert_eq!(events[0].object_id, events[1].object_id);
    }
}
