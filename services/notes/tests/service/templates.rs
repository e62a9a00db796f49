//! Notes made from templates.

use kernel::Role;
use proto::common::v1::ErrorReason;
use proto::notes::v1::*;
use tonic::Code;

use crate::world::{World, metadata, refusal, request_id, violated};

fn field(key: &str, required: bool) -> NoteTemplateField {
    NoteTemplateField { key: key.to_owned(), label: format!("The {key}"), required }
}

fn refund(name: &str) -> CreateNoteTemplateRequest {
    CreateNoteTemplateRequest {
        name: name.to_owned(),
        body: "**Refund** of {{amount}}, because {{reason}}.\n\n{{comment}}".to_owned(),
        fields: vec![field("amount", true), field("reason", true), field("comment", false)],
        request_id: String::new(),
    }
}

fn filling(template: &NoteTemplate, values: &[(&str, &str)]) -> Option<NoteTemplateFilling> {
    let value = |(key, value): &(&str, &str)| NoteTemplateValue {
        key: (*key).to_owned(),
        value: (*value).to_owned(),
    };
    let values = values.iter().map(value).collect();
    Some(NoteTemplateFilling { note_template_id: template.note_template_id.clone(), values })
}

impl World {
    async fn template(&self, name: &str) -> NoteTemplate {
        let mut templates = self.templates("eve", Role::Supervisor);
        templates.create_note_template(refund(name)).await.unwrap().into_inner().note_template.unwrap()
    }
}

testkit::on_both_databases! {
    // N13
    async fn a_template_that_is_filled_in_becomes_the_markdown_of_a_note(engine) {
        let world = World::on(engine).await;
        world.peers.agent("bob");
        let template = world.template("Refund").await;
        let values = [("reason", "{{amount}} is `wrong`, asks @bob"), ("amount", "12 €")];
        let request = CreateNoteRequest { template: filling(&template, &values), ..world.note("") };
        let note = world.agent("ana").create_note(request).await.unwrap().into_inner().note.unwrap();
        assert_eq!(note.body, "**Refund** of 12 €, because {{amount}} is `wrong`, asks @bob.\n\n");
        assert_eq!(note.mentions[0].outcome(), MentionOutcome::Notified, "a value can mention people");
        assert_eq!(world.all().await, [note]);
        let request = CreateContactNoteRequest {
            template: filling(&template, &[("amount", "1"), ("reason", "two"), ("comment", "three")]),
            ..world.contact_note("")
        };
        let mut notes = world.contact_notes("sub-ana", Role::Agent);
        let note = notes.create_contact_note(request).await.unwrap().into_inner().note.unwrap();
        assert_eq!(note.body, "**Refund** of 1, because two.\n\nthree");
    }

    // N13
    async fn a_note_without_required_fields_is_refused_and_each_is_named(engine) {
        let world = World::on(engine).await;
        let template = world.template("Refund").await;
        let mut ana = world.agent("ana");
        for (values, missing) in [
            (vec![("comment", "why not")], "amount,reason"),
            (vec![("amount", "1"), ("reason", " \n ")], "reason"),
        ] {
            let request = CreateNoteRequest { template: filling(&template, &values), ..world.note("") };
            let (code, reason, status) = refusal(ana.create_note(request).await);
            assert_eq!((code, reason), (Code::InvalidArgument, Some(ErrorReason::TemplateFieldMissing)));
            assert_eq!(metadata(&status, "fields").as_deref(), Some(missing));
            let named: Vec<_> = missing.split(',').map(|key| format!("template.values[{key}]")).collect();
            assert_eq!(violated(&status), named);
        }
        for (values, place) in [
            (vec![("amount", "1"), ("reason", "2"), ("raeson", "3")], "template.values[2].key"),
            (vec![("amount", "1"), ("reason", "2"), ("amount", "3")], "template.values[2].key"),
        ] {
            let request = CreateNoteRequest { template: filling(&template, &values), ..world.note("") };
            let (code, reason, status) = refusal(ana.create_note(request).await);
            assert_eq!((code, reason), (Code::InvalidArgument, Some(ErrorReason::InvalidField)));
            assert_eq!(violated(&status), [place]);
        }
        let both = CreateNoteRequest { template: filling(&template, &[("amount", "1"), ("reason", "2")]), ..world.note("text") };
        let (_, _, status) = refusal(ana.create_note(both).await);
        assert_eq!(violated(&status), ["body"]);
        let long = "x".repeat(40_000);
        let request = CreateNoteRequest { template: filling(&template, &[("amount", &long), ("reason", &long)]), ..world.note("") };
        let (_, _, status) = refusal(ana.create_note(request).await);
        assert_eq!(violated(&status), ["body"], "what comes of it is a note's text, with its limits");
        assert!(world.all().await.is_empty());
    }

    // N13, P5
    async fn a_retry_has_the_first_text_also_after_the_template_changed_or_is_gone(engine) {
        let world = World::on(engine).await;
        let template = world.template("Refund").await;
        let mut ana = world.agent("ana");
        let request = CreateNoteRequest {
            template: filling(&template, &[("amount", "1"), ("reason", "2")]),
            request_id: request_id(),
            ..world.note("")
        };
        let first = ana.create_note(request.clone()).await.unwrap().into_inner();
        let mut eve = world.templates("eve", Role::Supervisor);
        let id = template.note_template_id.clone();
        let change = UpdateNoteTemplateRequest { note_template_id: id.clone(), body: "{{amount}} {{reason}} {{comment}}".to_owned(), ..Default::default() };
        eve.update_note_template(change).await.unwrap();
        assert_eq!(ana.create_note(request.clone()).await.unwrap().into_inner(), first);
        eve.delete_note_template(DeleteNoteTemplateRequest { note_template_id: id, ..Default::default() }).await.unwrap();
        assert_eq!(ana.create_note(request.clone()).await.unwrap().into_inner(), first);
        assert_eq!(world.all().await, [first.note.unwrap()], "the note stays as it was made");
        let new = CreateNoteRequest { request_id: request_id(), ..request };
        let (code, _, status) = refusal(ana.create_note(new).await);
        assert_eq!(code, Code::NotFound);
        assert_eq!(metadata(&status, "field").as_deref(), Some("template.note_template_id"));
    }

    // N13, P5, P6
    async fn supervisors_and_admins_keep_templates(engine) {
        let world = World::on(engine).await;
        let mut eve = world.templates("eve", Role::Supervisor);
        let request = CreateNoteTemplateRequest { request_id: request_id(), ..refund("Refund") };
        let made = eve.create_note_template(request.clone()).await.unwrap().into_inner();
        assert_eq!(eve.create_note_template(request).await.unwrap().into_inner(), made);
        let template = made.note_template.unwrap();
        let id = template.note_template_id.clone();
        let get = GetNoteTemplateRequest { note_template_id: id.clone() };
        let mut ana = world.templates("sub-ana", Role::Agent);
        assert_eq!(ana.get_note_template(get.clone()).await.unwrap().into_inner().note_template.unwrap(), template);

        let (code, reason, status) = refusal(eve.create_note_template(refund("Refund")).await);
        assert_eq!((code, reason), (Code::AlreadyExists, Some(ErrorReason::AlreadyExists)));
        assert_eq!(metadata(&status, "field").as_deref(), Some("name"));
        world.template("Another").await;
        let rename = |name: &str| UpdateNoteTemplateRequest {
            note_template_id: id.clone(),
            name: name.to_owned(),
            etag: template.etag.clone(),
            ..Default::default()
        };
        let (_, reason, _) = refusal(eve.update_note_template(rename("Another")).await);
        assert_eq!(reason, Some(ErrorReason::AlreadyExists));
        let renamed = eve.update_note_template(rename("Money back")).await.unwrap().into_inner().note_template.unwrap();
        assert_eq!((renamed.name.as_str(), &renamed.fields), ("Money back", &template.fields));
        let (code, reason, _) = refusal(eve.update_note_template(rename("Lost?")).await);
        assert_eq!((code, reason), (Code::Aborted, Some(ErrorReason::StaleEtag)));
        let misfit = UpdateNoteTemplateRequest { note_template_id: id.clone(), fields: vec![field("amount", true)], ..Default::default() };
        let (_, _, status) = refusal(eve.update_note_template(misfit).await);
        assert_eq!(violated(&status), ["body"], "the text still asks for the other fields");
        let masked = UpdateNoteTemplateRequest {
            note_template_id: id.clone(),
            update_mask: Some(prost_types::FieldMask { paths: vec!["etag".to_owned()] }),
            ..Default::default()
        };
        let (_, reason, _) = refusal(eve.update_note_template(masked).await);
        assert_eq!(reason, Some(ErrorReason::UnknownUpdatePath));
        let plain = UpdateNoteTemplateRequest {
            note_template_id: id.clone(),
            body: "no fields any more".to_owned(),
            update_mask: Some(prost_types::FieldMask { paths: vec!["body".to_owned(), "fields".to_owned()] }),
            ..Default::default()
        };
        let plain = eve.update_note_template(plain).await.unwrap().into_inner().note_template.unwrap();
        assert_eq!((plain.fields.len(), plain.name.as_str()), (0, "Money back"));

        for (code, reason, _) in [
            refusal(ana.create_note_template(refund("Mine")).await.map(|_| tonic::Response::new(()))),
            refusal(ana.update_note_template(rename("Mine")).await.map(|_| tonic::Response::new(()))),
            refusal(ana.delete_note_template(DeleteNoteTemplateRequest { note_template_id: id.clone(), ..Default::default() }).await.map(|_| tonic::Response::new(()))),
        ] {
            assert_eq!((code, reason), (Code::PermissionDenied, Some(ErrorReason::RoleNotAllowed)));
        }
        let delete = DeleteNoteTemplateRequest { note_template_id: id, etag: plain.etag, request_id: request_id() };
        eve.delete_note_template(delete.clone()).await.unwrap();
        eve.delete_note_template(delete).await.unwrap();
        assert_eq!(refusal(ana.get_note_template(get).await).0, Code::NotFound);
    }

    // N13, P7
    async fn templates_are_listed_by_name_page_by_page(engine) {
        let world = World::on(engine).await;
        for name in ["Öffnung", "a", "Zoll", "B"] { world.template(name).await; }
        let mut ana = world.templates("sub-ana", Role::Agent);
        let (mut names, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = ListNoteTemplatesRequest { page_size: 3, page_token };
            let answer = ana.list_note_templates(request).await.unwrap().into_inner();
            names.extend(answer.note_templates.into_iter().map(|template| template.name));
            page_token = answer.next_page_token;
            if page_token.is_empty() { break }
        }
        assert_eq!(names, ["B", "Zoll", "a", "Öffnung"], "the same on both databases");
    }

    // N13, P1
    async fn a_foreign_template_is_answered_as_one_that_never_existed(engine) {
        let world = World::on(engine).await;
        let ours = world.template("Refund").await;
        let absent = NoteTemplate { note_template_id: request_id(), ..ours.clone() };
        let mut globex = world.foreigner("globex", "sub-ana", Role::Admin);
        let theirs = world.peers.conversation("globex");
        let mut answers = Vec::new();
        for template in [&ours, &absent] {
            let template = filling(template, &[("amount", "1"), ("reason", "2")]);
            let request = CreateNoteRequest { conversation_id: theirs.clone(), template, ..world.note("") };
            let (code, _, status) = refusal(globex.create_note(request).await);
            assert_eq!(code, Code::NotFound);
            answers.push((status.message().to_owned(), status.details().to_vec()));
        }
        assert_eq!(answers[0], answers[1]);
    }
}
