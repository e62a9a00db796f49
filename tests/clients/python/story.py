"""What happens on a day of two agents, in the order in which it happens."""

from __future__ import annotations

from backchannel.common.v1 import access_pb2
from backchannel.contacts.v1.contact_pb2 import GetContactRequest
from backchannel.notes.v1 import note_pb2 as notes
from backchannel.notifications.v1 import notification_pb2 as feed
from backchannel.routing.v1 import agent_pb2, assignment_pb2, team_pb2, workflow_pb2
from backchannel.routing.v1 import conversation_pb2 as routing
from google.protobuf.empty_pb2 import Empty

from backchannel_client import pages, patiently
from cast import Ear, World, equal, eventually


def message(conversation: str, source: str, text: str) -> routing.RecordMessageRequest:
    """What a customer writes first on the channel `chat`."""
    return routing.RecordMessageRequest(
        channel="chat",
        external_id=f"{conversation}/0",
        direction=routing.DIRECTION_INBOUND,
        conversation_external_id=conversation,
        contact_address=f"customer-of-{conversation}",
        contact_display_name="Kim Customer",
        source=source,
        text=text,
    )


class Story:
    """Each step builds on the ones before."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.people = {name: world.as_one(name, "agent", name=name.title()) for name in ("ana", "ben")}
        self.admin = world.as_one("root", "admin")
        self.adapter = world.as_one("chat-adapter", "integration")
        self.ears: dict[str, Ear] = {}

    def __enter__(self) -> Story:
        return self

    def __exit__(self, *_: object) -> None:
        for ear in self.ears.values():
            ear.stop()

    def _write(self, body: str) -> notes.Note:
        """A note of the assignee on the conversation."""
        request = notes.CreateNoteRequest(conversation_id=self.conversation.conversation_id, body=body)
        return patiently(self.author.notes.CreateNote, request).note

    def an_agent_appears_from_the_token_on_first_sight(self) -> None:
        self.agents: dict[str, agent_pb2.Agent] = {}
        for name, person in self.people.items():
            agent = person.agents.GetMyAgent(agent_pb2.GetMyAgentRequest()).agent
            equal((agent.subject, agent.username, agent.display_name, agent.role),
                  (name, name, name.title(), access_pb2.ROLE_AGENT), "profile")
            again = person.agents.GetMyAgent(agent_pb2.GetMyAgentRequest()).agent
            equal(again.agent_id, agent.agent_id, "agent at second sight")
            self.agents[name] = agent

    def an_admin_sets_agents_online_and_makes_them_a_team(self) -> None:
        for agent in self.agents.values():
            online = self.admin.agents.SetAvailability(agent_pb2.SetAvailabilityRequest(
                agent_id=agent.agent_id, availability=agent_pb2.AVAILABILITY_ONLINE, pinned=True)).agent
            equal((online.availability, online.availability_pinned), (agent_pb2.AVAILABILITY_ONLINE, True), "availability")
        ids = [agent.agent_id for agent in self.agents.values()]
        self.team = self.admin.teams.CreateTeam(
            team_pb2.CreateTeamRequest(handle="flights", display_name="Flights", agent_ids=ids)).team
        equal(self.team.member_count, 2, "members")

    def a_workflow_is_made_that_sends_a_source_to_the_team(self) -> None:
        spec = workflow_pb2.WorkflowSpec(
            name="airline to flights",
            trigger=workflow_pb2.TRIGGER_CONVERSATION_CREATED,
            condition="conversation.source == 'airline'",
            actions=[
                workflow_pb2.Action(assign_team=workflow_pb2.AssignTeam(
                    team_id=self.team.team_id, strategy=assignment_pb2.STRATEGY_ROUND_ROBIN)),
                workflow_pb2.Action(add_tags=workflow_pb2.AddTags(tags=["travel"])),
                workflow_pb2.Action(stop=Empty()),
            ],
        )
        made = self.admin.workflows.CreateWorkflow(workflow_pb2.CreateWorkflowRequest(spec=spec)).workflow
        equal((made.condition, list(made.actions)), (spec.condition, list(spec.actions)), "workflow")
        self.ears = {name: Ear(person) for name, person in self.people.items()}

    def a_message_of_a_customer_makes_the_contact_and_the_conversation(self) -> None:
        request = message("c-1", "airline", "I lost my boarding pass")
        recorded = self.adapter.conversations.RecordMessage(request)
        equal((recorded.conversation_created, recorded.duplicate), (True, False), "first time")
        again = self.adapter.conversations.RecordMessage(request)
        equal((again.duplicate, again.message), (True, recorded.message), "second time")
        self.conversation = recorded.conversation
        contact = self.adapter.contacts.GetContact(GetContactRequest(contact_id=self.conversation.contact_id)).contact
        equal([(each.channel, each.address) for each in contact.identities], [("chat", "customer-of-c-1")], "identities")
        equal(contact.display_name, "Kim Customer", "name of the contact")

    def the_conversation_becomes_the_work_of_an_agent(self) -> None:
        read = routing.GetConversationRequest(conversation_id=self.conversation.conversation_id)

        def assigned() -> routing.Conversation | None:
            conversation = patiently(self.admin.conversations.GetConversation, read).conversation
            return conversation if conversation.HasField("assignee") else None

        self.conversation = eventually("somebody has the conversation", assigned)
        equal((self.conversation.team_id, list(self.conversation.tags)), (self.team.team_id, ["travel"]), "what the workflow did")
        self.assignee = self.conversation.assignee.subject
        self.colleague = next(name for name in self.people if name != self.assignee)
        self.author = self.people[self.assignee]
        decisions = self.author.assignments.ExplainAssignment(
            assignment_pb2.ExplainAssignmentRequest(conversation_id=self.conversation.conversation_id)).decisions
        equal(decisions[0].chosen.subject, self.assignee, "who was chosen, as the decision explains it")

    def the_assignee_is_told_of_the_assignment(self) -> None:
        told = self.ears[self.assignee].hears()
        equal((told.type, told.conversation_id, told.sequence),
              (feed.NOTIFICATION_TYPE_ASSIGNED, self.conversation.conversation_id, 1), "notification")

    def a_mention_is_notified_and_an_unknown_name_refused(self) -> None:
        self.note = self._write(f"Lost pass. @{self.colleague}, have you seen this? @nobody-here")
        equal([(each.handle, each.outcome, each.refusal, list(each.subjects)) for each in self.note.mentions], [
            (self.colleague, notes.MENTION_OUTCOME_NOTIFIED, notes.MENTION_REFUSAL_UNSPECIFIED, [self.colleague]),
            ("nobody-here", notes.MENTION_OUTCOME_REFUSED, notes.MENTION_REFUSAL_UNKNOWN, []),
        ], "mentions")

    def the_colleague_is_told_of_the_mention_but_not_what_the_note_says(self) -> None:
        told = self.ears[self.colleague].hears()
        equal((told.type, told.note_id, told.actor.subject),
              (feed.NOTIFICATION_TYPE_MENTIONED, self.note.note_id, self.assignee), "notification")
        equal("Lost pass" in str(told), False, "content in the notification")

    def a_cut_stream_goes_on_with_nothing_lost_and_nothing_doubled(self) -> None:
        ear = self.ears[self.colleague]
        wrote = []
        for number in range(12):
            wrote.append(self._write(f"{number} @{self.colleague}").note_id)
            if number % 3 == 0:
                ear.watch.cut()
        equal([ear.hears().note_id for _ in wrote], wrote, "over a stream that was cut four times")
        token = ear.stop()
        missed = [self._write(f"{number} @{self.colleague}").note_id for number in range(3)]
        resumed = self.ears[self.colleague] = Ear(self.people[self.colleague], token)
        equal([resumed.hears().note_id for _ in missed], missed, "after a restart with the resume token")
        equal(ear.sequences + resumed.sequences, list(range(1, 17)), "sequence numbers, all in all")
        listed = pages(self.people[self.colleague].notifications.ListNotifications,
                       feed.ListNotificationsRequest(page_size=5), "notifications")
        equal([each.sequence for each in listed], list(range(16, 0, -1)), "the list of the same")
