"""Every link of a document leads somewhere, and every test that SECURITY.md names is there."""

from __future__ import annotations

import re
import subprocess
import unittest
from pathlib import Path

from checkout import ROOT, tracked

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
# A sentence, as tests are named: four words at least.
TEST = re.compile(r"`([a-z0-9]+(?:_[a-z0-9]+){3,})`")


def prose(text: str) -> str:
    """A document without its blocks."""
    return re.sub(r"^ *```.*?^ *```$", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(text: str) -> set[str]:
    """Where one can jump to: headings, as they are written into addresses."""
    titles = re.findall(r"^#+ (.+)$", prose(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).lower()).replace(" ", "-") for title in titles}


def leads_somewhere(document: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (document.parent / path).resolve() if path else document
    if target.is_dir():
        target = target / "README.md" if (target / "README.md").exists() else target
    if not target.exists():
        return False
    return not anchor or anchor in anchors(target.read_text())


class References(unittest.TestCase):
    """What documents point to."""

    def test_every_link_leads_somewhere(self) -> None:
        documents = [name for name in tracked() if name.endswith(".md")]
        broken = [
            f"{name}: {link}"
            for name in documents
            for link in LINK.findall(prose((ROOT / name).read_text()))
            if not link.startswith(("http://", "https://", "mailto:")) and not leads_somewhere(ROOT / name, link)
        ]
        self.assertEqual(broken, [])
        self.assertGreater(len(documents), 10)

    def test_every_test_that_security_names_is_there(self) -> None:
        named = set(TEST.findall((ROOT / "SECURITY.md").read_text()))
        self.assertGreater(len(named), 40)
        found = subprocess.run(
            ["git", "grep", "-hoE", r"(fn|def) [a-z0-9_]+", "--", "*.rs", "*.py"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
        there = {line.split(" ")[1] for line in found.stdout.splitlines()}
        self.assertEqual(sorted(named - there), [])
