//! Full-text search, as far as it is the same on every database: what a word is, what is asked, what a hit shows.
//!
//! The databases only keep and intersect sets of tokens. All that is about language is decided here, so that both find
//! the same notes.
//!
//! | file | story |
//! |---|---|
//! | [`words`] | the words of a text, folded, and where each is |
//! | [`query`] | [`Query`]: what somebody typed; which texts hold it, and where |
//! | [`tokens`] | a note's [`Entry`] in the index, and what a [`Filter`] demands of one |
//! | [`snippet`] | [`Snippet`]: the part of a text that fits a query best |

pub mod query;
pub mod snippet;
pub mod tokens;
pub mod words;

pub use query::Query;
pub use snippet::Snippet;
pub use tokens::{Entry, Filter, Token};
pub use words::{Word, words_in};
