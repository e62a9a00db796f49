//! Contacts, their tags, the addresses they are known by.

use std::collections::BTreeSet;

use kernel::{ContactId, PageSize};
use proto::contacts::v1 as pb;
use rpc::convert::{etag, expected_version, id_of, proto_time};
use rpc::{Call, Fault};

use super::{Broken, activity, attribute, block};
use crate::app::{
    ContactPage, CreateContact, ListContacts, ListTags, ResolveContact, Resolved, TagContact, TagPage,
    UpdateContact,
};
use crate::domain::{
    Address, Channel, Contact, Email, Identity, Line, Mask, Phone, Profile, Tag, TagChange, Viewer,
};
use crate::error::Error;

pub(crate) fn create(call: &Call, request: pb::CreateContactRequest) -> Result<CreateContact, Fault> {
    let retry = runtime::retry(call, &request.request_id, &request)?;
    let mut broken = Broken::default();
    let profile = profile(&mut broken, &request.profile.unwrap_or_default());
    // In order and each once.
    let tags: BTreeSet<Tag> = broken.read_all("tags", &request.tags, Tag::parse).into_iter().collect();
    let attributes = attribute::each(&request.attributes);
    broken.refuse_with("attributes", &attributes)?;
    let by = activity::by(&call.caller);
    Ok(CreateContact { profile, tags: tags.into_iter().collect(), attributes, by, retry })
}

pub(crate) fn get(call: &Call, request: &pb::GetContactRequest) -> Result<(Viewer, ContactId), Fault> {
    let viewer = Viewer::new(call.caller.role, &call.caller.subject);
    Ok((viewer, id_of("contact_id", &request.contact_id)?))
}

pub(crate) fn list(request: pb::ListContactsRequest) -> Result<ListContacts, Fault> {
    let mut broken = Broken::default();
    let tag = broken.read("tag", &request.tag, Tag::parse).filter(|_| !request.tag.is_empty());
    broken.refuse()?;
    Ok(ListContacts { tag, page_size: PageSize::of(request.page_size)?, page_token: request.page_token })
}

pub(crate) fn update(call: &Call, request: pb::UpdateContactRequest) -> Result<UpdateContact, Fault> {
    let retry = runtime::retry(call, &request.request_id, &request)?;
    let contact_id = id_of("contact_id", &request.contact_id)?;
    let mut broken = Broken::default();
    let profile = profile(&mut broken, &request.profile.unwrap_or_default());
    broken.refuse()?;
    let paths = request.update_mask.unwrap_or_default().paths;
    let mask = Mask::read(&paths, &profile).map_err(Error::from)?;
    Ok(UpdateContact { contact_id, profile, mask, version: expected_version(&request.etag), retry })
}

pub(crate) fn tag(call: &Call, request: &pb::TagContactRequest) -> Result<TagContact, Fault> {
    let contact_id = id_of("contact_id", &request.contact_id)?;
    let mut broken = Broken::default();
    let add = broken.read_all("add", &request.add, Tag::parse);
    let remove = broken.read_all("remove", &request.remove, Tag::parse);
    broken.refuse()?;
    let by = activity::by(&call.caller);
    Ok(TagContact { contact_id, change: TagChange::new(add, remove), by })
}

/// The owner of an address.
pub(crate) fn resolved(it: Resolved) -> pb::ResolveContactResponse {
    pb::ResolveContactResponse {
        contact: Some(contact(it.contact)),
        created: it.created,
        first_contact_id: it.first.map(|first| first.to_string()).unwrap_or_default(),
    }
}

pub(crate) fn resolve(call: &Call, request: &pb::ResolveContactRequest) -> Result<ResolveContact, Fault> {
    let mut broken = Broken::default();
    let channel = broken.read("channel", &request.channel, Channel::parse);
    let address = channel.and_then(|channel| {
        broken.read("address", &request.address, |text| Address::parse(channel.clone(), text))
    });
    // A channel passes on what people call themselves there: a name that nobody sees is none, and no reason to refuse them.
    let seen = if proto::is_blank(&request.display_name) { "" } else { &request.display_name };
    let display_name = broken.read("display_name", seen, Line::parse);
    broken.refuse()?;
    match (address, display_name) {
        (Some(address), Some(display_name)) => {
            Ok(ResolveContact { address, display_name, by: activity::by(&call.caller) })
        }
        _ => Err(Fault::internal("a value is missing and nothing is broken")),
    }
}

pub(crate) fn list_tags(request: pb::ListTagsRequest) -> Result<ListTags, Fault> {
    Ok(ListTags { page_size: PageSize::of(request.page_size)?, page_token: request.page_token })
}

/// What can be read of a profile; what cannot is in `broken`.
fn profile(broken: &mut Broken, said: &pb::ContactProfile) -> Profile {
    let mut line = |field: &str, text: &str| {
        broken.read(&format!("profile.{field}"), text, Line::parse).unwrap_or_default()
    };
    let profile = Profile {
        display_name: line("display_name", &said.display_name),
        given_name: line("given_name", &said.given_name),
        family_name: line("family_name", &said.family_name),
        emails: Vec::new(),
        phones: Vec::new(),
        external_id: line("external_id", &said.external_id),
        language: line("language", &said.language),
        time_zone: line("time_zone", &said.time_zone),
        default_channel: line("default_channel", &said.default_channel),
        avatar_url: line("avatar_url", &said.avatar_url),
        company: line("company", &said.company),
        location: line("location", &said.location),
    };
    let emails = broken.read_all("profile.emails", &said.emails, Email::parse);
    let phones = broken.read_all("profile.phones", &said.phones, Phone::parse);
    Profile { emails, phones, ..profile }.without_repeats()
}

/// The contact as this viewer may see it: what colleagues add is not for the contact, and neither is what would tell that
/// something was added.
pub(crate) fn contact_for(viewer: &Viewer, contact: Contact) -> pb::Contact {
    let all = self::contact(contact);
    match viewer {
        Viewer::Inside => all,
        Viewer::Contact(_) => pb::Contact {
            etag: String::new(),
            tags: Vec::new(),
            attributes: Vec::new(),
            update_time: None,
            blocked: false,
            block: None,
            ..all
        },
    }
}

pub(crate) fn contact(contact: Contact) -> pb::Contact {
    let Contact { contact_id, version, profile, tags, identities, attributes, block, .. } = contact;
    let text = |line: Line| line.as_str().to_owned();
    pb::Contact {
        contact_id: contact_id.to_string(),
        etag: etag(version),
        display_name: text(profile.display_name),
        given_name: text(profile.given_name),
        family_name: text(profile.family_name),
        emails: profile.emails.iter().map(|email| email.as_str().to_owned()).collect(),
        phones: profile.phones.iter().map(|phone| phone.as_str().to_owned()).collect(),
        external_id: text(profile.external_id),
        language: text(profile.language),
        time_zone: text(profile.time_zone),
        default_channel: text(profile.default_channel),
        avatar_url: text(profile.avatar_url),
        company: text(profile.company),
        location: text(profile.location),
        tags: tags.iter().map(|tag| tag.as_str().to_owned()).collect(),
        identities: identities.into_iter().map(identity).collect(),
        create_time: Some(proto_time(contact.create_time)),
        update_time: Some(proto_time(contact.update_time)),
        attributes: attributes.into_iter().map(attribute::attribute).collect(),
        blocked: block.is_some(),
        block: block.map(block::said),
    }
}

fn identity(identity: Identity) -> pb::Identity {
    pb::Identity {
        channel: identity.channel.as_str().to_owned(),
        address: identity.address,
        create_time: Some(proto_time(identity.create_time)),
    }
}

pub(crate) fn contact_page(page: ContactPage) -> pb::ListContactsResponse {
    let contacts = page.contacts.into_iter().map(contact).collect();
    pb::ListContactsResponse { contacts, next_page_token: page.next_page_token }
}

pub(crate) fn tag_page(page: TagPage) -> pb::ListTagsResponse {
    let tag = |used: crate::store::tags::TagUse| pb::TagUse {
        tag: used.tag.as_str().to_owned(),
        contact_count: used.contact_count,
    };
    pb::ListTagsResponse {
        tags: page.tags.into_iter().map(tag).collect(),
        next_page_token: page.next_page_token,
    }
}
