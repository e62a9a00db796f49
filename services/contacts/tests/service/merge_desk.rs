//! What tests of merges call the service with.

use kernel::Role;
use proto::contacts::v1::attribute_value::Value;
use proto::contacts::v1::merge_service_client::MergeServiceClient;
use proto::contacts::v1::*;
use testkit::{Client, Engine, Suite};
use tonic::Status;

use crate::desk::{
    Attributes, Contacts, Lists, agent, attributes, create, define, get, lists, set, texts, value,
};

pub(crate) type Merges = MergeServiceClient<Client>;

/// The service, and `acme`'s people who call it.
pub(crate) struct Desk {
    pub(crate) suite: Suite,
    pub(crate) contacts: Contacts,
    pub(crate) merges: Merges,
    pub(crate) lists: Lists,
    pub(crate) attributes: Attributes,
}

impl Desk {
    pub(crate) async fn on(engine: Engine) -> Self {
        Self::of(crate::desk::suite(engine).await)
    }

    pub(crate) fn of(suite: Suite) -> Self {
        Self {
            contacts: agent(&suite),
            merges: MergeServiceClient::new(suite.client("acme", "ana", Role::Agent)),
            lists: lists(&suite),
            attributes: attributes(&suite),
            suite,
        }
    }

    /// A contact with an email, a phone, an address on `chat`, tags, and a name and company. `n` makes all of them its own.
    pub(crate) async fn contact(&mut self, n: u32, company: &str) -> Contact {
        let profile = ContactProfile {
            display_name: format!("Person {n}"),
            emails: vec![format!("Person{n}@x.org")],
            phones: vec![format!("+49 89 {}", 100_000 + n)],
            external_id: format!("crm-{n}"),
            company: company.to_owned(),
            ..ContactProfile::default()
        };
        let made = create(&mut self.contacts, profile).await.unwrap();
        let request = TagContactRequest {
            contact_id: made.contact_id.clone(),
            add: texts(&["both", &format!("tag-{n}")]),
            remove: vec![],
        };
        self.contacts.tag_contact(request).await.unwrap();
        // The owner of the number is known on another channel, too.
        let number = format!("+4989{}", 100_000 + n);
        let resolve = crate::desk::resolve(&mut self.contacts, "whatsapp", &number).await.unwrap();
        assert_eq!(resolve.contact.unwrap().contact_id, made.contact_id);
        self.get(&made.contact_id).await
    }

    pub(crate) async fn get(&mut self, contact_id: &str) -> Contact {
        get(&mut self.contacts, contact_id).await.unwrap()
    }

    /// Defines attributes `plan` (a choice) and `city` (a text).
    pub(crate) async fn define(&mut self) {
        define(&mut self.attributes, "plan", AttributeType::Choice).await.unwrap();
        define(&mut self.attributes, "city", AttributeType::Text).await.unwrap();
    }

    pub(crate) async fn set(&mut self, contact: &Contact, values: &[(&str, &str)]) -> Contact {
        let value = |(key, text): &(&str, &str)| {
            let of = if *key == "plan" { Value::Choice } else { Value::Text };
            value(key, of((*text).to_owned()))
        };
        set(&mut self.attributes, contact, values.iter().map(value).collect()).await.unwrap()
    }

    /// A list with these contacts.
    pub(crate) async fn list(&mut self, name: &str, contacts: &[&Contact]) -> ContactList {
        let request = CreateListRequest { display_name: name.to_owned(), ..Default::default() };
        let list = self.lists.create_list(request).await.unwrap().into_inner().list.unwrap();
        if contacts.is_empty() {
            return list;
        }
        let contact_ids = contacts.iter().map(|contact| contact.contact_id.clone()).collect();
        let request = AddListMembersRequest { list_id: list.list_id, contact_ids };
        self.lists.add_list_members(request).await.unwrap().into_inner().list.unwrap()
    }

    /// The names of the lists on which a contact is, with their number of members.
    pub(crate) async fn lists_of(&mut self, contact_id: &str) -> Vec<(String, i64)> {
        let request = ListContactListsRequest { contact_id: contact_id.to_owned(), ..Default::default() };
        let answer = self.lists.list_contact_lists(request).await.unwrap().into_inner();
        let mut lists: Vec<_> =
            answer.lists.into_iter().map(|list| (list.display_name, list.member_count)).collect();
        lists.sort();
        lists
    }

    pub(crate) async fn merge(
        &mut self,
        from: &Contact,
        into: &Contact,
    ) -> Result<MergeContactsResponse, Status> {
        Ok(self.merges.merge_contacts(merge_request(from, into)).await?.into_inner())
    }

    pub(crate) async fn merge_id(&mut self, from: &Contact, into: &Contact) -> String {
        self.merge(from, into).await.unwrap().merge.unwrap().merge_id
    }

    pub(crate) async fn unmerge(&mut self, merge_id: &str) -> Result<UnmergeContactsResponse, Status> {
        let request = UnmergeContactsRequest { merge_id: merge_id.to_owned(), ..Default::default() };
        Ok(self.merges.unmerge_contacts(request).await?.into_inner())
    }
}

pub(crate) fn merge_request(from: &Contact, into: &Contact) -> MergeContactsRequest {
    MergeContactsRequest {
        from_contact_id: from.contact_id.clone(),
        into_contact_id: into.contact_id.clone(),
        ..Default::default()
    }
}

/// A contact on the wire, but for when it changed last and its etag.
pub(crate) fn bytes(contact: Contact) -> Vec<u8> {
    use prost::Message;
    Contact { etag: String::new(), update_time: None, ..contact }.encode_to_vec()
}
