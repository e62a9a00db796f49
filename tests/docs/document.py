"""The commands of a document: its fenced blocks of `sh`, and what it shows as their output."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

# A block within a list stands a little to the right.
FENCE = re.compile(r"^ *```(.*)$")
# What may follow `sh` in the first line of a block.
NOT_RUN = "not-run:"
KINDS = ("", "serves", "background")
# The first line of a block that shows what has come in the background.
HEARD = "text background"


class Unclear(Exception):
    """A document breaks the rules of README.md."""


@dataclass(frozen=True)
class Block:
    """Commands of a document."""

    file: str
    line: int
    """Of its first command, from 1."""
    kind: str
    """`serves` and `background` go on while the document does; `heard` runs nothing; an empty one comes to its end."""
    why_not: str
    """Why it is not run; empty: it is."""
    commands: list[str]
    shown: str | None = None
    """What the document shows as its output."""

    @property
    def at(self) -> str:
        return f"{self.file}:{self.line}"


def blocks(file: str, text: str) -> list[Block]:
    """All blocks of a document, in their order."""
    found: list[Block] = []
    inside: tuple[str, int] | None = None
    lines: list[str] = []
    indent, last_is_sh = 0, False
    for number, line in enumerate(text.splitlines(), start=1):
        fence = FENCE.match(line)
        if fence is None:
            if inside is not None:
                lines.append(line[indent:] if line[:indent].isspace() else line)
            elif line.startswith("#"):
                last_is_sh = False  # another story
        elif inside is None:
            inside, lines, indent = (fence[1].strip(), number + 1), [], line.index("`")
        else:
            info, begins = inside
            inside = None
            language = info.split(" ")[0]
            if language == "sh":
                found.append(_block(file, begins, info.removeprefix("sh").strip(), lines))
            elif info == HEARD:
                found.append(Block(file, begins, "heard", "", [], "\n".join(lines)))
            elif language == "text" and last_is_sh:
                shown = found.pop()
                found.append(Block(shown.file, shown.line, shown.kind, shown.why_not, shown.commands, "\n".join(lines)))
            elif not language:
                raise Unclear(f"{file}:{begins - 1}: a block without a language: sh, text, json, ...")
            last_is_sh = language == "sh"
    if inside is not None:
        raise Unclear(f"{file}:{inside[1] - 1}: a block without an end")
    return found


def _block(file: str, line: int, marker: str, commands: list[str]) -> Block:
    if marker.startswith(NOT_RUN):
        why_not = marker.removeprefix(NOT_RUN).strip()
        if not why_not:
            raise Unclear(f"{file}:{line - 1}: not-run without a reason")
        return Block(file, line, "", why_not, commands)
    if marker not in KINDS:
        raise Unclear(f"{file}:{line - 1}: no such marker: {marker}")
    return Block(file, line, marker, "", commands)


def to_be_run(file: str, found: list[Block]) -> list[Block]:
    """Those of a document which are run: one that has none promises nothing."""
    run = [block for block in found if not block.why_not]
    if not any(block.commands for block in run):
        raise Unclear(f"{file}: not one of its commands is run")
    return run


def documents(root: Path, tracked: list[str]) -> list[str]:
    """Every document of the repository that shows a command."""
    return [name for name in tracked if name.endswith(".md") and re.search(r"^ *```sh\b", (root / name).read_text(), re.MULTILINE)]
