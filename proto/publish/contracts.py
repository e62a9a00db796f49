"""The contracts as their descriptors say them, with the comments and options that concern who reads or calls them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROLES = {"CONTACT": "contact", "AGENT": "agent", "SUPERVISOR": "supervisor", "ADMIN": "admin",
         "INTEGRATION": "integration", "SERVICE": "service"}

# The places of things in a file, as descriptor.proto numbers them.
PACKAGE, MESSAGES, ENUMS, SERVICES = 2, 4, 5, 6
FIELDS, VALUES, METHODS, NESTED, ONEOFS = 2, 2, 2, 3, 8


@dataclass
class Field:
    name: str
    json_name: str
    type: str
    """`string`, `int64`..., or the full name of a message or enum."""
    repeated: bool
    comment: str
    rules: dict[str, Any]
    behavior: list[str]
    oneof: str | None
    optional: bool
    map_of: tuple[Field, Field] | None = None

    @property
    def required(self) -> bool:
        return "REQUIRED" in self.behavior or bool(self.rules.get("required"))


@dataclass
class Message:
    name: str
    comment: str
    fields: list[Field]
    oneofs: dict[str, str]
    """Name to comment."""
    required_oneofs: set[str] = field(default_factory=set)


@dataclass
class Enum:
    name: str
    comment: str
    values: list[tuple[str, str, int]]
    """Name, comment and number."""


@dataclass
class Binding:
    verb: str
    path: str
    body: str


@dataclass
class Method:
    name: str
    service: str
    comment: str
    input: str
    output: str
    client_streaming: bool
    server_streaming: bool
    idempotency: str
    roles: list[str]
    public: bool
    """Whether anybody may call, without a token."""
    bindings: list[Binding]

    @property
    def internal(self) -> bool:
        """Whether only our own services call it: the edge does not let it through."""
        return self.roles == ["service"]

    @property
    def callers(self) -> str:
        """Who may call, in words."""
        if self.public:
            return "anybody, without a bearer token"
        return "our own services only" if self.internal else f"roles: {', '.join(self.roles)}"

    @property
    def repeatable(self) -> bool:
        """Whether the same call twice is as good as once, whatever it says."""
        return self.idempotency in ("NO_SIDE_EFFECTS", "IDEMPOTENT")


@dataclass
class Service:
    name: str
    comment: str
    methods: list[Method]


@dataclass
class Package:
    name: str
    comment: str
    services: list[Service] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    enums: list[Enum] = field(default_factory=list)


class Contracts:
    """Everything that is ours, and of what is not ours the messages that ours are made of."""

    def __init__(self, image: Path) -> None:
        self.packages: dict[str, Package] = {}
        self.messages: dict[str, Message] = {}
        self.enums: dict[str, Enum] = {}
        for file in json.loads(image.read_text())["file"]:
            self._read(file)

    def methods(self) -> list[Method]:
        return [method for package in self.packages.values() for service in package.services for method in service.methods]

    def _read(self, file: dict[str, Any]) -> None:
        comments = {
            tuple(place.get("path", [])): unwrapped(place.get("leadingComments", ""))
            for place in file.get("sourceCodeInfo", {}).get("location", [])
        }
        name = file.get("package", "")
        package = None
        if name.startswith("backchannel."):
            package = self.packages.setdefault(name, Package(name, ""))
            package.comment = package.comment or comments.get((PACKAGE,), "")
        for index, one in enumerate(file.get("messageType", [])):
            message = _message(name, one, comments, (MESSAGES, index))
            self.messages[message.name] = message
            # Ours have none inside; those of google.rpc do.
            for nested, inner in enumerate(one.get("nestedType", [])):
                part = _message(message.name, inner, comments, (MESSAGES, index, NESTED, nested))
                self.messages[part.name] = part
            if package:
                package.messages.append(message)
        for index, one in enumerate(file.get("enumType", [])):
            place = (ENUMS, index)
            values = [(v["name"], comments.get((*place, VALUES, i), ""), v["number"]) for i, v in enumerate(one["value"])]
            enum = Enum(f"{name}.{one['name']}", comments.get(place, ""), values)
            self.enums[enum.name] = enum
            if package:
                package.enums.append(enum)
        for index, one in enumerate(file.get("service", []) if package else []):
            place = (SERVICES, index)
            full = f"{name}.{one['name']}"
            methods = [_method(full, m, comments.get((*place, METHODS, i), "")) for i, m in enumerate(one["method"])]
            package.services.append(Service(full, comments.get(place, ""), methods))


def _message(package: str, one: dict[str, Any], comments: dict[tuple[int, ...], str], place: tuple[int, ...]) -> Message:
    entries = {f".{package}.{one['name']}.{it['name']}": it for it in one.get("nestedType", [])
               if it.get("options", {}).get("mapEntry")}
    oneofs = one.get("oneofDecl", [])
    fields = []
    for index, it in enumerate(one.get("field", [])):
        entry = entries.get(it.get("typeName", ""))
        made = _field(it, comments.get((*place, FIELDS, index), ""), oneofs)
        if entry:
            key, value = (_field(part, "", []) for part in entry["field"])
            made.map_of, made.repeated = (key, value), False
        fields.append(made)
    # A field that may be absent is, to the descriptor, one of a oneof of its own.
    real = {it["name"]: comments.get((*place, ONEOFS, i), "") for i, it in enumerate(oneofs) if not it["name"].startswith("_")}
    required = {it["name"] for it in oneofs if it.get("options", {}).get("[buf.validate.oneof]", {}).get("required")}
    return Message(f"{package}.{one['name']}", comments.get(place, ""), fields, real, required)


def _field(one: dict[str, Any], comment: str, oneofs: list[dict[str, Any]]) -> Field:
    options = one.get("options", {})
    optional = bool(one.get("proto3Optional"))
    kind = one["typeName"].lstrip(".") if "typeName" in one else one["type"].removeprefix("TYPE_").lower()
    return Field(
        name=one["name"],
        json_name=one["jsonName"],
        type=kind,
        repeated=one.get("label") == "LABEL_REPEATED",
        comment=comment,
        rules=options.get("[buf.validate.field]", {}),
        behavior=options.get("[google.api.field_behavior]", []),
        oneof=oneofs[one["oneofIndex"]]["name"] if "oneofIndex" in one and not optional else None,
        optional=optional,
    )


def _method(service: str, one: dict[str, Any], comment: str) -> Method:
    options = one["options"]
    http = options.get("[google.api.http]")
    access = options["[backchannel.common.v1.access]"]
    bindings = [_binding(it) for it in [http, *http.get("additionalBindings", [])]] if http else []
    return Method(
        name=one["name"],
        service=service,
        comment=comment,
        input=one["inputType"].lstrip("."),
        output=one["outputType"].lstrip("."),
        client_streaming=bool(one.get("clientStreaming")),
        server_streaming=bool(one.get("serverStreaming")),
        idempotency=options.get("idempotencyLevel", "IDEMPOTENCY_UNKNOWN"),
        roles=[ROLES[role.removeprefix("ROLE_")] for role in access.get("roles", [])],
        public=bool(access.get("public")),
        bindings=bindings,
    )


def _binding(rule: dict[str, Any]) -> Binding:
    verb = next(verb for verb in ("get", "post", "put", "patch", "delete") if verb in rule)
    return Binding(verb, rule[verb], rule.get("body", ""))


def unwrapped(comment: str) -> str:
    """A comment without its line breaks; paragraphs, lists and tables keep theirs."""
    paragraphs: list[str] = []
    for block in comment.strip().split("\n\n"):
        lines = [line.removeprefix(" ") for line in block.split("\n")]
        kept = any(line.lstrip().startswith(("- ", "* ", "|", "```", "    ")) for line in lines)
        paragraphs.append("\n".join(lines).strip("\n") if kept else " ".join(line.strip() for line in lines))
    return "\n\n".join(paragraphs).strip()
