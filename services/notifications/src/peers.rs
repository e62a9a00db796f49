//! What this service asks others. What it has to know about an event comes with the event, so a feed works while every other service is
//! down; how its people are reached is asked of routing when they are told something outside of their feed.

pub mod admins;
pub mod people;
pub mod push;
pub(crate) mod smtp;
