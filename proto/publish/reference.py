"""The reference: a page for each package, from the comments of the contracts, and one that leads to them."""

from __future__ import annotations

import re

from contracts import Contracts, Enum, Field, Message, Method, Package, Service

REPEATING = {
    "NO_SIDE_EFFECTS": "reads; may be repeated",
    "IDEMPOTENT": "may be repeated",
    "IDEMPOTENCY_UNKNOWN": "may be repeated with the same `request_id`",
}

INTRODUCTION = """# API reference

Made from the comments of the contracts in [proto/backchannel](../../proto/backchannel) by `proto/publish/run`; edit those.

| file | for |
|---|---|
PAGES
| [openapi.json](openapi.json) | OpenAPI 3.1: the public RPCs as JSON through the edge |
| [grpc_service_config.json](grpc_service_config.json) | retry policies and deadlines of each RPC, for gRPC clients of every language |

How a gRPC client takes the service config: Python `options=[("grpc.service_config", text)]`, Go `grpc.WithDefaultServiceConfig(text)`, Java
`defaultServiceConfig(map)`, Node `{"grpc.service_config": text}`, C++ `ChannelArguments::SetServiceConfigJSON`. It repeats what may be repeated
without looking at it. A call with a `request_id` may be repeated as well, with the same request: that is for the program to do.
"""


def pages(contracts: Contracts) -> dict[str, str]:
    """File names and their texts."""
    home = {message.name: package.name for package in contracts.packages.values() for message in package.messages}
    home |= {enum.name: package.name for package in contracts.packages.values() for enum in package.enums}
    made = {_file(name): _page(package, home) for name, package in contracts.packages.items()}
    rows = [f"| [{_file(name)}]({_file(name)}) | {_row(_first_line(package))} |" for name, package in sorted(contracts.packages.items())]
    return {"README.md": INTRODUCTION.replace("PAGES", "\n".join(rows)), **made}


def _file(package: str) -> str:
    return package.split(".")[1] + ".md"


def _first_line(package: Package) -> str:
    services = ", ".join(_short(service.name) for service in package.services)
    return services or "what all others share"


def _page(package: Package, home: dict[str, str]) -> str:
    parts = [f"# {package.name}", package.comment]
    parts += [_service(service, home) for service in sorted(package.services, key=lambda it: it.name)]
    if package.messages:
        parts += ["## Messages", *[_message(message, home) for message in sorted(package.messages, key=lambda it: it.name)]]
    if package.enums:
        parts += ["## Enums", *[_enum(enum) for enum in sorted(package.enums, key=lambda it: it.name)]]
    return "\n\n".join(part for part in parts if part) + "\n"


def _service(service: Service, home: dict[str, str]) -> str:
    return "\n\n".join([f"## {_short(service.name)}", service.comment, *[_method(method, home) for method in service.methods]])


def _method(method: Method, home: dict[str, str]) -> str:
    said = ["stream " if method.client_streaming else "", "stream " if method.server_streaming else ""]
    facts = [f"`{method.service}/{method.name}`: {said[0]}{_type(method.input, home)} → {said[1]}{_type(method.output, home)}"]
    facts += [f"`{binding.verb.upper()} {binding.path}`" + (f" (body: `{binding.body}`)" if binding.body else "") for binding in method.bindings]
    facts.append(method.callers)
    facts.append(REPEATING[method.idempotency])
    return "\n\n".join([f"### {method.name}", method.comment, "\n".join(f"- {fact}" for fact in facts)])


def _message(message: Message, home: dict[str, str]) -> str:
    title = [f"### {_short(message.name)}", message.comment]
    for name, comment in message.oneofs.items():
        most = "Exactly" if name in message.required_oneofs else "At most"
        members = [f"`{field.name}`" for field in message.fields if field.oneof == name]
        title.append(f"`{name}`: {most.lower()} one of {', '.join(members)}. {comment}".strip())
    if not message.fields:
        return "\n\n".join([*title, "No fields."])
    rows = [f"| `{field.name}` | {_field_type(field, home)} | {_row(_field_text(field))} |" for field in message.fields]
    return "\n\n".join([part for part in title if part] + ["\n".join(["| field | type | |", "|---|---|---|", *rows])])


def _enum(enum: Enum) -> str:
    rows = [f"| `{name}` | {number} | {_row(comment)} |" for name, comment, number in enum.values]
    return "\n\n".join([f"### {_short(enum.name)}", enum.comment, "\n".join(["| value | number | |", "|---|---|---|", *rows])])


def _field_text(field: Field) -> str:
    facts = (["Required."] if field.required else []) + (["Only in answers."] if "OUTPUT_ONLY" in field.behavior else [])
    rules = _rules(field)
    return " ".join([*facts, field.comment, *([f"({rules})"] if rules else [])]).strip()


def _rules(field: Field) -> str:
    """The rules in words, as far as they are short."""
    said: list[str] = []
    repeated = field.rules.get("repeated", {})
    for name, word in (("minItems", "at least"), ("maxItems", "at most")):
        if name in repeated:
            said.append(f"{word} {repeated[name]} items")
    for rules, of in ((field.rules, ""), (repeated.get("items", {}), "each ")):
        text = rules.get("string", {})
        if text.get("uuid"):
            said.append(f"{of}a UUID")
        for name, words in (("minLen", "at least {} letters"), ("maxLen", "at most {} letters"), ("maxBytes", "at most {} bytes")):
            if name in text:
                said.append(of + words.format(text[name]))
        if "pattern" in text and text["pattern"] != r"^$|\S":
            said.append(f"{of}matching `{text['pattern']}`")
        for kind in ("int32", "int64"):
            number = rules.get(kind, {})
            said += [f"{of}{word} {number[name]}" for name, word in (("gte", "from"), ("lte", "to")) if name in number]
    return ", ".join(said)


def _field_type(field: Field, home: dict[str, str]) -> str:
    if field.map_of:
        key, value = field.map_of
        return f"map of {key.type} to {_type(value.type, home)}"
    kind = _type(field.type, home)
    return f"list of {kind}" if field.repeated else f"optional {kind}" if field.optional else kind


def _type(name: str, home: dict[str, str]) -> str:
    if name not in home:
        return f"`{_short(name)}`" if "." in name else name
    anchor = _short(name).lower()
    return f"[{_short(name)}]({_file(home[name])}#{anchor})"


def _short(name: str) -> str:
    return name.rsplit(".", 1)[-1]


def _row(text: str) -> str:
    """A text for one cell of a table."""
    return re.sub(r"\s*\n\s*", " ", text).replace("|", "\\|")
