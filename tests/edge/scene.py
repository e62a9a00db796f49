"""The people of the journey through the edge, and the conversation they work on."""

from __future__ import annotations

from backchannel.notes.v1 import note_pb2
from backchannel.routing.v1 import agent_pb2, conversation_pb2
from backchannel_client import Backchannel, patiently

from stage import Stage


class Scene:
    """Ana, an agent; Ben, whom she mentions; an admin; an adapter; the customer."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.edge = stage, stage.edge
        self.token, self.ben_token = stage.token("ana", "agent"), stage.token("ben", "agent")
        self.admin_token, self.adapter_token = stage.token("root", "admin"), stage.token("chat-adapter", "integration")
        self.ana, self.ben = self.api(self.token), self.api(self.ben_token)
        for person in (self.ana, self.ben):  # they appear
            patiently(person.agents.GetMyAgent, agent_pb2.GetMyAgentRequest())
        recorded = patiently(self.api(self.adapter_token).conversations.RecordMessage, conversation_pb2.RecordMessageRequest(
            channel="chat", external_id="c-1/0", direction=conversation_pb2.DIRECTION_INBOUND, conversation_external_id="c-1",
            contact_address="kim", contact_display_name="Kim Customer", source="airline", text="I lost my boarding pass"))
        self.conversation = recorded.conversation.conversation_id
        self.contact_token = stage.token(recorded.conversation.contact_id, "contact")

    def api(self, token: str) -> Backchannel:
        """The API through the edge, as the bearer of a token."""
        return Backchannel(self.edge.address, lambda: token)

    def mention_ben(self, body: str) -> str:
        """A note of Ana's which tells Ben; its id."""
        request = note_pb2.CreateNoteRequest(conversation_id=self.conversation, body=f"{body} @ben")
        return patiently(self.ana.notes.CreateNote, request).note.note_id
