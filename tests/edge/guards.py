"""What the edge keeps away from the services. Behind this one stands nobody but who remembers what came through."""

from __future__ import annotations

import base64
import itertools
import json
import time

import grpc
from backchannel_client import Refusal

from cast import equal, eventually
from contracts import NEVER_WAS
from keys import Key, KeySet, part
from languages import request
from stage import Edge, Stage
from upstream import Recorder

READ = "/backchannel.routing.v1.AgentService/ListAgents"
CHANGE = "/backchannel.notes.v1.NoteService/CreateNote"


class Guards:
    """Each promise holds without any help of the services."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.behind = Recorder()
        self.key = Key(stage.files / "ours.pem", "ours")
        self.keys = KeySet()
        self.published = [*json.loads((stage.suite.data / "jwks.json").read_text())["keys"], self.key.public()]
        self.keys.keys = self.published
        at = self.behind.address
        self.edge = stage.another_edge("guards", keys=self.keys.address, contacts=at, routing=at, notes=at, notifications=at)
        self.ana = stage.token("ana", "agent")

    def names_that_only_our_processes_give_never_get_in(self) -> None:
        spoofed = {
            "x-backchannel-org": "other", "x-backchannel-subject": "root", "X-Backchannel-Role": "admin",
            "x-envoy-original-path": "/v1/agents:me", "x-envoy-upstream-rq-timeout-ms": "1", "x-envoy-retry-on": "5xx",
            "x-envoy-internal": "true", "x-forwarded-for": "10.0.0.1",
        }
        self._call(READ, self.ana, **spoofed)
        came, = self.behind.take()
        for name in spoofed:
            if name != "x-forwarded-for":
                equal(came.headers.get(name.lower()), None, name)
        equal(str(came.headers["x-forwarded-for"]).split(",")[-1] == "10.0.0.1", False, "the edge's own word about the address is the last")
        equal(came.headers.get("authorization"), f"Bearer {self.ana}", "the token, which the service checks again")
        answer = request(self.edge.address, "GET", "/v1/agents", self.ana, x_backchannel_role="admin")
        equal(answer.status, 200, "as JSON")
        came, = self.behind.take()
        equal([name for name in came.headers if name.startswith("x-backchannel")], [], "as JSON")

    def a_name_written_with_underscores_is_refused(self) -> None:
        refusal = self._call(READ, self.ana, x_user="root")
        equal((refusal.code == grpc.StatusCode.OK, self.behind.take()), (False, []), "call")

    def no_forged_token_gets_in(self) -> None:
        head, body, signature = self.ana.split(".")
        header, claims = (json.loads(base64.urlsafe_b64decode(each + "==")) for each in (head, body))
        stranger = Key(self.stage.files / "stranger.pem", header["kid"])
        now = int(time.time())
        for reason, token in [
            *((reason, each) for reason, each in [
                ("TOKEN_INVALID", ""), ("TOKEN_INVALID", "x"), ("TOKEN_INVALID", "a.b.c"), ("TOKEN_INVALID", f"{head}.{body}"),
                ("TOKEN_INVALID", f"{head}.{body}."),
            ]),
            *(("TOKEN_INVALID", f"{part({**header, **change})}.{body}.{signature}") for change in [
                {"alg": "none"}, {"alg": "HS256"}, {"alg": "ES256"}, {"kid": "../jwks"}, {"kid": ""},
            ]),
            *(("TOKEN_INVALID", f"{head}.{part({**claims, **change})}.{signature}") for change in [
                {"role": "admin"}, {"org": "other"}, {"sub": "root"}, {"exp": now + 9_000_000},
            ]),
            ("TOKEN_INVALID", stranger.token(role="admin")),
            *(("TOKEN_INVALID", self.key.token(**change)) for change in [
                {"aud": "others"}, {"aud": None}, {"iss": "somebody"}, {"iss": None}, {"exp": None},
            ]),
            ("TOKEN_EXPIRED", self.key.token(exp=now - 60)),
            ("TOKEN_EXPIRED", self.key.token(nbf=now + 300)),
        ]:
            refusal = self._call(READ, token)
            equal((refusal.code, refusal.reason), (grpc.StatusCode.UNAUTHENTICATED, reason), token)
        equal(self.behind.take(), [], "what came through")
        equal(self._call(READ, self.key.token()).code, grpc.StatusCode.OK, "a token with nothing wrong")
        self.behind.take()

    def a_read_is_tried_again_and_a_change_is_not(self) -> None:
        self.behind.refuse(2, grpc.StatusCode.UNAVAILABLE)
        equal((self._call(READ, self.ana).code, len(self.behind.take())), (grpc.StatusCode.OK, 3), "a read")
        self.behind.refuse(1, grpc.StatusCode.UNAVAILABLE)
        equal((self._call(CHANGE, self.ana).code, len(self.behind.take())), (grpc.StatusCode.UNAVAILABLE, 1), "a change")
        for code in (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.INTERNAL):
            self.behind.refuse(1, code)
            equal((self._call(READ, self.ana).code, len(self.behind.take())), (code, 1), f"{code.name} of a read")

    def who_floods_is_limited_and_told_when_to_come_again_and_nobody_else_is(self) -> None:
        flood, other = self.stage.token("flood", "agent"), self.stage.token("calm", "agent")
        refusals = [self._call(READ, flood) for _ in range(200)]
        came = len(self.behind.take())
        limited = [each for each in refusals if each.code == grpc.StatusCode.RESOURCE_EXHAUSTED]
        equal((len(limited) + came, bool(limited)), (200, True), f"{len(limited)} limited and {came} passed")
        equal({(each.reason, each.retry_after) for each in limited}, {("RATE_LIMITED", 1.0)}, "refusals")
        equal(self._call(READ, other).code, grpc.StatusCode.OK, "somebody else")
        by_json = eventually("the flood is limited as JSON", lambda: next(
            (found for found in (request(self.edge.address, "GET", "/v1/agents", flood) for _ in range(100)) if found.status != 200), None))
        equal((by_json.status, by_json.body["code"], by_json.reasons()), (429, 8, ["RATE_LIMITED"]), "as JSON")
        time.sleep(1.1)  # what the refusal says
        equal(self._call(READ, flood).code, grpc.StatusCode.OK, "who came again")
        self.behind.take()

    def an_organization_is_limited_and_neither_its_customers_nor_others_are(self) -> None:
        at = self.behind.address
        narrow = self.stage.another_edge("narrow", keys=self.keys.address, contacts=at, routing=at, notes=at, notifications=at,
                                         org_burst=40, org_per_second=1)
        staff = [self._call(READ, self.key.token(org="busy", sub=f"agent-{number % 4}"), edge=narrow) for number in range(80)]
        passed = sum(each.code == grpc.StatusCode.OK for each in staff)
        equal(40 <= passed < 60, True, f"{passed} of 80 calls passed")
        equal({each.reason for each in staff if each.code != grpc.StatusCode.OK}, {"RATE_LIMITED"}, "refusals")
        for claims in ({"org": "busy", "sub": NEVER_WAS, "role": "contact"}, {"org": "quiet"}):
            equal(self._call(READ, self.key.token(**claims), edge=narrow).code, grpc.StatusCode.OK, str(claims))
        self.behind.take()

    def adapters_are_not_counted(self) -> None:
        adapter = self.stage.token("adapter", "integration")
        equal({self._call(READ, adapter).code for _ in range(150)}, {grpc.StatusCode.OK}, "calls of an adapter")
        self.behind.take()

    def a_key_is_rotated_without_a_refused_token(self) -> None:
        old, new = self.key, Key(self.stage.files / "new.pem", "new")
        # Each of another person: what the edge has seen before it takes again, and leaves it to the services.
        people = (f"person-{number}" for number in itertools.count())

        def counts(key: Key) -> bool:
            refusal = self._call(READ, key.token(sub=next(people)))
            equal(refusal.reason in ("", "TOKEN_INVALID"), True, f"{refusal}")
            return refusal.code == grpc.StatusCode.OK

        equal((counts(old), counts(new)), (True, False), "the old key, and one that is not published")
        self.keys.keys = [*self.published, new.public()]
        eventually("the new key counts", lambda: counts(new))
        equal(counts(old), True, "the old key meanwhile")
        self.keys.keys = [new.public()]
        eventually("the old key counts no more", lambda: not counts(old))
        equal(counts(new), True, "the new key")
        self.keys.keys = self.published
        eventually("the old key is back", lambda: counts(old))
        self.behind.take()

    def a_page_of_our_origin_may_call_and_a_strange_one_may_not(self) -> None:
        asks = {"access_control_request_method": "POST", "access_control_request_headers": "authorization,content-type,x-grpc-web"}
        for path in (CHANGE, "/v1/agents"):
            ours = request(self.edge.address, "OPTIONS", path, None, origin="http://localhost:3000", **asks)
            equal((ours.status, ours.headers.get("access-control-allow-origin")), (200, "http://localhost:3000"), path)
            theirs = request(self.edge.address, "OPTIONS", path, None, origin="https://evil.example", **asks)
            equal(theirs.headers.get("access-control-allow-origin"), None, path)
        refused = request(self.edge.address, "GET", "/v1/agents", None, origin="http://localhost:3000")
        equal((refused.status, refused.headers.get("access-control-allow-origin")), (401, "http://localhost:3000"),
              "a refusal, which the page can read")
        equal(self.behind.take(), [], "what came through")

    def neither_a_preflight_nor_a_json_address_is_a_way_past_the_list_of_rpcs(self) -> None:
        asks = {"access_control_request_method": "POST"}
        hidden = ("/grpc.health.v1.Health/Check", "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
                  "/backchannel.notifications.v1.IngestService/Notify", "/v1/agents", "/v1/..%2Fgrpc.health.v1.Health/Check")
        for path, method, dialect in itertools.product(hidden, ("OPTIONS", "POST", "GET"), ("application/grpc", "application/grpc-web")):
            answer = request(self.edge.address, method, path, self.ana, content_type=dialect, **asks)
            equal(answer.headers.get("grpc-status") in ("0", None) and answer.status == 200, False, f"{method} {path} as {dialect}: {answer}")
        equal(self.behind.take(), [], "what came through")

    def no_query_and_no_token_is_in_the_access_log(self) -> None:
        request(self.edge.address, "GET", f"/v1/agents/{NEVER_WAS}?canary=query", self.ana)
        written = eventually("the call is in the log", lambda: next(
            (text for text in [self.edge.access_log.read_text()] if NEVER_WAS in text), None))
        equal(("canary" in written, self.ana in written), (False, False), "whether the query and the token are in the log")
        self.behind.take()

    def a_service_that_does_not_answer_is_unavailable_with_the_reason(self) -> None:
        self.behind.stop()
        for path in (READ, CHANGE):
            refusal = self._call(path, self.ana)
            equal((refusal.code, refusal.reason, refusal.metadata),
                  (grpc.StatusCode.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE", {"dependency": "service"}), "refusal")
        by_json = request(self.edge.address, "GET", "/v1/agents", self.ana)
        equal((by_json.status, by_json.body["code"], by_json.reasons()), (503, 14, ["DEPENDENCY_UNAVAILABLE"]), "as JSON")

    def _call(self, path: str, token: str, edge: Edge | None = None, **headers: str) -> Refusal:
        metadata = [("authorization", f"Bearer {token}"), *((name.lower(), text) for name, text in headers.items())]
        try:
            with grpc.insecure_channel((edge or self.edge).address) as channel:
                channel.unary_unary(path)(b"", metadata=metadata, timeout=10)
        except grpc.RpcError as error:
            return Refusal.of(error)
        return Refusal(grpc.StatusCode.OK, "")
