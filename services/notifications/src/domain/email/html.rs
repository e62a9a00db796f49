//! The body as HTML. Mail programs know no style sheets of their own and little of any: every element carries its style, and tables
//! hold the page together.

use super::letter::{Block, Lines};

/// HTML under way. What is written here is static; everything else goes through [`Html::text`], which escapes it: there is no other
/// way in.
#[derive(Default)]
struct Html(String);

impl Html {
    fn tags(&mut self, tags: &'static str) -> &mut Self {
        self.0.push_str(tags);
        self
    }

    /// A text, also inside an attribute that is quoted.
    fn text(&mut self, text: &str) -> &mut Self {
        for letter in text.chars() {
            match letter {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                other => self.0.push(other),
            }
        }
        self
    }
}

pub(super) fn body(lines: &Lines<'_>) -> String {
    let mut page = Html::default();
    page.tags("<!doctype html>\n<html lang=\"")
        .text(lines.tag)
        .tags("\">\n<head>\n<meta charset=\"utf-8\">\n")
        .tags("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>")
        .text(&lines.subject)
        .tags("</title>\n</head>\n")
        .tags("<body style=\"margin:0;padding:0;background-color:#f3f4f6;\">\n")
        .tags("<table role=\"presentation\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\">\n")
        .tags("<tr><td align=\"center\" style=\"padding:24px 12px;\">\n")
        .tags("<table role=\"presentation\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\" ")
        .tags("style=\"max-width:560px;background-color:#ffffff;border:1px solid #e5e7eb;border-radius:8px;")
        .tags("font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;font-size:15px;")
        .tags("line-height:1.5;color:#1f2937;\">\n<tr><td style=\"padding:24px 28px 8px;\">\n<p style=\"margin:0 0 16px;\">")
        .text(&lines.hello)
        .tags("</p>\n");
    let several = lines.blocks.len() > 1;
    if several {
        page.tags("<h1 style=\"margin:0 0 16px;font-size:18px;line-height:1.35;font-weight:600;\">")
            .text(&lines.subject)
            .tags("</h1>\n");
    }
    for block in &lines.blocks {
        push(&mut page, block, lines.words.open, several);
    }
    if let Some(more) = &lines.more {
        page.tags("<p style=\"margin:0 0 16px;color:#4b5563;\">… ").text(more).tags("</p>\n");
    }
    page.tags("</td></tr>\n<tr><td style=\"padding:12px 28px 20px;border-top:1px solid #e5e7eb;")
        .tags("font-size:12px;color:#6b7280;\">")
        .text(lines.words.why);
    if let Some(settings) = lines.settings {
        page.tags("<br>\n<a style=\"color:#6b7280;\" href=\"")
            .text(settings)
            .tags("\">")
            .text(lines.words.settings)
            .tags("</a>");
    }
    page.tags("</td></tr>\n</table>\n</td></tr>\n</table>\n</body>\n</html>\n");
    page.0
}

fn push(page: &mut Html, block: &Block, open: &str, several: bool) {
    page.tags(if several {
        "<div style=\"margin:0 0 16px;padding:0 0 14px;border-bottom:1px solid #f3f4f6;\">\n<div style=\"font-weight:600;\">"
    } else {
        "<div style=\"margin:0 0 16px;\">\n<div style=\"font-size:18px;line-height:1.35;font-weight:600;\">"
    });
    page.text(&block.headline).tags("</div>\n");
    if let Some(reason) = &block.reason {
        page.tags("<div style=\"color:#4b5563;\">").text(reason).tags("</div>\n");
    }
    page.tags("<div style=\"font-size:13px;color:#6b7280;\">").text(&block.time).tags("</div>\n");
    if let Some(excerpt) = &block.excerpt {
        page.tags("<blockquote style=\"margin:12px 0 0;padding:8px 14px;border-left:3px solid #d1d5db;")
            .tags("background-color:#f9fafb;color:#374151;\">")
            .text(excerpt)
            .tags("</blockquote>\n");
    }
    if let Some(link) = &block.link {
        page.tags(if several {
            "<div style=\"margin:6px 0 0;font-size:13px;\"><a style=\"color:#1d4ed8;\" href=\""
        } else {
            "<div style=\"margin:18px 0 4px;\"><a style=\"display:inline-block;padding:10px 18px;background-color:#1d4ed8;\
             color:#ffffff;text-decoration:none;border-radius:6px;font-weight:600;\" href=\""
        })
        .text(link)
        .tags("\">")
        .text(open)
        .tags("</a></div>\n");
    }
    page.tags("</div>\n");
}
