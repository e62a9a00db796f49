//! What routing knows and decides, without any input or output.
//!
//! | file | story |
//! |---|---|
//! | [`agent`], [`handle`], [`presence`], [`team`] | people inside, what `@` resolves, whether they are there |
//! | [`name_query`] | finding people by the beginnings of their names |
//! | [`conversation`], [`message`], [`priority`] | conversations: how each event changes them |
//! | [`begun`] | when a conversation began, as its id tells |
//! | [`history`] | what happened to a conversation, and the order of it |
//! | [`view`] | inbox views, their order and their pages |
//! | [`inbox_log`], [`interest`], [`ring`] | what changes in inboxes: places in the log of it, whom it concerns, the newest of it |
//! | [`who_is_here`] | who is at a conversation at this moment |
//! | [`workflow`], [`condition`], [`facts`], [`ruleset`] | workflows, their CEL conditions, what these ask about; what a set makes of a conversation |
//! | [`hours`] | when a team works |
//! | [`choose`], [`batch`], [`offer`] | whose turn it is, for one conversation and for a queue of them; who is asked first |
//! | [`sla`] | targets for answers and resolutions, and how conversations stand against them |
//! | [`target`], [`handoff`], [`reopen`] | giving conversations away, and who has one that is open again |
//! | [`timer`], [`waits`], [`reply_limit`] | reminders to look at something later, what begins to wait, and for how long it may |
//! | [`decision`] | the explained decision that is stored |
//! | [`report`], [`report_tally`], [`report_days`], [`report_times`] | how much was done, how it is counted, on which day, and how its times are kept |

pub mod agent;
pub mod batch;
pub mod begun;
pub mod choose;
pub mod condition;
pub mod conversation;
pub mod decision;
pub mod facts;
pub mod handle;
pub mod handoff;
pub mod history;
pub mod hours;
pub mod inbox_log;
pub mod interest;
pub mod load;
pub mod message;
pub mod name_query;
pub mod offer;
pub mod presence;
pub mod priority;
pub mod reopen;
pub mod reply_limit;
pub mod report;
pub mod report_days;
pub mod report_tally;
pub mod report_times;
pub mod ring;
pub mod ruleset;
pub mod settings;
pub mod sharing;
pub mod sla;
pub mod target;
pub mod team;
pub mod timer;
pub mod view;
pub mod waits;
pub mod who_is_here;
pub mod workflow;
