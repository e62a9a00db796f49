"""Whether what came is what a document shows."""

from __future__ import annotations

import re

ID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z"
MEASURED = r"\d+(?:\.\d+)?(?= (?:ms|s|messages/s)\b)"
# A place in a shown line that stands for something else: an id, a time, what a clock said, or two dots for anything.
PLACE = re.compile(rf"(?P<id>{ID})|(?P<time>{TIME})|(?P<measured>{MEASURED})|(?P<anything>\.\.)")
ANY_LINES = "..."


class Ids:
    """The ids that a document shows, and which they are in this run: the same one stands for the same thing throughout."""

    def __init__(self) -> None:
        self._real: dict[str, str] = {}

    def put_into(self, commands: str) -> str:
        """Commands with the ids of this run."""
        return re.sub(ID, lambda found: self._real.get(found[0], found[0]), commands)

    def match(self, shown: str, came: str) -> bool:
        """Compares, and learns the ids that are shown for the first time."""
        groups: dict[str, str] = {}
        pattern = "".join(self._lines(shown, groups))
        found = re.fullmatch(pattern, "".join(f"{_plain(line)}\n" for line in came.rstrip().splitlines()))
        if found is None:
            return False
        self._real |= {shown_id: found[group] for shown_id, group in groups.items()}
        return True

    def _lines(self, shown: str, groups: dict[str, str]) -> list[str]:
        return [
            r"(?:.*\n)*?" if line.strip() == ANY_LINES else f"{self._line(_plain(line), groups)}\n"
            for line in shown.rstrip().splitlines()
        ]

    def _line(self, line: str, groups: dict[str, str]) -> str:
        pattern, end = "", 0
        for place in PLACE.finditer(line):
            pattern += re.escape(line[end:place.start()])
            end = place.end()
            match place.lastgroup:
                case "id":
                    pattern += self._id(place[0], groups)
                case "time":
                    pattern += TIME
                case "measured":
                    pattern += r"\d+(?:\.\d+)?"
                case _:
                    pattern += ".*"
        return pattern + re.escape(line[end:])

    def _id(self, shown: str, groups: dict[str, str]) -> str:
        if shown in self._real:
            return re.escape(self._real[shown])
        if shown in groups:
            return f"(?P={groups[shown]})"
        groups[shown] = f"id{len(groups)}"
        return f"(?P<{groups[shown]}>{ID})"


def _plain(line: str) -> str:
    """How many spaces stand between words is up to the program that prints them."""
    return re.sub(r"\s+", " ", line).rstrip()
