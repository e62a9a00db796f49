//! Texts as blocks: paragraphs, items of lists, quotations, code; Markdown or not.
//!
//! Of Markdown the structure is shown. What it can hide, or make others open, is written out: a link is its text and its
//! address, an image its description and its address, and HTML is the text that it is.

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use super::setting::Run;
use super::style::{BODY, Style};

/// Deeper than this nothing moves further in: there must be room for the text.
const DEEPEST: u8 = 8;
/// Between two paragraphs.
const GAP: f32 = 4.0;

/// Text which stands together.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Block {
    pub(super) runs: Vec<Run>,
    /// At the right end of its first line.
    pub(super) side: Vec<Run>,
    /// Left of its first line: of an item in a list.
    pub(super) marker: Vec<Run>,
    pub(super) size: f32,
    /// What is free above it.
    pub(super) gap: f32,
    /// How many steps in it stands.
    pub(super) depth: u8,
    /// How many of them are quotations.
    pub(super) quotes: u8,
    pub(super) code: bool,
    /// It does not stand last on a page.
    pub(super) keeps: bool,
}

impl Block {
    pub(super) fn new(runs: Vec<Run>, size: f32) -> Self {
        Self { runs, size, ..Self::default() }
    }
}

/// A text that is not Markdown, in its own lines.
pub(super) fn plain(text: &str) -> Vec<Block> {
    vec![Block::new(vec![Run::new(text.trim_end(), Style::PLAIN)], BODY)]
}

/// A Markdown text (CommonMark).
pub(super) fn markdown(text: &str) -> Vec<Block> {
    let mut reading = Reading::default();
    for event in Parser::new_ext(text, Options::empty()) {
        reading.take(event);
    }
    reading.end_block();
    reading.blocks
}

/// What is known while a text is read.
#[derive(Default)]
struct Reading {
    blocks: Vec<Block>,
    open: Vec<Run>,
    /// How long the text of `open` is, in bytes.
    written: usize,
    style: Vec<Style>,
    /// The next number of each list that is open; none: it has no numbers.
    lists: Vec<Option<u64>>,
    quotes: usize,
    marker: Option<String>,
    in_code: bool,
    /// Where the links that are open lead, and how much of the text was before each.
    links: Vec<(String, usize)>,
}

impl Reading {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => self.text(&text),
            Event::Code(code) => self.text(&format!("`{code}`")),
            Event::SoftBreak => self.text(" "),
            Event::HardBreak => self.text("\n"),
            Event::Rule => {
                self.end_block();
                self.text("———");
                self.end_block();
            }
            // Extensions of CommonMark that are not switched on.
            Event::InlineMath(text) | Event::DisplayMath(text) | Event::FootnoteReference(text) => {
                self.text(&text);
            }
            Event::TaskListMarker(_) => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Emphasis => self.push_style(|style| Style { slanted: true, ..style }),
            Tag::Strong => self.push_style(|style| Style { bold: true, ..style }),
            Tag::Link { dest_url, .. } => self.links.push((dest_url.into_string(), self.written)),
            Tag::Image { dest_url, .. } => {
                self.links.push((dest_url.into_string(), self.written));
                self.text("[image] ");
            }
            Tag::Heading { .. } => {
                self.end_block();
                self.push_style(|style| Style { bold: true, ..style });
            }
            Tag::BlockQuote(_) => {
                self.end_block();
                self.quotes += 1;
            }
            Tag::CodeBlock(kind) => {
                self.end_block();
                self.in_code = true;
                if let CodeBlockKind::Fenced(language) = kind
                    && !language.is_empty()
                {
                    self.text(&format!("{language}:\n"));
                }
            }
            Tag::List(first) => {
                self.end_block();
                self.lists.push(first);
            }
            Tag::Item => {
                self.end_item();
                self.marker = Some(match self.lists.last_mut() {
                    Some(Some(number)) => {
                        let marker = format!("{number}.");
                        *number = number.saturating_add(1);
                        marker
                    }
                    _ => "•".to_owned(),
                });
            }
            _ => self.end_block(),
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Emphasis | TagEnd::Strong => drop(self.style.pop()),
            TagEnd::Link | TagEnd::Image => self.end_link(),
            TagEnd::Heading(_) => {
                self.end_block();
                self.style.pop();
            }
            TagEnd::BlockQuote(_) => {
                self.end_block();
                self.quotes = self.quotes.saturating_sub(1);
            }
            TagEnd::CodeBlock => {
                self.end_block();
                self.in_code = false;
            }
            TagEnd::Item => self.end_item(),
            TagEnd::List(_) => {
                self.end_block();
                self.lists.pop();
            }
            _ => self.end_block(),
        }
    }

    /// A link's address stands behind its text, unless the text is the address.
    fn end_link(&mut self) {
        let Some((address, before)) = self.links.pop() else { return };
        let shown = self.since(before);
        if !address.is_empty() && shown != address && address.strip_prefix("mailto:") != Some(shown.as_str())
        {
            self.text(&format!(" ({address})"));
        }
    }

    /// What was written into the open block behind a place. Looks from the end, so that many links cost no more than their texts.
    fn since(&self, before: usize) -> String {
        let mut length = self.written.saturating_sub(before);
        let mut parts = Vec::new();
        for run in self.open.iter().rev() {
            if length == 0 {
                break;
            }
            let from = run.text.len().saturating_sub(length);
            parts.push(run.text.get(from..).unwrap_or_default());
            length = length.saturating_sub(run.text.len());
        }
        parts.into_iter().rev().collect()
    }

    fn push_style(&mut self, change: impl FnOnce(Style) -> Style) {
        let style = self.style.last().copied().unwrap_or_default();
        self.style.push(change(style));
    }

    fn text(&mut self, text: &str) {
        self.written += text.len();
        let style = self.style.last().copied().unwrap_or_default();
        match self.open.last_mut() {
            Some(run) if run.style == style => run.text.push_str(text),
            _ => self.open.push(Run::new(text, style)),
        }
    }

    fn end_block(&mut self) {
        let mut runs = std::mem::take(&mut self.open);
        self.written = 0;
        if let Some(last) = runs.last_mut() {
            last.text.truncate(last.text.trim_end().len());
        }
        if runs.iter().any(|run| !run.text.is_empty()) {
            self.push_block(runs);
        }
    }

    /// An item of a list that says nothing before the next one is there with its marker.
    fn end_item(&mut self) {
        self.end_block();
        if self.marker.is_some() {
            self.push_block(Vec::new());
        }
    }

    fn push_block(&mut self, runs: Vec<Run>) {
        let marker = self.marker.take().map(|marker| vec![Run::new(marker, Style::PLAIN)]);
        let deep = |steps: usize| u8::try_from(steps).unwrap_or(DEEPEST).min(DEEPEST);
        self.blocks.push(Block {
            gap: if self.blocks.is_empty() { 0.0 } else { GAP },
            depth: deep(self.lists.len() + self.quotes + usize::from(self.in_code)),
            quotes: deep(self.quotes),
            code: self.in_code,
            marker: marker.unwrap_or_default(),
            ..Block::new(runs, BODY)
        });
    }
}
