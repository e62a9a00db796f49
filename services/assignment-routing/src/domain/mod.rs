//! What routing knows and decides, without any input or output.
//!
//! | file | story |
//! |---|---|
//! | [`agent`], [`handle`], [`presence`], [`team`] | people inside, what `@` resolves, whether they are there |
//! | [`name_query`] | finding people by the beginnings of their names |
//! | [`conversation`], [`message`], [`priority`] | conversations: how each event changes them |
//! | [`history`] | what happened to a conversation, and the order of it |
//! | [`view`] | inbox views, their order and their pages |
//! | [`condition`], [`workflow`] | CEL conditions, and workflows run over the facts of a conversation |
//! | [`choose`], [`batch`] | whose turn it is, for one conversation and for a queue of them |
//! | [`decision`] | the explained decision that is stored |

pub mod agent;
pub mod batch;
pub mod choose;
pub mod condition;
pub mod conversation;
pub mod decision;
pub mod handle;
pub mod history;
pub mod message;
pub mod name_query;
pub mod presence;
pub mod priority;
pub mod team;
pub mod view;
pub mod workflow;
