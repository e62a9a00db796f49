//! The contacts that a batch of rows is about. Rows are applied to them one after the other, so that it makes no difference how a
//! file is cut into batches.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use kernel::{ContactId, Timestamp};
use uuid::Uuid;

use super::matching::target;
use super::{ContactRow, Manner, Mode, Outcome, Rejection, RejectionReason, RowViolation, Said};
use crate::domain::{
    Address, AddressChange, AddressKey, Attribute, AttributeChange, Contact, Definition, Identity, Key,
    ListId, ListName, MOST_LISTS, MOST_TAGS, Profile, Tag,
};

const UNDEFINED: &str = "is the key of no attribute definition";

/// The most emails of one contact, and the most phones: the contract's.
pub const MOST_ADDRESSES: usize = 20;

/// A contact as it was, if it was there, and as the rows make it.
#[derive(Debug, Clone)]
pub struct Held {
    /// As it is stored.
    pub before: Option<Contact>,
    /// As it shall be. Version and update time are the store's matter.
    pub now: Contact,
    /// The lists it is on.
    pub lists_before: BTreeSet<ListId>,
    /// The lists it shall be on.
    pub lists: BTreeSet<ListId>,
}

impl Held {
    /// The addresses that are given up, and the identities that come.
    pub fn identities(&self) -> (Vec<AddressKey>, Vec<(AddressKey, Identity)>) {
        let keyed = |contact: &Contact| -> BTreeMap<AddressKey, Identity> {
            contact.identities.iter().map(|identity| (key_of(identity), identity.clone())).collect()
        };
        let before = self.before.as_ref().map(keyed).unwrap_or_default();
        let now = keyed(&self.now);
        let gone = before.keys().filter(|key| !now.contains_key(*key)).cloned().collect();
        (gone, now.into_iter().filter(|(key, _)| !before.contains_key(key)).collect())
    }

    /// Whether there is something to store.
    pub fn is_changed(&self) -> bool {
        self.before.as_ref() != Some(&self.now) || self.lists_before != self.lists
    }
}

/// What is known of a batch's contacts, addresses, attributes and lists.
#[derive(Debug, Clone, Default)]
pub struct Known {
    contacts: BTreeMap<ContactId, Held>,
    external_ids: HashMap<String, ContactId>,
    owners: BTreeMap<AddressKey, ContactId>,
    definitions: BTreeMap<Key, Definition>,
    lists: BTreeMap<String, ListId>,
    list_count: i64,
    new_lists: Vec<(ListId, ListName)>,
    /// Who stands for contacts that were merged into them.
    survivors: HashMap<ContactId, ContactId>,
    /// Ids of contacts who were erased: nobody gets one of them again.
    erased: HashSet<ContactId>,
}

impl Known {
    /// Nobody, in an organization with these definitions and so many lists, of which these have a name that a row says.
    pub fn new(definitions: Vec<Definition>, lists: BTreeMap<String, ListId>, list_count: i64) -> Self {
        let definitions = definitions.into_iter().map(|one| (one.key.clone(), one)).collect();
        Self { definitions, lists, list_count, ..Self::default() }
    }

    /// Adds a stored contact and the lists it is on.
    pub fn hold(&mut self, contact: Contact, lists: BTreeSet<ListId>) {
        let id = contact.contact_id;
        if !contact.profile.external_id.is_empty() {
            self.external_ids.insert(contact.profile.external_id.as_str().to_owned(), id);
        }
        self.owners.extend(contact.identities.iter().map(|identity| (key_of(identity), id)));
        let held = Held { before: Some(contact.clone()), now: contact, lists_before: lists.clone(), lists };
        self.contacts.insert(id, held);
    }

    /// Says who stands for a contact that was merged.
    pub fn survives(&mut self, merged: ContactId, survivor: ContactId) {
        self.survivors.insert(merged, survivor);
    }

    /// Says that the contact of this id was erased.
    pub fn is_erased(&mut self, id: ContactId) {
        self.erased.insert(id);
    }

    /// The contacts that have changed, by id.
    pub fn changed(&self) -> impl Iterator<Item = &Held> {
        self.contacts.values().filter(|held| held.is_changed())
    }

    /// The lists that rows name and that are to be made, in their order.
    pub fn new_lists(&self) -> &[(ListId, ListName)] {
        &self.new_lists
    }

    /// The contact of this id, or who stands for it.
    pub(super) fn contact(&self, id: ContactId) -> Option<&Held> {
        self.contacts.get(self.survivors.get(&id).unwrap_or(&id))
    }

    pub(super) fn owner_of_external_id(&self, external_id: &str) -> Option<ContactId> {
        self.external_ids.get(external_id).copied()
    }

    pub(super) fn owner(&self, key: &AddressKey) -> Option<ContactId> {
        self.owners.get(key).copied()
    }

    /// Does what the row says, all of it or nothing. `fresh` makes ids for new contacts and lists.
    ///
    /// # Errors
    /// A [`Rejection`] with the reason why nothing of it was done.
    pub fn apply(
        &mut self,
        row: &ContactRow,
        manner: Manner,
        now: Timestamp,
        mut fresh: impl FnMut() -> Uuid,
    ) -> Result<Outcome, Rejection> {
        if !row.wrong.is_empty() {
            let invalid = Rejection { reason: RejectionReason::InvalidValue, violations: row.wrong.clone() };
            return Err(invalid.and(self.misfits(row)));
        }
        if !row.has_key() {
            let nothing = "must have a contact_id, external_id, email, phone or identity, by which it is found the next time";
            let invalid = Rejection::of(RejectionReason::InvalidValue, "", nothing);
            return Err(invalid.and(self.misfits(row)));
        }
        let target = target(self, row).map_err(|conflict| conflict.and(self.misfits(row)))?;
        let held = match target.and_then(|id| self.contacts.get(&id)) {
            Some(held) => held.clone(),
            None if manner.mode == Mode::UpdateOnly => {
                let description = "no contact has its contact_id, external_id, emails, phones or identities";
                return Err(Rejection::of(RejectionReason::NotFound, "", description));
            }
            None => {
                let kept = row.contact_id.filter(|id| !self.erased.contains(id));
                nobody(kept.unwrap_or_else(|| fresh().into()), now)
            }
        };
        let mut new = held.clone();
        self.say(row, manner.replace, now, &mut new)?;
        let joined = self.join(row, manner.replace, &mut new)?;
        if target.is_some() && new.now == held.now && new.lists == held.lists && joined.is_empty() {
            return Ok(Outcome::Unchanged);
        }
        if target.is_some() && manner.mode == Mode::CreateOnly {
            let description = "is a contact already, and this import only makes new ones";
            return Err(Rejection::of(RejectionReason::Exists, "", description));
        }
        for name in joined {
            let id = ListId::from(fresh());
            self.lists.insert(name.key(), id);
            self.list_count += 1;
            new.lists.insert(id);
            self.new_lists.push((id, name));
        }
        self.keep(&held.now, new);
        Ok(if target.is_some() { Outcome::Updated } else { Outcome::Created })
    }

    /// Profile, addresses, tags and attributes as the row says.
    fn say(&self, row: &ContactRow, replace: bool, now: Timestamp, new: &mut Held) -> Result<(), Rejection> {
        let old = new.now.profile.clone();
        let mut profile = row.fields.merge(&old, row.profile.clone());
        if !replace {
            profile.emails = old.emails.iter().chain(&row.profile.emails).cloned().collect();
            profile.phones = old.phones.iter().chain(&row.profile.phones).cloned().collect();
        }
        let profile = profile.without_repeats();
        let mut wrong: Vec<RowViolation> = Vec::new();
        wrong.extend(beyond(profile.emails.len(), MOST_ADDRESSES, "emails"));
        wrong.extend(beyond(profile.phones.len(), MOST_ADDRESSES, "phones"));
        move_addresses(&mut new.now, &old, &profile, &row.identities, now);
        new.now.profile = profile;
        if let Some(said) = &row.tags {
            let had = new.now.tags.iter().filter(|_| !replace).cloned();
            let tags: BTreeSet<Tag> = had.chain(said.iter().cloned()).collect();
            wrong.extend(beyond(tags.len(), MOST_TAGS, "tags"));
            new.now.tags = tags.into_iter().collect();
        }
        let reason =
            if wrong.is_empty() { RejectionReason::InvalidValue } else { RejectionReason::LimitReached };
        match self.attributes(row, &new.now.attributes) {
            Ok(attributes) => new.now.attributes = attributes,
            Err(more) => wrong.extend(more),
        }
        if wrong.is_empty() { Ok(()) } else { Err(Rejection { reason, violations: wrong }) }
    }

    /// The attributes of the row that are none, whoever it stands for: what contacts have already may be of an archived definition.
    fn misfits(&self, row: &ContactRow) -> Vec<RowViolation> {
        let wrong = |(key, said): &(Key, Said)| match self.definitions.get(key) {
            None => Some(of_attribute(key, UNDEFINED)),
            Some(definition) => {
                let read = said.read(definition);
                let fits = read.and_then(|value| value.map_or(Ok(()), |value| definition.fits(&value)));
                fits.err().map(|malformed| of_attribute(key, malformed.reason()))
            }
        };
        row.attributes.iter().filter_map(wrong).collect()
    }

    fn attributes(&self, row: &ContactRow, had: &[Attribute]) -> Result<Vec<Attribute>, Vec<RowViolation>> {
        let mut change = AttributeChange::default();
        let mut violations = Vec::new();
        let mut wrong = |key: &Key, description: &str| violations.push(of_attribute(key, description));
        for (key, said) in &row.attributes {
            match self.definitions.get(key).map(|definition| said.read(definition)) {
                None => wrong(key, UNDEFINED),
                Some(Err(malformed)) => wrong(key, malformed.reason()),
                Some(Ok(None)) => change.clear.push(key.clone()),
                Some(Ok(Some(value))) => change.set.push(Ok(Attribute { key: key.clone(), value })),
            }
        }
        if row.all_attributes {
            change.clear.extend(had.iter().map(|attribute| attribute.key.clone()));
        }
        let keys: Vec<Key> = change.set.iter().flatten().map(|attribute| attribute.key.clone()).collect();
        let steps = change.over(had, &self.definitions).unwrap_or_else(|misfits| {
            for misfit in misfits {
                keys.get(misfit.index).iter().for_each(|key| wrong(key, misfit.malformed.reason()));
            }
            Default::default()
        });
        if !violations.is_empty() {
            return Err(violations);
        }
        let mut now: BTreeMap<Key, Attribute> =
            had.iter().map(|attribute| (attribute.key.clone(), attribute.clone())).collect();
        for key in &steps.cleared {
            now.remove(key);
        }
        now.extend(steps.set.into_iter().map(|attribute| (attribute.key.clone(), attribute)));
        Ok(now.into_values().collect())
    }

    /// Puts the contact on the lists which are there; the names of the others come back, each once.
    fn join(&self, row: &ContactRow, replace: bool, new: &mut Held) -> Result<Vec<ListName>, Rejection> {
        let Some(names) = &row.lists else { return Ok(Vec::new()) };
        if replace {
            new.lists.clear();
        }
        let mut missing: BTreeMap<String, ListName> = BTreeMap::new();
        for name in names {
            match self.lists.get(&name.key()) {
                Some(id) => {
                    new.lists.insert(*id);
                }
                None => {
                    missing.entry(name.key()).or_insert_with(|| name.clone());
                }
            }
        }
        let room = usize::try_from(MOST_LISTS - self.list_count).unwrap_or(0);
        if missing.len() > room {
            let description = format!("the organization may have {MOST_LISTS} lists and no more");
            return Err(Rejection::of(RejectionReason::LimitReached, "lists", description));
        }
        Ok(missing.into_values().collect())
    }

    fn keep(&mut self, old: &Contact, new: Held) {
        let id = new.now.contact_id;
        self.external_ids.retain(|_, owner| *owner != id);
        if !new.now.profile.external_id.is_empty() {
            self.external_ids.insert(new.now.profile.external_id.as_str().to_owned(), id);
        }
        for identity in &old.identities {
            self.owners.remove(&key_of(identity));
        }
        self.owners.extend(new.now.identities.iter().map(|identity| (key_of(identity), id)));
        self.contacts.insert(id, new);
    }
}

/// The key of an identity that was stored; one that an older rule let in is compared as it is.
fn key_of(identity: &Identity) -> AddressKey {
    let address = Address::parse(identity.channel.clone(), &identity.address);
    let as_it_is = || AddressKey { channel: identity.channel.clone(), address: identity.address.clone() };
    address.map_or_else(|_| as_it_is(), |address| address.key().clone())
}

/// A contact who is not there yet.
fn nobody(contact_id: ContactId, now: Timestamp) -> Held {
    let now = Contact {
        contact_id,
        version: 1,
        profile: Profile::default(),
        tags: Vec::new(),
        identities: Vec::new(),
        attributes: Vec::new(),
        block: None,
        create_time: now,
        update_time: now,
    };
    Held { before: None, now, lists_before: BTreeSet::new(), lists: BTreeSet::new() }
}

/// Gives up the addresses which leave the profile and takes those which come, and the identities that are named.
fn move_addresses(contact: &mut Contact, old: &Profile, new: &Profile, named: &[Address], now: Timestamp) {
    let change = AddressChange::between(old, new);
    let mut known: BTreeMap<AddressKey, Identity> =
        contact.identities.drain(..).map(|identity| (key_of(&identity), identity)).collect();
    for key in &change.given_up {
        known.remove(key);
    }
    let through = named.iter().filter_map(Address::owned_through);
    for address in change.taken.into_iter().chain(named.iter().cloned()).chain(through) {
        known.entry(address.key().clone()).or_insert_with(|| Identity {
            channel: address.key().channel.clone(),
            address: address.written().to_owned(),
            create_time: now,
        });
    }
    contact.identities = known.into_values().collect();
}

/// More of something than a contact may have.
fn beyond(count: usize, most: usize, field: &str) -> Option<RowViolation> {
    let description = format!("a contact may have {most} at most, and would have {count}");
    (count > most).then(|| RowViolation { field: field.to_owned(), description })
}

fn of_attribute(key: &Key, description: &str) -> RowViolation {
    let (field, description) = (format!("attribute.{}", key.as_str()), description.to_owned());
    RowViolation { field, description }
}
