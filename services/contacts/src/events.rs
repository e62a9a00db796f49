//! Events to and from other services. There are none: this service tells nobody of a change and hears of none, so it
//! has neither outbox nor inbox. Whoever adds an event puts its making or applying here.
