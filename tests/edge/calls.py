"""One port, three languages: what can be called through the edge, and what a refusal looks like there."""

from __future__ import annotations

import re

import grpc
from backchannel.notes.v1 import note_pb2
from backchannel.routing.v1 import agent_pb2
from backchannel_client import Refusal, patiently
from google.protobuf.empty_pb2 import Empty
from google.rpc import error_details_pb2

from cast import equal
from contracts import NEVER_WAS, Rpc, rpcs
from languages import Web, form, request, web
from scene import Scene

GET_NOTE = "/backchannel.notes.v1.NoteService/GetNote"
NOT_FOR_THE_OUTSIDE = [
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    "/grpc.health.v1.Health/Check",
    "/backchannel.notes.v1.NoteService/NoSuch",
]


class Calls:
    """Each promise holds for the real services behind a real edge."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.edge = scene, scene.edge.address
        self._rpcs: list[Rpc] = rpcs(scene.stage.descriptors)

    def a_note_written_as_json_is_read_as_grpc_and_as_grpc_web(self) -> None:
        written = request(self.edge, "POST", f"/v1/conversations/{self.scene.conversation}/notes", self.scene.token,
                          {"body": "written as JSON", "requestId": NEVER_WAS})
        equal(written.status, 200, f"status of {written.body}")
        note_id = written.body["note"]["noteId"]
        asked = note_pb2.GetNoteRequest(note_id=note_id)
        equal(patiently(self.scene.ana.notes.GetNote, asked).note.body, "written as JSON", "by gRPC")
        answer, end = list(web(self.edge, GET_NOTE, self.scene.token, asked, note_pb2.GetNoteResponse))
        equal((answer.note.body, end.code), ("written as JSON", 0), "by gRPC-Web")  # type: ignore[union-attr]
        read = request(self.edge, "GET", f"/v1/notes/{note_id}", self.scene.token)
        equal(read.body["note"]["body"], "written as JSON", "by JSON")

    def every_rpc_for_people_is_reached_as_grpc(self) -> None:
        # As an adapter: no limit counts its calls, and what it may not do refuses it after the edge.
        for rpc in self._rpcs:
            if not rpc.inside and not rpc.public:
                code = self._code(rpc.path, self.scene.adapter_token)
                equal(code in (grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.UNAVAILABLE), False, f"{rpc.path} answers {code}")

    def every_address_of_the_contracts_reaches_its_rpc_as_json(self) -> None:
        for rpc in self._rpcs:
            for verb, path in () if rpc.takes_stream else rpc.bindings:
                answer = request(self.edge, verb, path, None)
                if rpc.public:
                    equal(answer.status in (401, 404), False, f"{verb} {path} answers {answer}")
                else:
                    equal((answer.status, answer.reasons()), (401, ["TOKEN_MISSING"]), f"{verb} {path}")
        unknown = request(self.edge, "GET", "/v1/no-such-thing", self.scene.token)
        equal((unknown.status, unknown.body["code"]), (404, 5), "what no contract has")

    def rpcs_between_services_and_reflection_are_unimplemented_outside(self) -> None:
        inside = [rpc.path for rpc in self._rpcs if rpc.inside]
        equal(len(inside) >= 10, True, f"{len(inside)} RPCs between services")
        for path in (*inside, *NOT_FOR_THE_OUTSIDE):
            for token in (self.scene.admin_token, None):
                equal(self._code(path, token), grpc.StatusCode.UNIMPLEMENTED, path)
            *_, end = web(self.edge, path, self.scene.admin_token, Empty(), Empty)
            equal(end.code, 12, f"{path} by gRPC-Web")  # type: ignore[union-attr]

    def a_refusal_of_the_edge_or_of_a_service_has_its_reason_in_every_language(self) -> None:
        for token, asked, code, status, reason in [
            (None, NEVER_WAS, 16, 401, "TOKEN_MISSING"),
            ("nonsense", NEVER_WAS, 16, 401, "TOKEN_INVALID"),
            (f"{self.scene.token[:-6]}AAAAAA", NEVER_WAS, 16, 401, "TOKEN_INVALID"),
            (self.scene.token, "n-1", 3, 400, "INVALID_FIELD"),
            (self.scene.token, NEVER_WAS, 5, 404, "NOT_FOUND"),
            (self.scene.contact_token, NEVER_WAS, 7, 403, "ROLE_NOT_ALLOWED"),
        ]:
            sent = note_pb2.GetNoteRequest(note_id=asked)
            by_grpc = self._refusal(GET_NOTE, token, sent.SerializeToString())
            equal((by_grpc.code.value[0], by_grpc.reason, by_grpc.domain), (code, reason, "backchannel.dev"), "by gRPC")
            *_, end = web(self.edge, GET_NOTE, token, sent, note_pb2.GetNoteResponse)
            assert isinstance(end, Web)
            info = error_details_pb2.ErrorInfo()
            found = [info.reason for each in end.details.details if each.Unpack(info)]
            equal((end.code, found), (code, [reason]), "by gRPC-Web")
            by_json = request(self.edge, "GET", f"/v1/notes/{asked}", token)
            equal((by_json.status, by_json.body["code"], by_json.reasons()), (status, code, [reason]), "by JSON")

    def a_field_that_breaks_its_rule_is_named_in_json_too(self) -> None:
        answer = request(self.edge, "POST", f"/v1/conversations/{self.scene.conversation}/notes", self.scene.token, {"body": ""})
        broken = [each["field"] for detail in answer.body["details"] for each in detail.get("fieldViolations", [])]
        equal((answer.status, broken), (400, ["body"]), "fields")

    def the_document_of_what_can_be_called_is_served(self) -> None:
        document = request(self.edge, "GET", "/openapi.json", None)
        equal((document.status, document.body["openapi"][:2]), (200, "3."), "document")
        bound = {path for rpc in self._rpcs for _, path in rpc.bindings}
        described = {re.sub(r"\{[^}]+\}", NEVER_WAS, path) for path in document.body["paths"]}
        equal(sorted(bound - described), [], "addresses that it does not have")

    def the_one_click_of_a_mail_program_needs_no_token(self) -> None:
        # What the link says is looked at by the service: this one is nobody's.
        answer = form(self.edge, "/v1/email:unsubscribe?token=nobodys", **{"List-Unsubscribe": "One-Click"})
        fields = [each["field"] for detail in answer.body["details"] for each in detail.get("fieldViolations", [])]
        equal((answer.status, answer.reasons(), fields), (400, ["INVALID_FIELD"], ["token"]), "refusal")

    def what_is_no_json_or_names_no_field_is_refused_as_json(self) -> None:
        path = f"/v1/conversations/{self.scene.conversation}/notes"
        # A name in a body that is no field's is passed over.
        for verb, at, body in [("POST", path, {"body": 5}), ("GET", f"{path}?nonsense=1", None), ("POST", path, ["a", "list"])]:
            answer = request(self.edge, verb, at, self.scene.token, body)
            equal((answer.status, answer.body["code"], answer.headers["content-type"]), (400, 3, "application/json"), str(body))

    def an_agent_appears_by_json_and_is_the_same_by_grpc(self) -> None:
        by_json = request(self.edge, "GET", "/v1/agents:me", self.scene.token)
        by_grpc = patiently(self.scene.ana.agents.GetMyAgent, agent_pb2.GetMyAgentRequest()).agent
        equal((by_json.body["agent"]["agentId"], by_json.body["agent"]["openUnits"]), (by_grpc.agent_id, 0), "agent")

    def _refusal(self, path: str, token: str | None, sent: bytes = b"") -> Refusal:
        """Calls any RPC as if it answered with a stream: that fits unary ones too."""
        metadata = [("authorization", f"Bearer {token}")] if token is not None else []
        try:
            with grpc.insecure_channel(self.edge) as channel:
                call = channel.unary_stream(path)(sent, metadata=metadata, timeout=10)
                next(iter(call), None)  # a stream that opened was reached
                call.cancel()
        except grpc.RpcError as error:
            return Refusal.of(error)
        return Refusal(grpc.StatusCode.OK, "")

    def _code(self, path: str, token: str | None) -> grpc.StatusCode:
        return self._refusal(path, token).code
