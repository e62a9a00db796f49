"""An endpoint that is told what happens, and checks that it is Backchannel who says so (Standard Webhooks)."""

from __future__ import annotations

import json
import queue
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from backchannel.notes.v1 import note_pb2 as notes
from backchannel.notifications.v1 import webhook_event_pb2 as events
from backchannel.notifications.v1 import webhook_pb2 as webhooks
from backchannel.notifications.v1 import webhook_pb2_grpc
from standardwebhooks import Webhook, WebhookVerificationError

from backchannel_client import patiently
from cast import PATIENCE, Broken, equal
from story import Story

TEXT = "only for those who asked for it"


class Endpoint:
    """A web server that keeps the calls which it was sent, as they came."""

    def __init__(self) -> None:
        self.calls: queue.SimpleQueue[tuple[dict[str, str], bytes]] = queue.SimpleQueue()
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                endpoint.calls.put(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/backchannel"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def is_called(self) -> tuple[dict[str, str], bytes]:
        """The next call."""
        try:
            return self.calls.get(timeout=PATIENCE)
        except queue.Empty:
            raise Broken(f"no call came within {PATIENCE:.0f} s") from None


class Webhooks:
    """Each step builds on the ones before."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self._api = webhook_pb2_grpc.WebhookServiceStub(story.admin.channel)
        self._endpoint = Endpoint()

    def _verified(self) -> Any:
        """What the next call says, if the library finds its signature right, and wrong as soon as anything is changed."""
        headers, body = self._endpoint.is_called()
        said = Webhook(self.secret).verify(body, headers)
        for forged_headers, forged_body in [
            (headers, body + b" "),
            ({**headers, "webhook-id": "another"}, body),
            ({**headers, "webhook-timestamp": str(int(headers["webhook-timestamp"]) + 1)}, body),
        ]:
            try:
                Webhook(self.secret).verify(forged_body, forged_headers)
            except WebhookVerificationError:
                continue
            raise Broken("a forged call passes")
        return said if isinstance(said, dict) else json.loads(body)

    def an_admin_makes_a_webhook_and_sees_its_secret_once(self) -> None:
        made = self._api.CreateWebhook(webhooks.CreateWebhookRequest(
            url=self._endpoint.url, event_types=[events.WEBHOOK_EVENT_TYPE_NOTE_CREATED], include_private=True))
        self.webhook, self.secret = made.webhook, made.secret
        read = self._api.GetWebhook(webhooks.GetWebhookRequest(webhook_id=self.webhook.webhook_id))
        equal(made.secret.removeprefix("whsec_") in str(read), False, "the secret in what is read later")

    def a_trial_reaches_the_endpoint_signed(self) -> None:
        tested = self._api.TestWebhook(webhooks.TestWebhookRequest(webhook_id=self.webhook.webhook_id))
        equal((tested.accepted, tested.response_status), (True, 204), "what the endpoint answered")
        said = self._verified()
        equal((said["type"], said["data"]), ("webhook.ping", {"webhook_id": self.webhook.webhook_id}), "ping")

    def a_note_that_is_written_is_told_signed(self) -> None:
        # Services ask every few seconds what webhooks want: the first notes may be too early.
        wrote: list[str] = []
        for _ in range(int(PATIENCE)):
            request = notes.CreateNoteRequest(conversation_id=self.story.conversation.conversation_id, body=TEXT)
            wrote.append(patiently(self.story.author.notes.CreateNote, request).note.note_id)
            try:
                self._endpoint.calls.put(self._endpoint.calls.get(timeout=1))
            except queue.Empty:
                continue
            break
        said = self._verified()
        equal((said["type"], said["data"]["note_id"] in wrote), ("note.created", True), "event")
        equal(said["data"]["private_text"], TEXT, "what the note says, as it was asked for")
