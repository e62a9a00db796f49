"""What the contracts say about their RPCs, from the descriptors that the edge itself reads."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from backchannel.common.v1 import access_pb2
from google.api import annotations_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorSet, MethodDescriptorProto

NEVER_WAS = "01890a5d-ac96-774b-bcce-b302099a8057"


@dataclass(frozen=True)
class Rpc:
    path: str
    inside: bool
    """For our services alone."""
    public: bool
    """For anybody, without a token."""
    streams: bool
    takes_stream: bool
    bindings: tuple[tuple[str, str], ...]
    """Its addresses in REST: method and path, the ids in it being such as never were."""


def rpcs(descriptors: Path) -> list[Rpc]:
    """Every RPC, in the order of the contracts."""
    found = []
    for file in FileDescriptorSet.FromString(descriptors.read_bytes()).file:
        for service in file.service if file.package.startswith("backchannel.") else ():
            for method in service.method:
                access = method.options.Extensions[access_pb2.access]
                public = bool(getattr(access, "public", False))
                found.append(Rpc(
                    path=f"/{file.package}.{service.name}/{method.name}",
                    inside=not public and list(access.roles) == [access_pb2.ROLE_SERVICE],
                    public=public,
                    streams=method.client_streaming or method.server_streaming,
                    takes_stream=method.client_streaming,
                    bindings=tuple(_bindings(method)),
                ))
    return found


def _bindings(method: MethodDescriptorProto) -> list[tuple[str, str]]:
    if not method.options.HasExtension(annotations_pb2.http):
        return []
    rule = method.options.Extensions[annotations_pb2.http]
    made = []
    for each in (rule, *rule.additional_bindings):
        verb = each.WhichOneof("pattern") or ""
        made.append((verb.upper(), re.sub(r"\{[^}]+\}", NEVER_WAS, getattr(each, verb))))
    return made
