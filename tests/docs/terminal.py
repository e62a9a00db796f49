"""A shell that runs the blocks of a document one after the other, as somebody would who types them."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from document import Block

# Debug builds on a busy machine are slow; no block takes this long when all is well.
PATIENCE = 60.0


class Failed(Exception):
    """A command ended with an error, or never."""


class Terminal:
    """Bash, fed with a document line by line: each command has the number of the line where it stands in the document."""

    def __init__(self, folder: Path, env: dict[str, str], files: Path) -> None:
        self._files = files
        script, write_script = os.pipe()
        self._status, write_status = os.pipe()
        self._process = subprocess.Popen(
            ["bash", f"/dev/fd/{script}"], cwd=folder, env=env, pass_fds=(script, write_status),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        os.close(script)
        os.close(write_status)
        self._script = os.fdopen(write_script, "w")
        self._tell = f">&{write_status}"
        self._said = ""
        self._fed = 0
        self._groups: list[int] = []
        self.begun: set[int] = set()
        """The lines at which a command began."""
        # A command that fails ends the shell; a function's commands belong to the line that calls it.
        self._feed(f"set -e -o pipefail; trap 'echo \"ended $?\" {self._tell}' EXIT; trap 'echo \"at $LINENO\" {self._tell}' DEBUG")

    def run(self, block: Block, commands: str) -> str:
        """Runs a block to its end, and returns what it printed."""
        output = self._files / f"{block.line}.out"
        self._to(block.line - 1)
        self._feed(f"exec >{output} 2>&1")
        self._feed(commands)
        self._feed(f"exec >/dev/null 2>&1; trap - DEBUG; echo done {self._tell}; trap 'echo \"at $LINENO\" {self._tell}' DEBUG")
        self._until_done(block, output)
        return output.read_text(errors="replace")

    def begin(self, block: Block, commands: str) -> tuple[int, Path]:
        """Begins a block which goes on beside what follows; by what it is ended, and where its output comes."""
        output = self._files / f"{block.line}.out"
        output.touch()
        self._to(block.line - 1)
        # Its processes are a group of their own, by which they are ended.
        self._feed(f"trap - DEBUG; set -m; ( trap - EXIT; exec >{output} 2>&1")
        self._feed(commands)
        self._feed(f") & set +m; echo \"group $!\" {self._tell}; echo done {self._tell}; trap 'echo \"at $LINENO\" {self._tell}' DEBUG")
        self._until_done(block, output)
        self.begun.add(block.line)
        return self._groups[-1], output

    @staticmethod
    def alive(group: int) -> bool:
        """Whether what was begun goes on."""
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return False
        return True

    def end(self, group: int) -> None:
        """Asks what was begun to end, and sees that it does."""
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGTERM)
        end = time.monotonic() + 30
        while time.monotonic() < end and self.alive(group):
            time.sleep(0.02)
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
        self._groups.remove(group)

    def close(self) -> None:
        """Ends everything that runs in it."""
        for group in self._groups[::-1]:
            self.end(group)
        with suppress(BrokenPipeError):
            self._script.close()
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._status)

    def _feed(self, lines: str) -> None:
        with suppress(BrokenPipeError):  # it has ended; its status says how
            self._script.write(f"{lines}\n")
            self._script.flush()
        self._fed += lines.count("\n") + 1

    def _to(self, line: int) -> None:
        if self._fed < line - 1:
            self._feed("\n" * (line - self._fed - 2))

    def _until_done(self, block: Block, output: Path) -> None:
        at, end = block.line, time.monotonic() + PATIENCE
        while True:
            match self._next(end).split():
                case ["at", line]:
                    if block.line <= int(line) < block.line + len(block.commands):
                        at = int(line)
                        self.begun.add(at)
                case ["group", group]:
                    self._groups.append(int(group))
                case ["done"]:
                    return
                case ["ended", code]:
                    raise Failed(f"{block.file}:{at}: ended with {code}:\n{_last(output)}")
                case _:
                    raise Failed(f"{block.file}:{at}: does not end within {PATIENCE:.0f} s:\n{_last(output)}")

    def _next(self, end: float) -> str:
        """What the shell says next, or nothing when there is no more time."""
        while "\n" not in self._said:
            ready, _, _ = select.select([self._status], [], [], max(0.0, end - time.monotonic()))
            heard = os.read(self._status, 4096).decode() if ready else ""
            if not heard:
                return ""
            self._said += heard
        line, self._said = self._said.split("\n", 1)
        return line


def _last(output: Path) -> str:
    return output.read_text(errors="replace")[-4000:] if output.exists() else ""
