//! Clients of other services. There are none: everything this service answers, it knows itself. Whoever lets it ask
//! another service puts the client here.
