"""Messages, enums and their rules as JSON Schema, by the rules of protobuf's JSON form."""

from __future__ import annotations

from typing import Any

from contracts import Contracts, Enum, Field, Message

Json = dict[str, Any]

NUMBERS = {
    "int32": {"type": "integer", "format": "int32"},
    "uint32": {"type": "integer", "format": "uint32", "minimum": 0},
    # More than JavaScript's numbers hold.
    "int64": {"type": "string", "format": "int64", "pattern": "^-?[0-9]+$"},
    "uint64": {"type": "string", "format": "uint64", "pattern": "^[0-9]+$"},
    "float": {"type": "number", "format": "float"},
    "double": {"type": "number", "format": "double"},
}

# Types of protobuf's own with a JSON form of their own.
WELL_KNOWN: dict[str, Json] = {
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    "google.protobuf.Duration": {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]{1,9})?s$", "examples": ["1.5s"]},
    "google.protobuf.FieldMask": {"type": "string", "examples": ["displayName,emails"], "description": "Names of fields, with commas between."},
    "google.protobuf.Struct": {"type": "object"},
    "google.protobuf.Value": {},
    "google.protobuf.ListValue": {"type": "array"},
    "google.protobuf.Empty": {"type": "object"},
    "google.protobuf.Any": {"type": "object", "properties": {"@type": {"type": "string"}}, "required": ["@type"]},
}
# An object in JSON, which no address can hold.
OBJECTS = {"google.protobuf.Struct", "google.protobuf.Value", "google.protobuf.ListValue", "google.protobuf.Empty", "google.protobuf.Any"}

DETAILS = ("ErrorInfo", "BadRequest", "PreconditionFailure", "QuotaFailure", "RetryInfo")


class Schemas:
    """What the operations refer to, collected as they do."""

    def __init__(self, contracts: Contracts) -> None:
        self._contracts = contracts
        self._wanted: list[str] = []
        self._requests: dict[str, tuple[Message, list[str]]] = {}

    def of(self, name: str) -> Json:
        if name in WELL_KNOWN:
            return dict(WELL_KNOWN[name])
        if name not in self._wanted:
            self._wanted.append(name)
        return {"$ref": f"#/components/schemas/{name}"}

    def request(self, message: Message, without: list[str]) -> Json:
        """The body of a call: the request without what its address says."""
        self._requests[message.name] = (message, without)
        return {"$ref": f"#/components/schemas/{message.name}"}

    def is_value(self, name: str) -> bool:
        return name in WELL_KNOWN and name not in OBJECTS

    def field(self, field: Field, bare: bool = False) -> Json:
        """A field's schema; `bare` leaves out what its comment says."""
        rules = field.rules
        if field.map_of:
            schema: Json = {"type": "object", "additionalProperties": self.field(field.map_of[1], bare=True)}
        elif field.repeated:
            repeated = rules.get("repeated", {})
            schema = {"type": "array", "items": self._one(field.type, repeated.get("items", {}))}
            schema |= _renamed(repeated, {"minItems": "minItems", "maxItems": "maxItems"})
        else:
            schema = self._one(field.type, rules)
        if not bare:
            if field.comment:
                schema["description"] = field.comment
            if "OUTPUT_ONLY" in field.behavior:
                schema["readOnly"] = True
        return schema

    def collected(self) -> Json:
        """Everything referred to, and what that refers to."""
        schemas: Json = {}
        for message, without in self._requests.values():
            schemas[message.name] = self._message(message, without)
        done = 0
        while done < len(self._wanted):
            name = self._wanted[done]
            done += 1
            if name == "google.rpc.Status":
                schemas[name] = self._status()
            elif name in self._contracts.enums:
                schemas[name] = _enum(self._contracts.enums[name])
            elif name not in schemas:
                schemas[name] = self._message(self._contracts.messages[name], [])
        return dict(sorted(schemas.items()))

    def _one(self, kind: str, rules: Json) -> Json:
        if kind in NUMBERS:
            schema = dict(NUMBERS[kind])
            bounds = next((rules[name] for name in ("int32", "int64", "uint32", "double") if name in rules), {})
            # The bounds of a number that is written as a text cannot be said.
            if schema["type"] != "string":
                schema |= {key: int(value) for key, value in _renamed(bounds, {"gte": "minimum", "lte": "maximum"}).items()}
            return schema
        match kind:
            case "bool":
                return {"type": "boolean"}
            case "string":
                return {"type": "string", **_text(rules.get("string", {}))}
            case "bytes":
                return {"type": "string", "contentEncoding": "base64"}
            case _ if kind in self._contracts.enums:
                return self._enum_value(kind, rules.get("enum", {}))
        return self.of(kind)

    def _enum_value(self, kind: str, rules: Json) -> Json:
        refused = {int(number) for number in rules.get("notIn", [])}
        taken = {int(number) for number in rules.get("in", [])}
        if not refused and not taken:
            return self.of(kind)
        values = [name for name, _, number in self._contracts.enums[kind].values
                  if number not in refused and (not taken or number in taken)]
        return {"type": "string", "enum": values}

    def _message(self, message: Message, without: list[str]) -> Json:
        fields = [field for field in message.fields if field.name not in without]
        schema: Json = {"type": "object"}
        told = [message.comment] if message.comment else []
        for name, comment in message.oneofs.items():
            members = [f"`{field.json_name}`" for field in fields if field.oneof == name]
            most = "Exactly" if name in message.required_oneofs else "At most"
            told.append(f"{most} one of {', '.join(members)}. {comment}".strip())
        if told:
            schema["description"] = "\n\n".join(told)
        if fields:
            schema["properties"] = {field.json_name: self.field(field) for field in fields}
        required = [field.json_name for field in fields if field.required]
        return schema | ({"required": required} if required else {})

    def _status(self) -> Json:
        details = [self._detail(name) for name in DETAILS]
        return {
            "type": "object",
            "description": "Why a call was refused.",
            "properties": {
                "code": {"type": "integer", "description": "The gRPC code."},
                "message": {"type": "string", "description": "For people who write programs."},
                "details": {"type": "array", "items": {"anyOf": details}},
            },
            "required": ["code"],
        }

    def _detail(self, name: str) -> Json:
        kind = {"type": "string", "const": f"type.googleapis.com/google.rpc.{name}"}
        parts: list[Json] = [{"type": "object", "properties": {"@type": kind}, "required": ["@type"]}, self.of(f"google.rpc.{name}")]
        if name == "ErrorInfo":
            reasons = [value.removeprefix("ERROR_REASON_") for value, _, _ in self._contracts.enums["backchannel.common.v1.ErrorReason"].values]
            parts.append({"properties": {"reason": {"enum": reasons[1:]}, "domain": {"const": "backchannel.dev"}}})
        return {"allOf": parts}


def _enum(enum: Enum) -> Json:
    told = [f"- `{name}`: {comment}" for name, comment, _ in enum.values if comment]
    return {"type": "string", "enum": [name for name, _, _ in enum.values], "description": "\n".join([enum.comment, "", *told]).strip()}


def _text(rules: Json) -> Json:
    schema = _renamed(rules, {"minLen": "minLength", "maxLen": "maxLength", "pattern": "pattern"})
    # No text of so many letters has fewer bytes.
    if "maxBytes" in rules and "maxLength" not in schema:
        schema["maxLength"] = rules["maxBytes"]
    for key in ("minLength", "maxLength"):
        if key in schema:
            schema[key] = int(schema[key])
    for name in ("uuid", "email"):
        if rules.get(name):
            schema["format"] = name
    return schema


def _renamed(rules: Json, names: dict[str, str]) -> Json:
    found = {new: rules[old] for old, new in names.items() if old in rules}
    return {key: int(value) if key.endswith("Items") else value for key, value in found.items()}
