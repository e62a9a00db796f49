//! Questions to other services: none. What this service has to know about an event comes with the event, so a feed
//! works while every other service is down.
