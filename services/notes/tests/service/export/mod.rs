//! The history of a conversation as a file.

mod pages;
mod profiles;
mod story;
mod wire;
