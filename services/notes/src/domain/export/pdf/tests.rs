use proptest::prelude::*;

use super::blocks::{Block, markdown};
use super::setting::{BOX, Glyph, Run, TypeCase, lines, width_of};
use super::style::{Frame, Style, Tone};

fn set(text: &str) -> (TypeCase, Vec<Glyph>) {
    let mut type_case = TypeCase::new().unwrap();
    let glyphs = type_case.set(&[Run::new(text, Style::PLAIN)]);
    (type_case, glyphs)
}

fn told(block: &Block) -> String {
    block.runs.iter().map(|run| run.text.as_str()).collect()
}

/// The texts of the lines, at a size of 10.
fn broken(text: &str, width: f32) -> Vec<String> {
    let (_, glyphs) = set(text);
    // As long as each character is one glyph.
    let characters: Vec<char> = text.chars().collect();
    assert_eq!(characters.len(), glyphs.len());
    lines(&glyphs, 10.0, width).into_iter().map(|line| characters[line].iter().collect()).collect()
}

#[test]
fn lines_end_where_unicode_lets_them() {
    assert_eq!(broken("one two three", 40.0), ["one two", "three"]);
    assert_eq!(broken("keep 10\u{a0}kg together", 50.0), ["keep", "10\u{a0}kg", "together"]);
    assert_eq!(broken("well-known", 30.0), ["well-", "known"]);
    assert_eq!(broken("one\n\ntwo\n", 100.0), ["one", "", "two", ""]);
    assert_eq!(broken("  in, and white at the end   ", 400.0), ["  in, and white at the end"]);
}

#[test]
fn a_word_that_is_wider_than_a_line_goes_on_in_the_next_one() {
    let word = "x".repeat(50);
    let parts = broken(&format!("a {word} b"), 60.0);
    assert_eq!(parts.concat().replace([' ', 'a', 'b'], ""), word);
    assert!(parts.len() > 4, "{parts:?}");
}

#[test]
fn lines_end_alike_whichever_sign_does_it() {
    for end in ["\n", "\r\n", "\r", "\u{2028}", "\u{2029}", "\u{85}", "\u{b}", "\u{c}"] {
        let (_, glyphs) = set(&format!("one{end}two"));
        assert_eq!(lines(&glyphs, 10.0, 400.0).len(), 2, "{end:?}");
    }
}

#[test]
fn latin_cyrillic_greek_and_common_signs_are_shown() {
    for text in [
        "Grüße, Łódź, çà et là, İstanbul, Þórður, tiếng Việt, Māori, ẞ",
        "Съешь же ещё этих мягких французских булок; Київ, ї, ґ; Ђорђе",
        "Ταχίστη αλώπηξ · ἐν ἀρχῇ ἦν ὁ λόγος",
        "“quoted” – — … • € £ ₽ ₴ ¥ № § ° ± × ÷ ≤ ≥ ≠ → ← ✓ ✗ ☎ ★ ☺ ❤ 😀",
        "e\u{301} decomposed, o\u{308}\u{304} twice",
    ] {
        let (type_case, _) = set(text);
        assert_eq!(type_case.unshown(), 0, "{text}");
    }
}

#[test]
fn what_is_not_shown_is_one_box_for_each_character_that_people_see() {
    for (text, boxes) in [
        ("返金", 2),
        ("مرحبا", 5),
        ("שלום", 4),
        ("สวัสดี", 4),
        ("👍", 1),
        ("👍🏽", 1),
        ("👨‍👩‍👧‍👦", 1),
        ("🇧🇷", 1),
        ("a\u{0}b", 1),
        ("\u{e000}", 1),
    ] {
        let (mut type_case, glyphs) = set(text);
        assert_eq!(type_case.unshown(), boxes, "{text}");
        let boxed = type_case.set(&[Run::new(BOX, Style::PLAIN)])[0];
        let shown = glyphs.iter().filter(|glyph| glyph.cut == boxed.cut).count();
        assert_eq!(u64::try_from(shown).unwrap(), boxes, "{text}");
    }
    for (text, plain) in [("❤\u{fe0f}", "❤"), ("✌\u{1f3fd}", "✌")] {
        let (type_case, glyphs) = set(text);
        let (_, plain) = set(plain);
        assert_eq!(type_case.unshown(), 0, "{text}: another look is not another character");
        assert!((width_of(&glyphs, 10.0) - width_of(&plain, 10.0)).abs() < 0.01, "{text}");
    }
}

#[test]
fn signs_that_turn_the_direction_of_reading_are_left_out() {
    let (_, plain) = set("invoice.exe");
    let (type_case, turned) = set("invoice\u{202e}\u{2066}.exe\u{2069}\u{200f}");
    assert_eq!((turned, type_case.unshown()), (plain, 0));
}

#[test]
fn one_line_is_shortened_to_its_width() {
    let mut type_case = TypeCase::new().unwrap();
    let long = [Run::new("word ".repeat(100), Style::PLAIN)];
    let glyphs = type_case.one_line(&long, 8.0, 200.0);
    assert!(width_of(&glyphs, 8.0) <= 200.0 && glyphs.len() > 20);
    assert!(type_case.one_line(&[Run::new("", Style::PLAIN)], 8.0, 200.0).is_empty());
}

proptest! {
    #[test]
    fn lines_hold_every_glyph_in_its_order_and_none_is_too_wide(
        text in "([a-zà-ÿа-яα-ω]{1,40}[ -]{0,3}|[\\n\\t .,]|[\u{1f600}-\u{1f64f}]|\\PC){0,60}",
        width in 12.0f32..300.0,
    ) {
        let (_, glyphs) = set(&text);
        let mut at = 0;
        for line in lines(&glyphs, 9.5, width) {
            // What is between two lines is white.
            prop_assert!(line.start >= at && line.end <= glyphs.len());
            let between = &glyphs[at..line.start];
            prop_assert!(between.iter().all(|glyph| glyph.is_white()));
            let wide = width_of(&glyphs[line.clone()], 9.5);
            prop_assert!(wide <= width + 0.01 || line.len() == 1 || glyphs[line.clone()].iter().all(|glyph| glyph.is_joined()), "{wide} of {width}");
            at = line.end;
        }
        prop_assert!(glyphs[at..].iter().all(|glyph| glyph.is_white()));
    }
}

#[test]
fn markdown_is_shown_by_its_structure() {
    let text = "# Refund\n\nAsk for the **booking code**,\nplease.\n\n1. first\n2. second\n   - inner\n\n> quoted\n\n    code <b>\n";
    let blocks = markdown(text);
    let shape: Vec<(String, u8, u8, bool)> =
        blocks.iter().map(|block| (told(block), block.depth, block.quotes, block.code)).collect();
    let text = |text: &str| text.to_owned();
    assert_eq!(
        shape,
        [
            (text("Refund"), 0, 0, false),
            (text("Ask for the booking code, please."), 0, 0, false),
            (text("first"), 1, 0, false),
            (text("second"), 1, 0, false),
            (text("inner"), 2, 0, false),
            (text("quoted"), 1, 1, false),
            (text("code <b>"), 1, 0, true),
        ]
    );
    let markers: Vec<String> =
        blocks.iter().flat_map(|block| &block.marker).map(|run| run.text.clone()).collect();
    assert_eq!(markers, ["1.", "2.", "•"]);
    assert!(blocks[0].runs[0].style.bold && blocks[1].runs[1].style.bold && !blocks[1].runs[2].style.bold);
}

// faults.md 29
#[test]
fn nothing_that_markdown_can_hide_stays_hidden() {
    for (text, shown) in [
        ("[our bank](https://evil.example)", "our bank (https://evil.example)"),
        ("[*our* **bank**](https://evil.example)", "our bank (https://evil.example)"),
        ("<https://same.example>", "https://same.example"),
        ("<bob@example.com>", "bob@example.com"),
        ("![logo](https://evil.example/pixel.png)", "[image] logo (https://evil.example/pixel.png)"),
        ("[x](javascript:alert(1))", "x (javascript:alert(1))"),
        ("a <script>alert(1)</script> b", "a <script>alert(1)</script> b"),
        ("<div hidden>secret</div>", "<div hidden>secret</div>"),
        ("<!-- comment -->", "<!-- comment -->"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "| a | b | |---|---| | 1 | 2 |"),
        ("`code` and ~~not~~", "`code` and ~~not~~"),
    ] {
        let blocks = markdown(text);
        assert_eq!(blocks.iter().map(told).collect::<Vec<_>>(), [shown], "{text}");
    }
}

#[test]
fn deep_nesting_and_many_links_cost_no_more_than_their_text() {
    let deep = format!("{}text", ">".repeat(20_000));
    assert!(markdown(&deep).iter().all(|block| block.depth <= 8));
    let lists = "- ".repeat(10_000) + "text";
    assert!(markdown(&lists).iter().all(|block| block.depth <= 8));
    let links = "[a](b)".repeat(10_000);
    assert_eq!(told(&markdown(&links)[0]).len(), 50_000);
    let styles = "**a** *b* ".repeat(6_000);
    assert_eq!(told(&markdown(&styles)[0]).len(), 6_000 * 4 - 1);
}

#[test]
fn what_is_internal_is_told_by_words_and_not_by_colour_alone() {
    let frames = [Frame::Note, Frame::InternalMessage, Frame::Event];
    for frame in frames {
        assert!(frame.label().starts_with("INTERNAL "));
        assert_ne!(frame.fill(), frame.bar());
        assert_ne!(Tone::On(frame).colour(), Tone::Ink.colour());
    }
}
