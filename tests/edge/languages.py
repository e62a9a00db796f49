"""The edge as callers without gRPC see it: REST/JSON, as curl speaks it, and gRPC-Web, as browsers do."""

from __future__ import annotations

import base64
import http.client
import json
import struct
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import unquote, urlencode

from google.protobuf.message import Message
from google.rpc import status_pb2

Answer = TypeVar("Answer", bound=Message)
PATIENCE = 30.0


@dataclass
class Json:
    """An answer in JSON."""

    status: int
    headers: dict[str, str]
    body: Any

    def reasons(self) -> list[str]:
        """Of a refusal: the reasons of its ErrorInfos."""
        return [each["reason"] for each in self.body["details"] if each["@type"].endswith("/google.rpc.ErrorInfo")]


def request(address: str, method: str, path: str, token: str | None, body: Any = None, **headers: str) -> Json:
    """A call in JSON. Headers are named with `_` for `-`."""
    connection = http.client.HTTPConnection(address, timeout=PATIENCE)
    try:
        connection.request(method, path, None if body is None else json.dumps(body), _headers(token, "application/json", headers))
        answer = connection.getresponse()
        read = answer.read()
        named = {name.lower(): text for name, text in answer.getheaders()}
        return Json(answer.status, named, json.loads(read) if "json" in named.get("content-type", "") else read.decode())
    finally:
        connection.close()


def form(address: str, path: str, **fields: str) -> Json:
    """A form, as mail programs send it: without a token."""
    connection = http.client.HTTPConnection(address, timeout=PATIENCE)
    try:
        connection.request("POST", path, urlencode(fields), {"content-type": "application/x-www-form-urlencoded"})
        answer = connection.getresponse()
        return Json(answer.status, {name.lower(): text for name, text in answer.getheaders()}, json.loads(answer.read()))
    finally:
        connection.close()


def lines(address: str, path: str, token: str) -> Iterator[Any]:
    """A stream in JSON: one message for each line, as they come."""
    connection = http.client.HTTPConnection(address, timeout=PATIENCE)
    try:
        connection.request("GET", path, headers=_headers(token, "application/json", {}))
        answer = connection.getresponse()
        if answer.status != 200:
            raise RuntimeError(f"{answer.status}: {answer.read()!r}")
        while line := answer.readline():
            yield json.loads(line)
    finally:
        connection.close()


@dataclass
class Web:
    """The end of a call in gRPC-Web."""

    code: int
    message: str
    details: status_pb2.Status
    headers: dict[str, str] = field(default_factory=dict)


def web(address: str, path: str, token: str | None, sent: Message, kind: type[Answer], **headers: str) -> Generator[Answer | Web, None, None]:
    """A call in gRPC-Web: the messages of the answer as they come, then how it ended."""
    connection = http.client.HTTPConnection(address, timeout=PATIENCE)
    try:
        raw = sent.SerializeToString()
        connection.request("POST", path, struct.pack(">BI", 0, len(raw)) + raw, _headers(token, "application/grpc-web+proto", headers))
        answer = connection.getresponse()
        named = {name.lower(): text for name, text in answer.getheaders()}
        while head := answer.read(5):
            flags, size = struct.unpack(">BI", head)
            read = answer.read(size)
            if flags & 0x80:
                named |= _trailers(read)
            else:
                yield kind.FromString(read)
        details = named.get("grpc-status-details-bin", "").strip()
        yield Web(
            int(named.get("grpc-status", "-1")), unquote(named.get("grpc-message", "")),
            status_pb2.Status.FromString(base64.b64decode(details + "=" * (-len(details) % 4))), named)
    finally:
        connection.close()


def _trailers(read: bytes) -> dict[str, str]:
    pairs = (line.split(":", 1) for line in read.decode().split("\r\n") if line)
    return {name.lower().strip(): text.strip() for name, text in pairs}


def _headers(token: str | None, content_type: str, more: dict[str, str]) -> dict[str, str]:
    found = {"content-type": content_type, **{name.replace("_", "-"): text for name, text in more.items()}}
    if token is not None:
        found["authorization"] = f"Bearer {token}"
    return found
