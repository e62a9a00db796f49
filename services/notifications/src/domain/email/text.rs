//! The plain body.

use super::letter::{Block, Lines};

pub(super) fn body(lines: &Lines<'_>) -> String {
    let mut body = format!("{}\n\n", lines.hello);
    if lines.blocks.len() > 1 {
        body.push_str(&format!("{}\n\n", lines.subject));
    }
    for block in &lines.blocks {
        push(&mut body, block, lines.words.open);
    }
    if let Some(more) = &lines.more {
        body.push_str(&format!("… {more}\n\n"));
    }
    // What stands behind this line is a signature to mail programs.
    body.push_str(&format!("-- \n{}\n", lines.words.why));
    if let Some(settings) = lines.settings {
        body.push_str(&format!("{}: {settings}\n", lines.words.settings));
    }
    body
}

fn push(body: &mut String, block: &Block, open: &str) {
    body.push_str(&format!("{}\n", block.headline));
    if let Some(reason) = &block.reason {
        body.push_str(&format!("{reason}\n"));
    }
    body.push_str(&format!("{}\n", block.time));
    if let Some(excerpt) = &block.excerpt {
        body.push_str(&format!("> {excerpt}\n"));
    }
    if let Some(link) = &block.link {
        body.push_str(&format!("{open}: {link}\n"));
    }
    body.push('\n');
}
