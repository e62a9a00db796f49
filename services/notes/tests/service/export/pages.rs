//! How a PDF looks to who reads it.

use notes::domain::export::history::{Entry, Happening};
use notes::domain::export::pdf::{self, Pdf};
use notes::domain::export::{Heading, Profile};
use proptest::prelude::*;
use testkit::PdfText;

use super::story::{admitted, answered, customer_said, edition, happened, heading, note, written};

fn rendered(heading: &Heading, entries: &[Entry]) -> Pdf {
    pdf::render(heading, entries, &edition(Profile::Full)).unwrap()
}

fn read(entries: &[Entry]) -> (Pdf, PdfText) {
    let pdf = rendered(&heading(), entries);
    let text = PdfText::of(&pdf.bytes);
    (pdf, text)
}

/// The text without where its lines end.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

// N11
#[test]
fn the_first_page_says_which_conversation_it_is_with_whom_and_what_the_file_holds() {
    let (_, text) = read(&admitted(Profile::Full));
    let page = flat(&text.pages[0]);
    for said in [
        "Where is my boarding pass?",
        "INTERNAL CONTENT: do not pass this file on to the customer",
        "01890a5d-ac96-774b-bcce-b302099a8057",
        "chat, from airline",
        "chat-4711",
        "Maria da Silva",
        "Ana Souza, marker-noter",
        "22 November 2026, 11:03:22 (UTC-03:00)",
        "America/Sao_Paulo",
        "messages, and internal notes, messages and events",
        "urgent",
        "marker-tag",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    let (safe, _) = written(Profile::CustomerSafe);
    let page = flat(&PdfText::of(&safe.bytes).pages[0]);
    assert!(page.contains("what the customer wrote or could see"), "{page}");
}

// N11
#[test]
fn everything_is_told_in_its_order_with_its_label_and_the_time_in_the_zone() {
    let (_, text) = read(&admitted(Profile::Full));
    let text = flat(&text.text());
    let mut from = 0;
    for said in [
        "22 November 2026",
        "Maria da Silva customer 11:03:22 I lost my boarding pass",
        "Ana Souza reply to the customer 11:04:22 I am sorry.",
        "INTERNAL NOTE marker-noter 11:05:22 She is angry: marker-note, see (https://example.com/marker-link)",
        "INTERNAL NOTE marker-noter reply to a note",
        "INTERNAL NOTE marker-noter handoff to marker-receiver",
        "Steps taken marker-steps Expected outcome marker-outcome Urgency: high · due 22 November 2026",
        "This note was deleted by marker-deleter",
        "INTERNAL EVENT 11:11:22 Assigned to marker-event-assignee, until then with marker-event-previous, by marker-event-actor",
        "Waiting for marker-team",
        "INTERNAL MESSAGE marker-whisperer 11:13:22 marker-whisper: be kind",
        "Resolved, by marker-event-actor",
        "Thank you!",
        "End of the history: 11 entries.",
    ] {
        let at = text[from..].find(said).unwrap_or_else(|| panic!("{said} is not in its place in {text}"));
        from += at;
    }
}

// N11
#[test]
fn every_page_has_its_number_and_what_it_is_of() {
    let entries: Vec<Entry> =
        (0..120).map(|at| customer_said(&format!("message {at}\nand one more line"), at)).collect();
    let (_, text) = read(&entries);
    let count = text.pages.len();
    assert!(count > 3, "{count}");
    for (index, page) in text.pages.iter().enumerate() {
        assert!(page.contains(&format!("{} / {count}", index + 1)), "{page}");
        assert!(page.contains("INTERNAL CONTENT"), "{page}");
        assert!(page.contains("Where is my boarding pass?"), "{page}");
        assert!(page.contains("01890a5d-ac96-774b-bcce-b302099a8057"), "{page}");
    }
    let all = text.text();
    assert!((0..120).all(|at| all.contains(&format!("message {at}\n"))));
}

// N11
#[test]
fn a_note_that_goes_on_on_another_page_is_labelled_there_too() {
    let long = "A line of a long note.\n\n".repeat(150);
    let (_, text) = read(&[customer_said("hello", 0), note(&long, 1), answered("bye", 2)]);
    let count = text.pages.len();
    assert!(count >= 3, "{count}");
    for page in &text.pages[1..count - 1] {
        assert!(page.contains("INTERNAL NOTE (continued)"), "{page}");
    }
    assert_eq!(text.text().matches("A line of a long note.").count(), 150);
    assert!(text.pages[count - 1].contains("bye"));
}

// N11
#[test]
fn scripts_are_shown_or_counted_and_every_page_says_so() {
    let shown = "Grüße aus Łódź · Съешь ещё этих мягких булок · Ταχίστη αλώπηξ · tiếng Việt ✓";
    let (pdf, text) = read(&[customer_said(shown, 0)]);
    assert_eq!(pdf.unshown, 0);
    assert!(flat(&text.text()).contains(shown), "{}", text.text());
    assert!(!text.text().contains('□'));

    let (pdf, text) = read(&[customer_said("返金 👍 مرحبا", 0)]);
    assert_eq!(pdf.unshown, 8);
    assert!(text.text().contains("□□ □ □□□□□"), "{}", text.text());
    let told = "8 characters of this file could not be shown: □ stands for each. An export as JSON has them.";
    assert!(text.pages.iter().all(|page| page.contains(told)), "{}", text.text());
}

// N11
#[test]
fn the_same_history_makes_the_same_bytes() {
    let entries = admitted(Profile::Full);
    let (first, second) = (rendered(&heading(), &entries), rendered(&heading(), &entries));
    assert!(first == second, "the files differ");
    let other = rendered(&heading(), &entries[..3]);
    assert!(first != other);
}

/// What could make a reader of PDFs do something.
const ACTIVE: [&str; 14] = [
    "/JS",
    "/JavaScript",
    "/Action",
    "/OpenAction",
    "/AA",
    "/URI",
    "/Launch",
    "/GoToR",
    "/SubmitForm",
    "/ImportData",
    "/Annot",
    "/EmbeddedFile",
    "/RichMedia",
    "/AcroForm",
];

// N11, faults.md 29
#[test]
fn what_people_write_is_text_on_a_page_and_nothing_else() {
    let hostile = [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "<a href=\"javascript:alert(1)\">x</a>",
        "<iframe src=\"https://evil.example\"></iframe>",
        "<svg onload=alert(1)>",
        ") Tj ET q /JS (app.alert(1)) BT (",
        "\\) >> endobj 1 0 obj << /OpenAction << /S /JavaScript /JS (app.alert(1)) >> >>",
        "endstream endobj /URI (https://evil.example) /Launch",
        "%%EOF",
        "\u{202e}/Annot",
    ];
    for text in hostile {
        let heading = Heading { subject: text.to_owned(), external_id: text.to_owned(), ..heading() };
        let by = Some(super::story::writer(text, text, kernel::Role::Agent));
        let entries = [customer_said(text, 0), note(text, 1), happened(by, Happening::Resolved, 2)];
        let pdf = rendered(&heading, &entries);
        let read = PdfText::of(&pdf.bytes);
        // Beside the glyphs themselves there is nothing that a reader could act on.
        for active in ACTIVE {
            assert!(!read.structure.contains(active), "{active} by {text}");
        }
        if !text.contains(['[', '\\', '\u{202e}']) {
            assert!(flat(&read.text()).contains(&flat(text)), "{text}: {}", read.text());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    // N11, faults.md 30
    #[test]
    fn any_text_makes_a_file_that_can_be_read(texts in proptest::collection::vec("(\\PC|[\\r\\n\\t\\x00-\\x1f#*_>`\\[\\]()<!-]){0,200}", 1..6)) {
        let entries: Vec<Entry> = texts.iter().flat_map(|text| [customer_said(text, 0), note(text, 1)]).collect();
        let heading = Heading { subject: texts.concat(), ..heading() };
        let pdf = rendered(&heading, &entries);
        prop_assert!(!PdfText::of(&pdf.bytes).pages.is_empty());
    }
}

// N11
#[test]
fn ten_thousand_messages_and_a_word_without_an_end_make_a_file() {
    let mut entries: Vec<Entry> = (0..10_000)
        .map(|at| customer_said(&format!("message {at}: where is my boarding pass, please?"), at))
        .collect();
    entries.push(note(&"x".repeat(64 * 1024), 10_000));
    let pdf = rendered(&heading(), &entries);
    let count = pdf.bytes.windows(11).filter(|window| *window == b"/Type /Page").count();
    assert!(count > 400, "{count} pages");
    assert!(pdf.bytes.len() < 8 << 20, "{} bytes", pdf.bytes.len());
}
