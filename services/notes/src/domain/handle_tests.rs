//! N7: which names a text mentions.

use proptest::prelude::*;

use super::{LONGEST, MOST_HANDLES, handles_in};

fn names(text: &str) -> Vec<String> {
    handles_in(text).unwrap().iter().map(|handle| handle.as_str().to_owned()).collect()
}

#[test]
fn names_come_once_in_the_order_of_the_text_and_lowercase() {
    assert_eq!(names("@Bob please ask @ana, then @BOB again"), ["bob", "ana"]);
    assert_eq!(names("no names here"), [""; 0]);
    assert_eq!(names("@"), [""; 0]);
}

#[test]
fn punctuation_around_a_name_is_not_part_of_it() {
    for text in [
        "@ana.",
        "@ana,",
        "@ana!",
        "@ana?",
        "@ana:",
        "@ana;",
        "(@ana)",
        "[@ana]",
        "\"@ana\"",
        "@ana's",
        "@ana...",
        "@ana-",
        "*@ana*",
        "**@ana**",
        "_@ana_",
        "__@ana__",
        "> @ana",
        "- @ana",
        "# @ana",
        "…@ana…",
        "cc:@ana",
        "Done.@ana",
        "~~@ana~~",
    ] {
        assert_eq!(names(text), ["ana"], "{text}");
    }
    assert_eq!(names("@ana.maria @team_1 @night-shift @0x"), ["ana.maria", "team_1", "night-shift", "0x"]);
    assert_eq!(names("@ana/@bob,@cleo"), ["ana", "bob", "cleo"]);
}

#[test]
fn an_address_mentions_nobody() {
    for text in [
        "bob@example.com",
        "<bob@example.com>",
        "mailto:bob@example.com",
        "b.o_b@example.com",
        "bob+@example.com",
        "bob_@example.com",
        "Zoë@example.com",
        "@bob@example.com",
        "https://social.example/@bob",
        "(https://social.example/?by=@bob)",
        "[profile](https://social.example/@bob)",
    ] {
        assert_eq!(names(text), [""; 0], "{text}");
    }
    assert_eq!(names("@ana, see https://social.example/@bob @cleo"), ["ana", "cleo"]);
}

#[test]
fn an_escaped_or_doubled_sign_mentions_nobody() {
    assert_eq!(names(r"\@ana @@bob @ cleo @_dan"), [""; 0]);
}

#[test]
fn code_mentions_nobody() {
    assert_eq!(names("`@ana` and ``a ` @bob`` but @cleo"), ["cleo"]);
    assert_eq!(names("```\n@ana\n```\n@bob"), ["bob"]);
    assert_eq!(names("~~~ruby\n@ana = 1\n\n@x\n~~~\n@bob"), ["bob"]);
    assert_eq!(names("> ```\n> @ana\n> ```\n\n@bob"), ["bob"]);
    assert_eq!(names("- a\n  ```\n  @ana\n  ```\n- @bob"), ["bob"]);
    assert_eq!(names("text\n\n    @ana\n\n@bob"), ["bob"]);
    assert_eq!(names("```\n@ana in a fence that nobody closes"), [""; 0]);
    assert_eq!(names("a lone ` is no code: @ana"), ["ana"]);
    assert_eq!(names("@ana `code` @bob `@cleo` @dan"), ["ana", "bob", "dan"]);
}

#[test]
fn a_name_that_goes_on_in_letters_no_name_has_is_nobodys() {
    assert_eq!(names("@zoë @josé @ana\u{301} @иван @anaß"), [""; 0]);
    assert_eq!(names("请看@ana谢谢 @ボブ"), ["ana"]);
    assert_eq!(names("日本語@bobさん"), ["bob"]);
}

#[test]
fn a_name_longer_than_any_is_nobodys() {
    assert_eq!(names(&format!("@{}", "a".repeat(LONGEST))).len(), 1);
    assert_eq!(names(&format!("@{}", "a".repeat(LONGEST + 1))).len(), 0);
}

#[test]
fn the_fifty_first_name_is_one_too_many() {
    let text = |count: usize| (0..count).map(|n| format!("@a{n} @A{n} ")).collect::<String>();
    assert_eq!(names(&text(MOST_HANDLES)).len(), MOST_HANDLES);
    let refused = handles_in(&text(MOST_HANDLES + 1)).unwrap_err();
    assert_eq!(refused.field(), Some("body"));
}

#[test]
fn a_text_made_to_be_slow_is_read_in_one_pass() {
    let started = std::time::Instant::now();
    for text in ["@a/", "_@", "@", "`@", "`@`", "a@", "://@", "[@](", "> @a\n", "``` @\n", "-@", "*@a_"] {
        let _ = handles_in(&text.repeat(65_536 / text.len()));
    }
    // Far beyond what one pass takes on a machine that does much else, and a fraction of what one pass per sign would.
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
}

/// A piece of a text, and whom it mentions.
fn piece() -> impl Strategy<Value = (String, Option<String>)> {
    let name = "[a-zA-Z0-9]([a-zA-Z0-9._-]{0,8}[a-zA-Z0-9])?";
    let after = prop::sample::select(vec!["", ".", ",", "!", "?", ":", ")", "'s", "…", "...", "*"]);
    let mention =
        (name, after).prop_map(|(name, after)| (format!("@{name}{after}"), Some(name.to_lowercase())));
    let word = "[a-zA-Z]{1,8}[.,]?".prop_map(|word| (word, None));
    let email = (name, name).prop_map(|(local, host)| (format!("{local}@{host}.example"), None));
    let code = name.prop_map(|name| (format!("`@{name}`"), None));
    let link = name.prop_map(|name| (format!("https://social.example/@{name}"), None));
    prop_oneof![mention, word, email, code, link]
}

proptest! {
    #[test]
    fn whatever_is_written_around_them_the_mentions_are_found(pieces in prop::collection::vec(piece(), 0..40)) {
        let text: Vec<&str> = pieces.iter().map(|(text, _)| text.as_str()).collect();
        let mut expected: Vec<String> = Vec::new();
        for name in pieces.iter().filter_map(|(_, name)| name.clone()) {
            if !expected.contains(&name) { expected.push(name); }
        }
        prop_assert_eq!(names(&text.join(" ")), expected);
    }

    #[test]
    fn nothing_in_a_fence_is_found(lines in prop::collection::vec("[ @a-z.`]{0,20}", 0..10)) {
        let text = format!("~~~\n{}\n~~~\n", lines.join("\n"));
        prop_assert_eq!(names(&text), Vec::<String>::new());
    }

    #[test]
    fn no_text_makes_it_panic_and_every_name_is_a_name(text in "([ @`_*.\\\\>~-]|[a-c]|\n|é|\\PC){0,200}") {
        if let Ok(found) = handles_in(&text) {
            prop_assert!(found.len() <= MOST_HANDLES);
            for handle in &found {
                let name = handle.as_str();
                let sign = format!("@{name}");
                prop_assert!(text.to_ascii_lowercase().contains(&sign));
                prop_assert!(name.len() <= LONGEST && !name.ends_with(['.', '_', '-']) && !name.starts_with(['.', '_', '-']));
                prop_assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b)));
                prop_assert_eq!(found.iter().filter(|other| *other == handle).count(), 1);
            }
        }
    }
}
