"""The people of the journey, and how it looks at what they are told."""

from __future__ import annotations

import queue
import subprocess
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any, TypeVar

import grpc
from backchannel.common.v1 import error_pb2
from backchannel.notifications.v1.notification_pb2 import Notification

from backchannel_client import Backchannel, Refusal, Watch, patiently

Found = TypeVar("Found")

# Debug builds on a busy machine are slow; nothing waits this long when all is well.
PATIENCE = 30.0


class Broken(Exception):
    """A promise does not hold; the text says what came instead."""


class World:
    """A server, and an organization there that nobody used before."""

    def __init__(self, address: str, token_command: list[str]) -> None:
        self.address = address
        self.org = f"acme-{uuid.uuid4().hex[:8]}"
        self._token_command = token_command

    def token(self, subject: str, role: str, org: str | None = None, name: str | None = None) -> str:
        """A token from `backchannel token`."""
        command = [*self._token_command, "--org", org or self.org, "--sub", subject, "--role", role]
        command += ["--name", name] if name else []
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()

    def as_one(self, subject: str, role: str, org: str | None = None, name: str | None = None) -> Backchannel:
        """The API as this person."""
        token = self.token(subject, role, org, name)
        return Backchannel(self.address, lambda: token)

    def as_nobody(self) -> Backchannel:
        """The API without a token."""
        return Backchannel(self.address, None)


class Ear:
    """Somebody who listens to their notifications all the time."""

    def __init__(self, api: Backchannel, resume_token: str = "") -> None:
        self.watch = Watch(api, resume_token)
        self.sequences: list[int] = []
        """Of all notifications that were heard."""
        self._heard: queue.SimpleQueue[Notification | Exception] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        if not self.watch.opened.wait(PATIENCE):
            raise Broken("the stream did not open")

    def _listen(self) -> None:
        try:
            for notification in self.watch:
                self._heard.put(notification)
        except Exception as error:  # told to whoever waits for a notification
            self._heard.put(error)

    def hears(self) -> Notification:
        """The next notification."""
        try:
            heard = self._heard.get(timeout=PATIENCE)
        except queue.Empty:
            raise Broken(f"no notification came within {PATIENCE:.0f} s") from None
        if isinstance(heard, Exception):
            raise heard
        self.sequences.append(heard.sequence)
        return heard

    def stop(self) -> str:
        """Stops listening and returns where to go on."""
        self.watch.stop()
        self._thread.join(PATIENCE)
        return self.watch.resume_token


def equal(actual: object, expected: object, what: str) -> None:
    """Breaks the promise unless both are the same."""
    if actual != expected:
        raise Broken(f"{what}: expected {expected!r}, got {actual!r}")


def refused(call: Callable[[Any], Any], request: Any, code: grpc.StatusCode, reason: str) -> Refusal:
    """Makes a call which must be refused for this reason."""
    try:
        answer = patiently(call, request)
    except grpc.RpcError as error:
        refusal = Refusal.of(error)
    else:
        raise Broken(f"expected {code.name} {reason}, got the answer {answer}")
    equal((refusal.code, refusal.reason), (code, reason), "refusal")
    equal(refusal.domain, "backchannel.dev", "domain of the refusal")
    error_pb2.ErrorReason.Value(f"ERROR_REASON_{reason}")  # raises where the contract does not know it
    return refusal


def eventually(what: str, ask: Callable[[], Found | None]) -> Found:
    """Asks until there is an answer."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found := ask():
            return found
        time.sleep(0.05)
    raise Broken(f"it did not come about within {PATIENCE:.0f} s that {what}")
