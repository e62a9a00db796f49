"""What a program in Python needs beyond the generated stubs. An example to copy from.

    ana = Backchannel("127.0.0.1:50051", token=lambda: "eyJ...")
    for note in pages(ana.notes.ListNotes, ListNotesRequest(conversation_id=conversation_id), "notes"):
        ...
    for notification in Watch(ana):
        ...
    try:
        ana.notes.CreateNote(request)
    except grpc.RpcError as error:
        print(Refusal.of(error).reason)
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

import grpc
from backchannel.common.v1 import stream_pb2
from backchannel.contacts.v1 import contact_pb2, contact_pb2_grpc
from backchannel.notes.v1 import note_pb2, note_pb2_grpc
from backchannel.notifications.v1 import notification_pb2, notification_pb2_grpc
from backchannel.routing.v1 import agent_pb2, agent_pb2_grpc, assignment_pb2, assignment_pb2_grpc
from backchannel.routing.v1 import conversation_pb2, conversation_pb2_grpc, directory_pb2, directory_pb2_grpc
from backchannel.routing.v1 import team_pb2, team_pb2_grpc, workflow_pb2, workflow_pb2_grpc
from google.protobuf.descriptor_pb2 import MethodOptions
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

Answer = TypeVar("Answer", bound=Message)

CONTRACTS = [
    module.DESCRIPTOR
    for module in (
        agent_pb2, assignment_pb2, contact_pb2, conversation_pb2, directory_pb2, note_pb2, notification_pb2, team_pb2,
        workflow_pb2,
    )
]

DEADLINE = "10s"


class Backchannel:
    """The API as the bearer of a token sees it."""

    def __init__(
        self,
        address: str,
        token: Callable[[], str] | None,
        transport: grpc.ChannelCredentials | None = None,
        config: str | None = None,
    ) -> None:
        """`token` is asked before each call, so it can bring a fresh one in time. `transport` is
        `grpc.ssl_channel_credentials()` for a server elsewhere; without it gRPC sends plain text, to this machine only. `config`
        takes the place of `service_config()`."""
        credentials = transport or grpc.local_channel_credentials()
        if token:
            credentials = grpc.composite_channel_credentials(credentials, grpc.metadata_call_credentials(_Bearer(token)))
        self.channel = grpc.secure_channel(address, credentials, options=[
            ("grpc.service_config", config or service_config()),
            # A connection that died without a word is noticed after 30 seconds.
            ("grpc.keepalive_time_ms", 20_000),
            ("grpc.keepalive_timeout_ms", 10_000),
        ])
        self.agents = agent_pb2_grpc.AgentServiceStub(self.channel)
        self.assignments = assignment_pb2_grpc.AssignmentServiceStub(self.channel)
        self.contacts = contact_pb2_grpc.ContactServiceStub(self.channel)
        self.conversations = conversation_pb2_grpc.ConversationServiceStub(self.channel)
        self.directory = directory_pb2_grpc.DirectoryServiceStub(self.channel)
        self.notes = note_pb2_grpc.NoteServiceStub(self.channel)
        self.notifications = notification_pb2_grpc.NotificationServiceStub(self.channel)
        self.teams = team_pb2_grpc.TeamServiceStub(self.channel)
        self.workflows = workflow_pb2_grpc.WorkflowServiceStub(self.channel)


class _Bearer(grpc.AuthMetadataPlugin):
    def __init__(self, token: Callable[[], str]) -> None:
        self._token = token

    def __call__(self, context: grpc.AuthMetadataContext, callback: grpc.AuthMetadataPluginCallback) -> None:
        callback((("authorization", f"Bearer {self._token()}"),), None)


def service_config() -> str:
    """Deadlines, and which calls gRPC repeats by itself while nobody answers: those which the contract calls safe to repeat."""
    configs: list[dict[str, Any]] = []
    for service in (service for contract in CONTRACTS for service in contract.services_by_name.values()):
        for method in service.methods:
            config: dict[str, Any] = {"name": [{"service": service.full_name, "method": method.name}]}
            if not method.server_streaming:
                config["timeout"] = DEADLINE
            if method.GetOptions().idempotency_level != MethodOptions.IDEMPOTENCY_UNKNOWN:
                config["retryPolicy"] = {
                    "maxAttempts": 4,
                    "initialBackoff": "0.1s",
                    "maxBackoff": "2s",
                    "backoffMultiplier": 3,
                    "retryableStatusCodes": ["UNAVAILABLE"],
                }
            configs.append(config)
    return json.dumps({"methodConfig": configs})


@dataclass(frozen=True)
class Refusal:
    """Why a call was refused, as a program can act on it."""

    code: grpc.StatusCode
    message: str
    reason: str = ""
    """An `ErrorReason` of backchannel/common/v1/error.proto, without its prefix. Empty: the refusal is not the server's own."""
    domain: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)
    """The fields which break their rules, and how."""
    retry_after: float | None = None
    """Seconds after which to come again, where the server says so."""

    @classmethod
    def of(cls, error: grpc.RpcError) -> Refusal:
        """Reads the google.rpc.Status that comes with an error."""
        found: dict[str, Any] = {}
        trailers: dict[str, Any] = dict(error.trailing_metadata() or ())
        for detail in status_pb2.Status.FromString(trailers.get("grpc-status-details-bin", b"")).details:
            info, invalid, retry = (
                error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest(), error_details_pb2.RetryInfo())
            if detail.Unpack(info):
                found |= {"reason": info.reason, "domain": info.domain, "metadata": dict(info.metadata)}
            elif detail.Unpack(invalid):
                found["fields"] = {each.field: each.description for each in invalid.field_violations}
            elif detail.Unpack(retry):
                found["retry_after"] = retry.retry_delay.ToTimedelta().total_seconds()
        return cls(error.code(), error.details() or "", **found)


def patiently(call: Callable[[Any], Answer], request: Message, tries: int = 20) -> Answer:
    """Calls, and comes again when the server says so. Safe for every call: one that was RESOURCE_EXHAUSTED had no effect."""
    while True:
        try:
            return call(request)
        except grpc.RpcError as error:
            refusal = Refusal.of(error)
            tries -= 1
            if refusal.code != grpc.StatusCode.RESOURCE_EXHAUSTED or refusal.retry_after is None or not tries:
                raise
            time.sleep(refusal.retry_after)


def pages(call: Callable[[Any], Any], request: Any, items: str) -> Iterator[Any]:
    """Everything that a list holds, page after page. `items` names the repeated field of the answer."""
    page = type(request)()
    page.CopyFrom(request)
    while True:
        answer = patiently(call, page)
        yield from getattr(answer, items)
        page.page_token = answer.next_page_token
        if not page.page_token:
            return


class ResyncRequired(Exception):
    """The resume token is older than what the server keeps: list the notifications, then watch without a token."""


class Watch:
    """A person's notifications as they come: in order, each once, none missing, across any number of cuts."""

    PASSING = {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.CANCELLED,
    }
    SHORTEST_PAUSE = 0.1
    LONGEST_PAUSE = 30.0

    def __init__(self, api: Backchannel, resume_token: str = "") -> None:
        """Begins behind the token of an earlier watch, or with what happens from now on."""
        self.resume_token = resume_token
        """The place behind the last notification that the loop is through with. Keep it to go on there after a restart."""
        self.opened = threading.Event()
        self._api = api
        self._call: Any = None
        self._stopped = threading.Event()

    def __iter__(self) -> Iterator[notification_pb2.Notification]:
        pause = self.SHORTEST_PAUSE
        while not self._stopped.is_set():
            try:
                for frame in self._subscribe():
                    kind = frame.WhichOneof("frame")
                    if kind == "resync_required":
                        raise ResyncRequired
                    if kind == "notification":
                        yield frame.notification
                    # Only after the yield: a notification whose handling failed comes again.
                    self.resume_token = frame.resume_token or self.resume_token
                    self.opened.set()
                    if kind in ("notification", "heartbeat"):
                        pause = self.SHORTEST_PAUSE
            except grpc.RpcError as error:
                if error.code() not in self.PASSING:
                    raise
            finally:
                self.cut()
            # Of random length, so that a crowd which was cut off at once does not come back at once.
            self._stopped.wait(pause * random.uniform(0.5, 1.0))
            pause = min(pause * 2, self.LONGEST_PAUSE)

    def cut(self) -> None:
        """Drops the connection, as a change of network does. The loop goes on with a new one."""
        if self._call:
            self._call.cancel()

    def stop(self) -> None:
        """Ends the loop, from whichever thread."""
        self._stopped.set()
        self.cut()

    def _subscribe(self) -> Any:
        start = stream_pb2.StreamStart(resume_token=self.resume_token) if self.resume_token else None
        self._call = self._api.notifications.Subscribe(notification_pb2.SubscribeRequest(start=start))
        if self._stopped.is_set():  # between the loop's look at it and here
            self.cut()
        return self._call
