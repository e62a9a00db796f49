//! What templates accept, and what comes of them.

use proptest::prelude::*;

use super::{Field, TemplateText, Unfilled, Value, template_name};

fn field(key: &str, required: bool) -> Field {
    Field { key: key.to_owned(), label: String::new(), required }
}

fn value(key: &str, value: &str) -> Value {
    Value { key: key.to_owned(), value: value.to_owned() }
}

fn handover() -> TemplateText {
    let body = "**Summary**: {{summary}}\n{{ steps }}\nagain {{summary}}, {{extra}}.";
    let fields = vec![field("summary", true), field("steps", true), field("extra", false)];
    TemplateText::parse(body.to_owned(), fields).unwrap()
}

// N13
#[test]
fn values_go_where_their_keys_are_and_optional_ones_may_be_missing() {
    let filled =
        handover().fill(&[value("steps", "- called"), value("summary", "{{steps}} `x` & <b>")]).unwrap();
    let expected = "**Summary**: {{steps}} `x` & <b>\n- called\nagain {{steps}} `x` & <b>, .";
    assert_eq!(filled.as_str(), expected, "a value is never taken for a placeholder");
}

// N13
#[test]
fn every_required_field_that_is_missing_is_named() {
    let missing = |values: &[Value]| match handover().fill(values) {
        Err(Unfilled::Missing(keys)) => keys,
        other => panic!("{other:?}"),
    };
    assert_eq!(missing(&[]), ["summary", "steps"]);
    assert_eq!(missing(&[value("steps", " \n\t"), value("summary", "x")]), ["steps"], "spaces are no value");
}

// N13
#[test]
fn a_value_for_no_field_and_a_second_one_are_named() {
    for (values, place) in [
        (vec![value("summary", "x"), value("stpes", "y")], "template.values[1].key"),
        (vec![value("summary", "x"), value("steps", "y"), value("summary", "z")], "template.values[2].key"),
    ] {
        let Err(Unfilled::Misfit(misfit)) = handover().fill(&values) else { panic!() };
        assert_eq!(misfit.field, place);
    }
}

// N13
#[test]
fn a_text_and_its_fields_must_fit_each_other() {
    let refused =
        |body: &str, fields: Vec<Field>| TemplateText::parse(body.to_owned(), fields).unwrap_err().field;
    assert_eq!(refused("{{a}} {{b}}", vec![field("a", true)]), "body");
    assert_eq!(refused("{{A}}", vec![]), "body");
    assert_eq!(refused("{{a}}", vec![field("a", true), field("b", false)]), "fields[1].key");
    assert_eq!(refused("{{a}}", vec![field("a", true), field("a", false)]), "fields[1].key");
    assert_eq!(refused("{{1a}}", vec![field("1a", true)]), "fields[0].key");
    assert_eq!(refused("", vec![]), "body");
    assert_eq!(refused(" \n ", vec![]), "body");
    assert_eq!(refused(&"x".repeat(8193), vec![]), "body");
    assert_eq!(refused("a\0b", vec![]), "body");
    let many = (0..21).map(|n| field(&format!("f{n}"), false)).collect();
    assert_eq!(refused("x", many), "fields");
    let label = Field { label: "two\nlines".to_owned(), ..field("a", true) };
    assert_eq!(refused("{{a}}", vec![label]), "fields[0].label");
    assert!(TemplateText::parse("plain {{ text\n}} {".to_owned(), vec![]).is_ok(), "no placeholder in it");
}

// N13
#[test]
fn a_text_that_becomes_too_long_is_refused_and_not_built() {
    let text = TemplateText::parse("{{a}}".repeat(1_600), vec![field("a", true)]).unwrap();
    let Err(Unfilled::Malformed(malformed)) = text.fill(&[value("a", &"x".repeat(65_536))]) else { panic!() };
    assert_eq!(malformed.field(), Some("body"));
}

// N13
#[test]
fn a_name_is_one_line_without_space_around() {
    assert!(template_name("Übergabe 🚚".to_owned()).is_ok() && template_name("x".repeat(80)).is_ok());
    for name in ["", " a", "a ", "a\nb", "a\0b", &"x".repeat(81)] {
        assert_eq!(template_name(name.to_owned()).unwrap_err().field(), Some("name"), "{name:?}");
    }
}

// N13
#[test]
fn nothing_filled_in_and_nothing_around_it_makes_no_note() {
    let text = TemplateText::parse(" {{a}}\n".to_owned(), vec![field("a", false)]).unwrap();
    for values in [vec![], vec![value("a", " \n ")]] {
        let Err(Unfilled::Malformed(malformed)) = text.fill(&values) else {
            panic!("{} values make a note", values.len())
        };
        assert_eq!(malformed.field(), Some("template.values"));
    }
    assert_eq!(text.fill(&[value("a", "x")]).unwrap().as_str(), " x\n");
}

proptest! {
    // N13
    #[test]
    fn any_text_is_refused_or_comes_back_as_it_was(body in "[a{} \n]{1,60}", fields in prop::bool::ANY) {
        let fields = if fields { vec![field("a", true)] } else { vec![] };
        if let Ok(text) = TemplateText::parse(body.clone(), fields.clone()) {
            let values: Vec<Value> = fields.iter().map(|field| value(&field.key, "{{a}}")).collect();
            let filled = text.fill(&values).unwrap();
            let tight = |text: &str| text.replace([' ', '\n'], "");
            prop_assert_eq!(tight(filled.as_str()), tight(&body));
        }
    }
}
