//! What an email says, and how it looks. Pure: nothing is sent here.
//!
//! | module | story |
//! |---|---|
//! | [`locale`] | in which language |
//! | `words` | what is said in it, one file each |
//! | [`letter`] | what is told to whom, and the lines that say it |
//! | `text`, `html` | the two bodies, made of those lines |
//! | [`thread`] | ids by which mail programs put emails together |

mod html;
pub mod letter;
pub mod locale;
mod text;
pub mod thread;
mod words;

#[cfg(test)]
mod tests;

pub(crate) use letter::one_line;
pub use letter::{Item, Letter, Links, Rendered};
pub use locale::Locale;
