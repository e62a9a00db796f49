"""What the journeys through the edge need around them: the suite, a real Envoy in front of it, and tokens.

Each starts on free ports of this machine, with its files in a temporary directory, and ends with the journey.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from pathlib import Path
from types import TracebackType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent

# Debug builds on a busy machine are slow; nothing waits this long when all is well.
PATIENCE = 30.0


def named(variable: str, what: str) -> str:
    """A program that the environment names. Its absence is an error: no test is skipped for want of a tool."""
    found = os.environ.get(variable, "")
    if not Path(found).is_file():
        raise SystemExit(f"error: {variable} must name {what}; `tests/run edge` brings it")
    return found


class Process:
    """A program that runs until it is told to end."""

    def __init__(self, command: list[str], log: Path, env: dict[str, str] | None = None) -> None:
        self.command, self.log, self._env = command, log, env
        self.start()

    def start(self) -> None:
        with self.log.open("ab") as log, Path(f"{self.log}.out").open("ab") as out:
            self._process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=out, stderr=log, env=self._env, start_new_session=True, cwd=ROOT)

    def alive(self) -> bool:
        return self._process.poll() is None

    def end(self, by: signal.Signals = signal.SIGTERM, within: float = 30) -> int:
        """Ends it and says how."""
        if self.alive():
            self._process.send_signal(by)
        try:
            return self._process.wait(within)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise RuntimeError(f"{self.command[0]} did not end within {within:.0f} s of {by.name}") from None

    def cpu_seconds(self) -> float:
        """What it has computed so far (Linux)."""
        user, system = Path(f"/proc/{self._process.pid}/stat").read_text().rsplit(") ", 1)[1].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def last_words(self) -> str:
        return self.log.read_text(errors="replace")[-4000:]

    def until(self, ready: Any, what: str) -> None:
        """Asks `ready` until it says yes; gives up when the program has ended."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if ready():
                return
            if not self.alive():
                break
            time.sleep(0.05)
        raise RuntimeError(f"{what} is not ready; its last words:\n{self.last_words()}")


UNVERIFIED = ssl.create_default_context()
UNVERIFIED.check_hostname, UNVERIFIED.verify_mode = False, ssl.CERT_NONE


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def answers(url: str) -> bool:
    """Whether a URL is answered with 200."""
    try:
        # Certificates are looked at where they matter.
        with urllib.request.urlopen(url, timeout=1, context=UNVERIFIED) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


class Suite:
    """`backchannel up`, on SQLite. `settings` are further variables of its environment."""

    def __init__(self, files: Path, **settings: object) -> None:
        files.mkdir(exist_ok=True)
        self.program = named("BACKCHANNEL", "the binary `backchannel`")
        self.data = files / "data"
        self.port = free_port()
        self.internal = f"127.0.0.1:{free_port()}"
        # Whoever runs this may have configured a Backchannel of their own.
        env = {name: set_to for name, set_to in os.environ.items() if not name.startswith("BACKCHANNEL")}
        # The webhook of the Python client is on this machine.
        env |= {f"BACKCHANNEL_NOTIFICATIONS__EGRESS__ALLOW_{what}": "true" for what in ("HTTP", "PRIVATE_ADDRESSES")}
        env |= {f"BACKCHANNEL_{name}": str(to) for name, to in settings.items()}
        self.process = Process(
            [self.program, "up", "--data", str(self.data), "--listen", f"127.0.0.1:{self.port}", "--metrics", self.internal],
            files / "suite.log", env)
        self.wait()

    def wait(self) -> None:
        self.process.until(lambda: answers(f"http://{self.internal}/readyz"), "the suite")

    def token_command(self) -> list[str]:
        """Prints a token when `--org`, `--sub` and `--role` follow."""
        return [self.program, "token", "--data", str(self.data)]

    def token(self, org: str, subject: str, role: str, *more: str) -> str:
        command = [self.program, "token", "--data", str(self.data), "--org", org, "--sub", subject, "--role", role, *more]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def configuration(shape: str, **settings: object) -> bytes:
    """What deploy/envoy/generate makes of a shape and other settings."""
    command = [sys.executable, str(ROOT / "deploy/envoy/generate"), named("BUF", "the program buf"), shape]
    return subprocess.run(
        [*command, *(f"{key}={setting}" for key, setting in settings.items())], check=True, stdout=subprocess.PIPE).stdout


def envoy(file: Path) -> list[str]:
    """Envoy with a configuration."""
    program = named("BACKCHANNEL_TEST_ENVOY", "the program envoy")
    return [program, "--config-path", str(file), "--log-level", "warn", "--use-dynamic-base-id"]


class Edge:
    """Envoy with one of the configurations of deploy/envoy, on ports of its own. It is waited for until it finds its services healthy, unless
    `believed` says that it never will."""

    def __init__(self, files: Path, name: str, shape: str, believed: bool = True, **settings: object) -> None:
        self._believed = believed
        self.port, self._admin = free_port(), free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.configuration = files / f"{name}.yaml"
        self.configuration.write_bytes(configuration(shape, port=self.port, admin_port=self._admin, listen="127.0.0.1", **settings))
        self.access_log = files / f"{name}.log.out"
        # One worker: limits and pools are then the same in each run.
        self.process = Process([*envoy(self.configuration), "--concurrency", "1"], files / f"{name}.log")
        self.healthz = f"{'https' if shape == 'kubernetes' else 'http'}://{self.address}/healthz"
        self.wait()

    def wait(self) -> None:
        """Until it listens and its services are found healthy."""
        self.process.until(lambda: answers(self.healthz) and (self._healthy() or not self._believed), "the edge")

    def _healthy(self) -> bool:
        with urllib.request.urlopen(f"http://127.0.0.1:{self._admin}/clusters?format=json", timeout=2) as answer:
            clusters = json.load(answer)["cluster_statuses"]
        hosts = [host for cluster in clusters for host in cluster.get("host_statuses", [])]
        return bool(hosts) and all(host["health_status"].get("eds_health_status") == "HEALTHY" and len(host["health_status"]) == 1
                                   for host in hosts)

    def stat(self, name: str) -> int:
        """A counter of Envoy's own."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self._admin}/stats?format=json&filter=^{name}$", timeout=2) as answer:
            found = json.load(answer)["stats"]
        return sum(int(each["value"]) for each in found if "value" in each)

    def cut(self) -> None:
        """Kills it, with every connection, and starts it again at the same address."""
        self.process.end(signal.SIGKILL)
        self.process.start()
        self.wait()


class Stage:
    """A suite, an edge, an organization nobody used before."""

    def __enter__(self) -> Stage:
        self._temporary = tempfile.TemporaryDirectory(prefix="backchannel-edge.")
        self.files = Path(self._temporary.name)
        self.org = f"acme-{uuid.uuid4().hex[:8]}"
        self._processes: list[Process] = []
        try:
            self.suite = Suite(self.files)
            self._processes.append(self.suite.process)
            self.descriptors = self.files / "descriptors.pb"
            self._describe()
            at = f"127.0.0.1:{self.suite.port}"
            self.edge = self.another_edge("edge", contacts=at, routing=at, notes=at, notifications=at)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def _describe(self) -> None:
        subprocess.run([self.suite.program, "descriptors", "--out", str(self.descriptors)], check=True)

    def another_suite(self, name: str, **settings: object) -> Suite:
        suite = Suite(self.files / name, **settings)
        self._processes.append(suite.process)
        return suite

    def another_edge(self, name: str, shape: str = "local", **settings: object) -> Edge:
        settings = {"keys": self.suite.internal, "descriptors": self.descriptors, **settings}
        edge = Edge(self.files, name, shape, **settings)
        self._processes.append(edge.process)
        return edge

    def token(self, subject: str, role: str, *more: str) -> str:
        return self.suite.token(self.org, subject, role, *more)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for process in reversed(self._processes):
            if error is not None:
                print(f"--- last words of {process.command[0]}:\n{process.last_words()}", file=sys.stderr)
            if process.alive():
                process.end(signal.SIGKILL if error is not None else signal.SIGTERM)
        self._temporary.cleanup()
