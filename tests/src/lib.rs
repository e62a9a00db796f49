//! Journeys across the services; see `journeys/main.rs`.
