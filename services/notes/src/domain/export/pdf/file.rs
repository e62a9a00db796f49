//! The bytes: pages, their feet, fonts, and what a file says about itself.

use jiff::tz::TimeZone;
use kernel::Timestamp;
use pdf_writer::{Content, Date, Filter, Finish, Name, Pdf, Rect, Ref, TextStr};
use sha2::{Digest, Sha256};

use super::Unwritable;
use super::flow::{FACES, show};
use super::font::deflated;
use super::setting::{BOX, Run, TypeCase, width_of};
use super::style::{FOOT_LINE, LEADING, MARGIN, MEASURE, PAGE, SMALL, Style};
use crate::domain::export::Edition;
use crate::domain::export::history::Heading;

/// The file of compressed pages.
pub(super) fn written(
    pages: Vec<Vec<u8>>,
    mut type_case: TypeCase,
    heading: &Heading,
    edition: &Edition,
) -> Result<Vec<u8>, Unwritable> {
    let mut pdf = Pdf::with_capacity(pages.iter().map(Vec::len).sum::<usize>() + 100_000);
    pdf.set_file_id(identity(&pages));
    let mut next = Ref::new(1);
    let (catalog, tree, info) = (next.bump(), next.bump(), next.bump());
    let fonts = FACES.map(|name| (name, next.bump()));
    let count = pages.len();
    let mut leaves = Vec::with_capacity(count);
    for (index, page) in pages.into_iter().enumerate() {
        let (leaf, body, foot) = (next.bump(), next.bump(), next.bump());
        leaves.push(leaf);
        pdf.stream(body, &page).filter(Filter::FlateDecode);
        let line = foot_of(&mut type_case, heading, index + 1, count);
        pdf.stream(foot, &deflated(&line)).filter(Filter::FlateDecode);
        let mut leaf = pdf.page(leaf);
        leaf.parent(tree).media_box(Rect::new(0.0, 0.0, PAGE.0, PAGE.1)).contents_array([body, foot]);
        leaf.resources().fonts().pairs(fonts.map(|(name, font)| (Name(name), font)));
    }
    pdf.pages(tree).count(i32::try_from(count).unwrap_or(i32::MAX)).kids(leaves);
    for (face, (_, font)) in type_case.faces().iter().zip(fonts) {
        face.embed(&mut pdf, font, &mut next)?;
    }
    let mut root = pdf.catalog(catalog);
    root.pages(tree);
    root.viewer_preferences().display_doc_title(true);
    root.finish();
    // Nothing here comes from what people wrote.
    pdf.document_info(info)
        .title(TextStr(&format!("Conversation {}", heading.conversation_id)))
        .producer(TextStr("Backchannel"))
        .creation_date(date(edition.export_time));
    Ok(pdf.finish())
}

/// The line at the foot of a page and, where a box stands for something, what it stands for.
fn foot_of(type_case: &mut TypeCase, heading: &Heading, page: usize, of: usize) -> Vec<u8> {
    let mut line = Content::new();
    let name = Run::new(format!("Conversation {}", heading.conversation_id), Style::soft());
    show(&mut line, &type_case.set(&[name]), MARGIN, FOOT_LINE, SMALL);
    let number = type_case.set(&[Run::new(format!("{page} / {of}"), Style::soft())]);
    let left = MARGIN + MEASURE - width_of(&number, SMALL);
    show(&mut line, &number, left, FOOT_LINE, SMALL);
    let unshown = type_case.unshown();
    if unshown > 0 {
        let text = match unshown {
            1 => format!(
                "1 character of this file could not be shown: {BOX} stands for it. An export as JSON has it."
            ),
            _ => format!(
                "{unshown} characters of this file could not be shown: {BOX} stands for each. An export as JSON has them."
            ),
        };
        let line_below = FOOT_LINE - SMALL * LEADING;
        show(&mut line, &type_case.set(&[Run::new(text, Style::soft())]), MARGIN, line_below, SMALL);
    }
    line.finish().into_vec()
}

/// Files of other pages have other identities.
fn identity(pages: &[Vec<u8>]) -> (Vec<u8>, Vec<u8>) {
    let mut digest = Sha256::new();
    pages.iter().for_each(|page| digest.update(page));
    let id = digest.finalize().iter().take(16).copied().collect::<Vec<u8>>();
    (id.clone(), id)
}

fn date(time: Timestamp) -> Date {
    let at = zones::instant(time).to_zoned(TimeZone::UTC);
    let small = |number: i8| u8::try_from(number).unwrap_or_default();
    Date::new(u16::try_from(at.year()).unwrap_or_default())
        .month(small(at.month()))
        .day(small(at.day()))
        .hour(small(at.hour()))
        .minute(small(at.minute()))
        .second(small(at.second()))
        .utc_offset_hour(0)
        .utc_offset_minute(0)
}
