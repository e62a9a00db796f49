"""What holds whatever happens: each promise for itself, on what the story left behind."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable

import grpc
from backchannel.common.v1 import access_pb2
from backchannel.contacts.v1.contact_pb2 import GetContactRequest
from backchannel.notes.v1 import note_pb2 as notes
from backchannel.notifications.v1 import ingest_pb2
from backchannel.notifications.v1 import notification_pb2 as feed
from backchannel.routing.v1 import conversation_pb2 as routing
from backchannel.routing.v1 import event_pb2
from google.protobuf.descriptor import MethodDescriptor

from backchannel_client import CONTRACTS, Refusal, pages, patiently
from cast import Broken, equal, refused
from story import Story, message

Code = grpc.StatusCode


def for_contacts(method: MethodDescriptor) -> bool:
    """Whether the contract lets contacts call this."""
    return access_pb2.ROLE_CONTACT in method.GetOptions().Extensions[access_pb2.access].roles


def between_services(method: MethodDescriptor) -> bool:
    """Whether the contract lets nobody else call this."""
    return list(method.GetOptions().Extensions[access_pb2.access].roles) == [access_pb2.ROLE_SERVICE]


class Promises:
    """Made to those who use the API, and to those whom it concerns."""

    def __init__(self, story: Story) -> None:
        self.world, self.story = story.world, story
        self.conversation, self.note, self.author = story.conversation, story.note, story.author
        self._once = notes.CreateNoteRequest(
            conversation_id=self.conversation.conversation_id, body="once", request_id=str(uuid.uuid4()))
        self.contact = self.world.as_one(self.conversation.contact_id, "contact")

    def the_same_request_id_gives_the_same_note(self) -> None:
        first = patiently(self.author.notes.CreateNote, self._once)
        equal(patiently(self.author.notes.CreateNote, self._once), first, "second answer")

    def the_same_request_id_with_another_payload_is_refused(self) -> None:
        request = notes.CreateNoteRequest(
            conversation_id=self.conversation.conversation_id, body="twice", request_id=self._once.request_id)
        refusal = refused(self.author.notes.CreateNote, request, Code.INVALID_ARGUMENT, "REQUEST_ID_REUSED")
        equal(refusal.metadata.get("request_id"), request.request_id, "metadata")

    def a_refusal_names_each_field_that_breaks_a_rule(self) -> None:
        request = notes.CreateNoteRequest(conversation_id="c-1", body="x" * 65_537, request_id="again")
        refusal = refused(self.author.notes.CreateNote, request, Code.INVALID_ARGUMENT, "INVALID_FIELD")
        equal(sorted(refusal.fields), ["body", "conversation_id", "request_id"], "fields")
        equal(all(refusal.fields.values()), True, "a description of each")

    def an_id_of_another_organization_is_not_found_like_one_that_never_was(self) -> None:
        stranger = self.world.as_one("ana", "admin", org=f"{self.world.org}-other")
        for call, ask, real in [
            (stranger.notes.GetNote, lambda id: notes.GetNoteRequest(note_id=id), self.note.note_id),
            (stranger.conversations.GetConversation, lambda id: routing.GetConversationRequest(conversation_id=id),
             self.conversation.conversation_id),
            (stranger.contacts.GetContact, lambda id: GetContactRequest(contact_id=id), self.conversation.contact_id),
        ]:
            never = str(uuid.uuid4())
            foreign = refused(call, ask(real), Code.NOT_FOUND, "NOT_FOUND")
            unknown = refused(call, ask(never), Code.NOT_FOUND, "NOT_FOUND")
            equal(repr(foreign).replace(real, never), repr(unknown), "refusal")

    def nobody_gets_in_without_a_token(self) -> None:
        nobody = self.world.as_nobody()
        refused(nobody.notes.GetNote, notes.GetNoteRequest(note_id=self.note.note_id), Code.UNAUTHENTICATED, "TOKEN_MISSING")

    def a_contact_reads_own_messages_and_nothing_internal(self) -> None:
        listed = pages(self.contact.conversations.ListMessages,
                       routing.ListMessagesRequest(conversation_id=self.conversation.conversation_id), "messages")
        equal([each.text for each in listed], ["I lost my boarding pass"], "own messages")
        own = self.contact.conversations.GetConversation(
            routing.GetConversationRequest(conversation_id=self.conversation.conversation_id)).conversation
        equal((own.HasField("assignee"), own.team_id, list(own.tags), own.etag), (False, "", [], ""), "what is internal")
        other = self.story.adapter.conversations.RecordMessage(message("c-2", "elsewhere", "I am another")).conversation
        refused(self.contact.conversations.ListMessages,
                routing.ListMessagesRequest(conversation_id=other.conversation_id), Code.NOT_FOUND, "NOT_FOUND")

    def a_contact_is_refused_by_all_rpcs_of_notes_and_by_all_others_not_meant_for_contacts(self) -> None:
        contracts = [*CONTRACTS, event_pb2.DESCRIPTOR, ingest_pb2.DESCRIPTOR]
        methods = [method for contract in contracts for service in contract.services_by_name.values()
                   for method in service.methods]
        if os.environ.get("THROUGH_EDGE"):  # nobody reaches the RPCs between services there, whoever they are: tests/edge looks at those
            methods = [method for method in methods if not between_services(method)]
        closed = [method for method in methods if not for_contacts(method)]
        for method in methods:
            if method.containing_service.name == "NoteService":
                equal(method in closed, True, f"{method.full_name} is closed to contacts by its contract")
        for method in closed:
            try:
                refused(self._bytes_of(method), b"", Code.PERMISSION_DENIED, "ROLE_NOT_ALLOWED")
            except Broken as broken:
                raise Broken(f"{method.full_name}: {broken}") from None

    def _bytes_of(self, method: MethodDescriptor) -> Callable[[bytes], list[bytes]]:
        """Calls any RPC as the contact, as if it answered with a stream: that fits unary ones too."""
        rpc = self.contact.channel.unary_stream(f"/{method.containing_service.full_name}/{method.name}")
        return lambda request: list(rpc(request, timeout=10))

    def a_stale_etag_is_refused_and_changes_nothing(self) -> None:
        def update(body: str) -> notes.UpdateNoteRequest:
            return notes.UpdateNoteRequest(note_id=self.note.note_id, body=body, etag=self.note.etag)

        updated = patiently(self.author.notes.UpdateNote, update("Found it.")).note
        equal((updated.body, updated.revision), ("Found it.", 2), "the note after the edit")
        refusal = refused(self.author.notes.UpdateNote, update("Lost update."), Code.ABORTED, "STALE_ETAG")
        equal(refusal.metadata.get("etag"), updated.etag, "etag that the refusal names")
        equal(patiently(self.author.notes.GetNote, notes.GetNoteRequest(note_id=self.note.note_id)).note, updated, "note")

    def pages_give_each_of_120_notes_once(self) -> None:
        conversation = self.story.adapter.conversations.RecordMessage(message("c-3", "elsewhere", "hello")).conversation
        wrote = [str(number) for number in range(120)]
        for body in wrote:
            patiently(self.author.notes.CreateNote,
                      notes.CreateNoteRequest(conversation_id=conversation.conversation_id, body=body))
        request = notes.ListNotesRequest(conversation_id=conversation.conversation_id, page_size=50)
        equal([note.body for note in pages(self.author.notes.ListNotes, request, "notes")], wrote, "notes")

    def who_calls_too_often_is_told_when_to_come_again(self) -> None:
        hasty = self.world.as_one("hasty", "agent").notifications.GetUnreadCount
        request = feed.GetUnreadCountRequest()
        refusals = [Refusal.of(each.exception()) for each in [hasty.future(request) for _ in range(200)] if each.exception()]
        equal({(each.code, each.reason) for each in refusals}, {(Code.RESOURCE_EXHAUSTED, "RATE_LIMITED")}, "refusals")
        equal(all(each.retry_after for each in refusals), True, "RetryInfo in each")
        equal(patiently(hasty, request).unread_count, 0, "answer to who came again")
