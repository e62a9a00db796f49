"""Every replica of every service is replaced while people work through the edge (faults, row 15).

    rolling.py

Two replicas of each service on PostgreSQL, as a cluster runs them: the edge knows each replica, and services reach one another through
what a cluster's Services are, one address for all replicas that are ready. BACKCHANNEL_TEST_POSTGRES names the server. By default each
replica is replaced once at 40 calls a second; with BACKCHANNEL_TEST_FAULTS=full there are 50 replacements at 200 calls a second.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import grpc
from backchannel.notes.v1 import note_pb2
from backchannel.routing.v1 import agent_pb2, conversation_pb2
from backchannel_client import Backchannel, Refusal, patiently

from cast import eventually
from stage import Edge, Process, answers, envoy, free_port, named

FULL = os.environ.get("BACKCHANNEL_TEST_FAULTS") == "full"
REPLACEMENTS = 50 if FULL else 8
CALLS_PER_SECOND = 200 if FULL else 40
PEOPLE = 20
RETRIES = 2
EXIT_WITHIN = 25.0
SERVICES = {"contacts": "contacts", "routing": "assignment-routing", "notes": "notes", "notifications": "notifications"}


class Cluster:
    """Two replicas of each service, their Services, and the edge."""

    def __init__(self, files: Path, database: str) -> None:
        self.program, self.data = named("BACKCHANNEL", "the binary `backchannel`"), files / "data"
        self.processes: list[Process] = []
        self.ports = {name: [(free_port(), free_port()) for _ in range(2)] for name in SERVICES}
        inside = {name: free_port() for name in SERVICES}
        self._env = {name: value for name, value in os.environ.items() if not name.startswith("BACKCHANNEL")}
        self._env |= {f"BACKCHANNEL_PEERS__{name.upper()}": f"http://127.0.0.1:{port}" for name, port in inside.items()}
        self._env |= {"BACKCHANNEL_DATABASE": database, "BACKCHANNEL_SHUTDOWN__BALANCER_WAIT_MS": "3000"}
        # As many calls as the journey makes are one person's in no organization.
        self._env |= {"BACKCHANNEL_LIMITS__PERSON_PER_SECOND": "0", "BACKCHANNEL_LIMITS__ORG_PER_SECOND": "0"}
        subprocess.run([self.program, "descriptors", "--out", files / "descriptors.pb"], check=True)
        self.replicas = {name: [self._replica(files, name, number) for number in range(2)] for name in SERVICES}
        mesh = files / "mesh.json"
        mesh.write_text(json.dumps(self._mesh(inside)))
        self.processes.append(Process([*envoy(mesh), "--concurrency", "1"], files / "mesh.log"))
        for name in SERVICES:
            for number in range(2):
                self._until_ready(name, number)
        hosts = {name: ",".join(f"127.0.0.1:{port}" for port, _ in ports) for name, ports in self.ports.items()}
        self.edge = Edge(files, "edge", "local", descriptors=files / "descriptors.pb", keys=f"127.0.0.1:{self.ports['contacts'][0][1]}",
                         person_burst=100_000, person_per_second=100_000, org_burst=100_000, org_per_second=100_000, **hosts)
        self.processes.append(self.edge.process)

    def _replica(self, files: Path, name: str, number: int) -> Process:
        port, internal = self.ports[name][number]
        process = Process(
            [self.program, "serve", SERVICES[name], "--data", str(self.data), "--listen", f"127.0.0.1:{port}", "--metrics", f"127.0.0.1:{internal}"],
            files / f"{name}-{number}.log", self._env)
        self.processes.append(process)
        if name == "contacts" and number == 0:  # the first one makes the development key
            process.until((self.data / "dev-key.pem").exists, name)
        return process

    def _until_ready(self, name: str, number: int) -> None:
        internal = self.ports[name][number][1]
        self.replicas[name][number].until(lambda: answers(f"http://127.0.0.1:{internal}/readyz"), f"{name} {number}")

    def replace(self, name: str, number: int) -> float:
        """Ends a replica in order and starts another one. How many seconds it took to end."""
        began = time.monotonic()
        code = self.replicas[name][number].end(within=EXIT_WITHIN + 10)
        took = time.monotonic() - began
        if code:
            raise RuntimeError(f"{name} ended with {code}: {self.replicas[name][number].last_words()}")
        self.replicas[name][number].start()
        self._until_ready(name, number)
        # As `minReadySeconds` has it: until everybody in front knows the new one.
        time.sleep(3)
        return took

    def _mesh(self, inside: dict[str, int]) -> dict[str, object]:
        """An Envoy that does for the services what a cluster does: one address for the replicas that are ready."""
        def tcp(name: str, port: int) -> dict[str, object]:
            proxy = {"@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy", "stat_prefix": name, "cluster": name}
            chain = [{"filters": [{"name": "envoy.filters.network.tcp_proxy", "typed_config": proxy}]}]
            return {"name": name, "address": address(port), "filter_chains": chain}

        def address(port: int) -> dict[str, object]:
            return {"socket_address": {"address": "127.0.0.1", "port_value": port}}

        def cluster(name: str) -> dict[str, object]:
            ends = [{"endpoint": {"address": address(port), "health_check_config": {"port_value": internal}}}
                    for port, internal in self.ports[name]]
            check = {"http_health_check": {"path": "/readyz"}, "interval": "0.5s", "no_traffic_interval": "0.5s", "timeout": "1s",
                     "unhealthy_threshold": 1, "healthy_threshold": 1}
            return {"name": name, "type": "STATIC", "connect_timeout": "1s", "health_checks": [check],
                    "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": ends}]}}

        return {"static_resources": {
            "listeners": [tcp(name, port) for name, port in inside.items()], "clusters": [cluster(name) for name in inside]}}

    def end(self) -> None:
        for process in self.processes:
            if process.alive():
                process.end()


class Work:
    """People who read and write notes at a steady pace, each call tried three times at most."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster, self._org = cluster, f"acme-{uuid.uuid4().hex[:8]}"
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self.calls = self.retried = 0
        self.failed: list[Refusal] = []
        self.wrote: set[str] = set()
        self.people = [self._api(f"person-{number}", "agent") for number in range(PEOPLE)]
        for person in self.people:
            patiently(person.agents.GetMyAgent, agent_pb2.GetMyAgentRequest())
        first = conversation_pb2.RecordMessageRequest(
            channel="chat", external_id="c-1/0", direction=conversation_pb2.DIRECTION_INBOUND, conversation_external_id="c-1",
            contact_address="kim", source="airline", text="hello")
        adapter = self._api("adapter", "integration")
        recorded = eventually("the services reach one another", lambda: self._tried(lambda: adapter.conversations.RecordMessage(first)))
        self.conversation = recorded.conversation.conversation_id
        self._threads = [threading.Thread(target=self._work, args=(person, number)) for number, person in enumerate(self.people)]

    def _api(self, subject: str, role: str) -> Backchannel:
        command = [self._cluster.program, "token", "--data", str(self._cluster.data), "--org", self._org, "--sub", subject, "--role", role,
                   "--ttl", "2h"]
        token = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        return Backchannel(self._cluster.edge.address, lambda: token, config="{}")

    @staticmethod
    def _tried(call: Callable[[], Any]) -> Any:
        try:
            return call()
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.UNAVAILABLE:
                raise
            return None

    def __enter__(self) -> Work:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _work(self, person: Backchannel, number: int) -> None:
        pause = PEOPLE / CALLS_PER_SECOND
        self._stop.wait(pause * number / PEOPLE)
        for turn in itertools.count():
            began = time.monotonic()
            match turn % 4:
                case 0:
                    self._write(person, f"note {turn} of person {number}")
                case 1:
                    self._call(lambda: person.conversations.GetConversation(
                        conversation_pb2.GetConversationRequest(conversation_id=self.conversation), timeout=10))
                case 2:
                    self._call(lambda: person.agents.GetMyAgent(agent_pb2.GetMyAgentRequest(), timeout=10))
                case _:
                    self._call(lambda: person.notes.ListNotes(
                        note_pb2.ListNotesRequest(conversation_id=self.conversation, page_size=5), timeout=10))
            if self._stop.wait(max(0.0, pause - (time.monotonic() - began))):
                return

    def _write(self, person: Backchannel, body: str) -> None:
        # With a request_id a second attempt writes no second note.
        request = note_pb2.CreateNoteRequest(conversation_id=self.conversation, body=body, request_id=str(uuid.uuid4()))
        made = self._call(lambda: person.notes.CreateNote(request, timeout=10))
        if made is not None:
            with self._lock:
                self.wrote.add(made.note.note_id)

    def _call(self, call: Callable[[], Any]) -> Any:
        for attempt in range(RETRIES + 1):
            try:
                answer = call()
                with self._lock:
                    self.calls += 1
                    self.retried += attempt
                return answer
            except grpc.RpcError as error:
                refusal = Refusal.of(error)
            time.sleep(0.2 * 3**attempt * random.uniform(0.5, 1))
        with self._lock:
            self.calls += 1
            self.failed.append(refusal)
        return None

    def kept(self) -> set[str]:
        """The notes that are there."""
        found, token = set(), ""
        while True:
            page = patiently(self.people[0].notes.ListNotes, note_pb2.ListNotesRequest(
                conversation_id=self.conversation, page_size=200, page_token=token))
            found |= {note.note_id for note in page.notes}
            token = page.next_page_token
            if not token:
                return found


class Database:
    """One of its own on the server that the tests have."""

    def __init__(self) -> None:
        self._admin = os.environ.get("BACKCHANNEL_TEST_POSTGRES", "")
        if not self._admin:
            raise SystemExit("error: BACKCHANNEL_TEST_POSTGRES must name a PostgreSQL; `tests/run edge` brings it")
        self._name = f"rolling_{uuid.uuid4().hex[:8]}"
        self._do(f"CREATE DATABASE {self._name}")
        self.url = urlunsplit(urlsplit(self._admin)._replace(path=f"/{self._name}"))

    def _do(self, statement: str) -> None:
        subprocess.run(["psql", self._admin, "--quiet", "--command", statement], check=True)

    def drop(self) -> None:
        self._do(f"DROP DATABASE {self._name} WITH (FORCE)")


def main() -> int:
    database = Database()
    with tempfile.TemporaryDirectory(prefix="backchannel-rolling.") as files:
        cluster = None
        try:
            cluster = Cluster(Path(files), database.url)
            with Work(cluster) as work:
                time.sleep(3)
                began = time.monotonic()
                order = itertools.cycle(itertools.product(SERVICES, range(2)))
                took = [cluster.replace(*next(order)) for _ in range(REPLACEMENTS)]
                seconds = time.monotonic() - began
            kept = work.kept()
        finally:
            if cluster is not None:
                cluster.end()
            database.drop()
    lost = work.wrote - kept
    print(f"{len(took)} replicas replaced in {seconds:.0f} s, each ended within {max(took):.1f} s; {work.calls} calls, "
          f"{work.retried} repeated by clients, {len(work.failed)} failed; {len(work.wrote)} notes acknowledged, {len(lost)} lost")
    for refusal in work.failed[:5]:
        print(f"✗ {refusal}")
    broken = bool(work.failed) or bool(lost) or max(took) > EXIT_WITHIN
    print(f"rolling: {int(not broken)} passed, {int(broken)} failed")
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
