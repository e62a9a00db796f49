"""Runs the commands of the documents, and compares what they print with what the documents show.

    walk.py [DOCUMENT]...

BACKCHANNEL, BUF and ENVOY name the programs, BACKCHANNEL_TEST_POSTGRES a server: `tests/run docs` sets them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from checkout import ADMIN, INTERNAL, ROOT, Checkout, tracked
from document import Block, Unclear, blocks, documents, to_be_run
from shown import Ids
from terminal import PATIENCE, Failed, Terminal

# Without these the commands of a whole subject would be gone unnoticed.
NEEDED = ("README.md", "docs/getting-started.md", "docs/api-guide.md", "docs/operating.md")
# Started for a document that does not start with starting something.
UP = "backchannel up"


@dataclass
class Outcome:
    """What became of a document's commands."""

    file: str
    run: int = 0
    commands: int = 0
    compared: int = 0
    not_run: list[Block] = field(default_factory=list)
    failure: str = ""
    seconds: float = 0.0


class Walk:
    """One document, in a fresh clone."""

    def __init__(self, file: str, files: list[str], temporary: Path, more: dict[str, str]) -> None:
        self._file, self._ids = file, Ids()
        self._checkout = Checkout(temporary / "clone", files, Path(os.environ["BACKCHANNEL"]))
        self._files = temporary / "output"
        self._files.mkdir()
        self._terminal = Terminal(self._checkout.folder, self._checkout.environment() | more, self._files)
        self._serving: int | None = None
        self._background = self._files / "none"

    def through(self) -> Outcome:
        """Runs all that is to be run."""
        began, outcome = time.monotonic(), Outcome(self._file)
        try:
            found = blocks(self._file, (ROOT / self._file).read_text())
            run = to_be_run(self._file, found)
            outcome.not_run = [block for block in found if block.why_not]
            if run[0].kind != "serves":
                self._serve(Block(self._file, 2, "serves", "", [UP]))
            for block in run:
                self._run(block)
                outcome.run += bool(block.commands)
                outcome.compared += block.shown is not None
        except (Failed, Unclear) as failed:
            outcome.failure = str(failed)
        finally:
            outcome.commands = len(self._terminal.begun)
            self._terminal.close()
            outcome.seconds = time.monotonic() - began
        return outcome

    def _run(self, block: Block) -> None:
        match block.kind:
            case "serves":
                self._serve(block)
            case "background":
                _, output = self._terminal.begin(block, self._real(block))
                # A stream is open when its first frame is there; what the next commands cause must not come before.
                until(lambda: output.stat().st_size > 0, lambda: f"{block.at}: prints nothing")
                self._background = output
            case "heard":
                heard = self._background
                until(lambda: self._as_shown(block, heard.read_text()), lambda: self._differs(block, heard.read_text()))
            case _:
                came = self._terminal.run(block, self._real(block))
                if not self._as_shown(block, came):
                    raise Failed(self._differs(block, came))
                if block.shown is None and "null" in came.splitlines():
                    raise Failed(f"{block.at}: prints null, as jq does where there is nothing of that name:\n{came}")

    def _serve(self, block: Block) -> None:
        if self._serving is not None:
            self._terminal.end(self._serving)
        serving, output = self._terminal.begin(block, self._real(block))
        self._serving = serving
        commands = "\n".join(block.commands)
        usual = (9461, 9462, 9463, 9465) if "deploy/processes/run" in commands else (INTERNAL,)
        until(lambda: not self._terminal.alive(serving)
              or all(self._answers(f"http://127.0.0.1:{self._checkout.ports[port]}/readyz") for port in usual)
              and ("deploy/envoy/run" not in commands or self._edge_is_healthy()),
              lambda: f"{block.at}: does not serve:\n{output.read_text()[-4000:]}")
        if not self._terminal.alive(serving):
            raise Failed(f"{block.at}: has ended:\n{output.read_text()[-4000:]}")

    def _edge_is_healthy(self) -> bool:
        try:
            clusters = json.loads(self._read(f"http://127.0.0.1:{self._checkout.ports[ADMIN]}/clusters?format=json"))["cluster_statuses"]
        except OSError:
            return False
        hosts = [host for cluster in clusters for host in cluster.get("host_statuses", [])]
        return bool(hosts) and all(host["health_status"].get("eds_health_status") == "HEALTHY" and len(host["health_status"]) == 1
                                   for host in hosts)

    def _answers(self, url: str) -> bool:
        try:
            self._read(url)
        except OSError:
            return False
        return True

    @staticmethod
    def _read(url: str) -> bytes:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bytes(answer.read())

    def _real(self, block: Block) -> str:
        return self._checkout.ports.put_into(self._ids.put_into("\n".join(block.commands)))

    def _as_shown(self, block: Block, came: str) -> bool:
        return block.shown is None or self._ids.match(block.shown, self._checkout.ports.taken_out_of(came))

    def _differs(self, block: Block, came: str) -> str:
        return f"{block.at}: shows\n{block.shown}\nbut what came is\n{self._checkout.ports.taken_out_of(came)}"


def until(ready: Callable[[], bool], trouble: Callable[[], str]) -> None:
    """Asks `ready` until it says yes; after too long the trouble is told."""
    end = time.monotonic() + PATIENCE
    while not ready():
        if time.monotonic() > end:
            raise Failed(f"{trouble()}\n(after {PATIENCE:.0f} s)")
        time.sleep(0.05)


@contextmanager
def databases(file: str) -> Iterator[dict[str, str]]:
    """Two new databases of PostgreSQL, for a document which speaks of `$DATABASE` and of `$NEW_DATABASE`."""
    server, made = os.environ["BACKCHANNEL_TEST_POSTGRES"], {}
    if "$DATABASE" in (ROOT / file).read_text():
        made = {variable: f"docs_{os.getpid()}_{variable.lower()}" for variable in ("DATABASE", "NEW_DATABASE")}
    psql = ["psql", "--quiet", "--dbname", server, "--command"]
    for name in made.values():
        subprocess.run([*psql, f"CREATE DATABASE {name}"], check=True)
    try:
        yield {variable: urlunsplit(urlsplit(server)._replace(path=f"/{name}")) for variable, name in made.items()}
    finally:
        for name in made.values():
            subprocess.run([*psql, f"DROP DATABASE {name} WITH (FORCE)"], check=True)


def walk(file: str, files: list[str]) -> Outcome:
    """One document in a temporary directory."""
    with tempfile.TemporaryDirectory(prefix="backchannel-docs.", ignore_cleanup_errors=True) as temporary, databases(file) as made:
        return Walk(file, files, Path(temporary), made).through()


def main(*chosen: str) -> int:
    files = tracked()
    found = documents(ROOT, files)
    missing = [name for name in NEEDED if name not in found]
    if missing and not chosen:
        raise SystemExit(f"error: no commands in {', '.join(missing)}")
    # The longest first; three at once, as each waits most of its time.
    order = sorted(chosen or found, key=lambda name: -(ROOT / name).stat().st_size)
    with ThreadPoolExecutor(max_workers=3) as pool:
        outcomes = list(pool.map(lambda name: walk(name, files), order))
    for outcome in outcomes:
        print(f"{'FAILED' if outcome.failure else 'ok':6}  {outcome.file}: {outcome.commands} commands in {outcome.run} blocks run, "
              f"{outcome.compared} outputs compared, {len(outcome.not_run)} blocks not run; {outcome.seconds:.1f} s")
        for block in outcome.not_run:
            print(f"        not run: {block.at}: {block.why_not}")
        if outcome.failure:
            print("        " + outcome.failure.replace("\n", "\n        "))
    failed = [outcome for outcome in outcomes if outcome.failure]
    print(f"docs: {sum(each.commands for each in outcomes)} commands in {sum(each.run for each in outcomes)} blocks run, "
          f"{sum(len(each.not_run) for each in outcomes)} blocks not run; {len(outcomes) - len(failed)} documents passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
