"""`openapi.json`: the public RPCs as the edge speaks them in JSON, by the rules of protobuf's JSON form and of google.api.http."""

from __future__ import annotations

import re
from typing import Any

from contracts import Binding, Contracts, Field, Message, Method
from schemas import Schemas

Json = dict[str, Any]

# A body that is taken as it comes.
FORM: Json = {"content": {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}}}


def openapi(contracts: Contracts, version: str) -> Json:
    schemas = Schemas(contracts)
    paths: dict[str, Json] = {}
    for method in contracts.methods():
        for index, binding in enumerate(method.bindings):
            # A variable that names its pattern is a variable all the same.
            path = re.sub(r"\{([^}=]+)=[^}]*\}", r"{\1}", binding.path)
            paths.setdefault(path, {})[binding.verb] = _operation(contracts, schemas, method, binding, index)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Backchannel",
            "version": version,
            "description": "The private side of customer conversations, as JSON through the edge. Made from the contracts in `proto/`, "
            "where a field is written `conversation_id` and here `conversationId`; the server reads both. Fields that are empty, "
            "zero or false may be absent from an answer. 64-bit integers are texts.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "tags": [
            {"name": _tag(service.name), "description": service.comment}
            for package in contracts.packages.values()
            for service in package.services
            if any(method.bindings for method in service.methods)
        ],
        "paths": dict(sorted(paths.items())),
        "components": {
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                          "description": "Its `org` is the organization, its `role` decides which calls it may make."}
            },
            "responses": {
                "Refused": {
                    "description": "Refused. `reason` of the `ErrorInfo` among the details says why, for programs.",
                    "content": {"application/json": {"schema": schemas.of("google.rpc.Status")}},
                }
            },
            "schemas": schemas.collected(),
        },
    }


def _operation(contracts: Contracts, schemas: Schemas, method: Method, binding: Binding, index: int) -> Json:
    request = contracts.messages[method.input]
    in_path = re.findall(r"\{([^}=]+)", binding.path)
    operation: Json = {
        # Of one RPC with several addresses each is an operation of its own.
        "operationId": f"{_tag(method.service)}_{method.name}{index + 1 if index else ''}".replace(".", "_"),
        "tags": [_tag(method.service)],
        "summary": _first_sentence(method.comment),
        "description": f"{method.comment}\n\nCallers: {method.callers}.",
        "x-roles": method.roles,
        "x-idempotency": method.idempotency,
        "parameters": [_path_parameter(contracts, schemas, request, name) for name in in_path],
        "responses": {"200": _answer(schemas, method), "default": {"$ref": "#/components/responses/Refused"}},
    }
    if method.public:
        operation["security"] = []
    if binding.body == "*":
        operation["requestBody"] = _body(method, schemas.request(request, without=in_path))
    elif binding.body:
        field = next(field for field in request.fields if field.name == binding.body)
        operation["requestBody"] = FORM if field.type == "google.api.HttpBody" else _body(method, schemas.field(field))
    if binding.body != "*":
        taken = {*in_path, binding.body}
        operation["parameters"] += _query(contracts, schemas, request, "", taken, (request.name,))
    return operation


def _body(method: Method, schema: Json) -> Json:
    if method.client_streaming:
        schema = {"type": "array", "items": schema, "description": "A stream: one request after the other."}
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _answer(schemas: Schemas, method: Method) -> Json:
    schema = schemas.of(method.output)
    if method.output == "google.api.HttpBody":
        return {"description": "Done.", "content": {"*/*": {}}}
    if method.server_streaming:
        schema = {"type": "array", "items": schema, "description": "A stream: items come one by one, for as long as it is open."}
    return {"description": "Done.", "content": {"application/json": {"schema": schema}}}


def _path_parameter(contracts: Contracts, schemas: Schemas, request: Message, name: str) -> Json:
    field = _find(contracts, request, name)
    return {"name": name, "in": "path", "required": True, **_told(field), "schema": schemas.field(field, bare=True)}


def _find(contracts: Contracts, message: Message, path: str) -> Field:
    head, _, rest = path.partition(".")
    field = next(field for field in message.fields if field.name == head)
    return _find(contracts, contracts.messages[field.type], rest) if rest else field


def _query(contracts: Contracts, schemas: Schemas, message: Message, prefix: str, taken: set[str], within: tuple[str, ...]) -> list[Json]:
    """Every value that is not a message, by its path: `page_size`, `filter.state`."""
    parameters = []
    for field in message.fields:
        name = prefix + field.name
        if name in taken or field.map_of:
            continue
        inner = contracts.messages.get(field.type)
        if inner and not schemas.is_value(field.type):
            # Lists of messages have no place in an address.
            if not field.repeated and inner.name not in within:
                parameters += _query(contracts, schemas, inner, f"{name}.", taken, (*within, inner.name))
            continue
        parameters.append({"name": name, "in": "query", **({"required": True} if field.required and not prefix else {}),
                           **_told(field), "schema": schemas.field(field, bare=True)})
    return parameters


def _told(field: Field) -> Json:
    return {"description": field.comment} if field.comment else {}


def _tag(service: str) -> str:
    """`backchannel.notes.v1.NoteService` is `notes.NoteService`."""
    _, package, _, name = service.split(".")
    return f"{package}.{name}"


def _first_sentence(comment: str) -> str:
    return re.split(r"(?<=[.:])\s", comment, maxsplit=1)[0].rstrip(":.")


