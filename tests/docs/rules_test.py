"""What the walk through the documents promises: what is wrong in one of them is found."""

from __future__ import annotations

import os
import tempfile
import unittest
from pathlib import Path

from document import Block, Unclear, blocks, to_be_run
from shown import Ids
from terminal import Failed, Terminal

ONE, OTHER = "01a2009d-be67-776f-b366-cf94b21d64f3", "01a2009d-be4a-708e-a627-3fc1627a791d"


def document(*lines: str) -> list[Block]:
    return blocks("guide.md", "\n".join(lines))


class Documents(unittest.TestCase):
    """What is read out of a document."""

    def test_a_block_has_its_place_its_marker_and_what_it_shows(self) -> None:
        found = document("# Guide", "```sh", "true", "```", "", "```text", "shown", "```", "```sh not-run: needs a cluster", "kubectl", "```")
        self.assertEqual([(block.at, block.kind, block.why_not, block.shown) for block in found],
                         [("guide.md:3", "", "", "shown"), ("guide.md:10", "", "needs a cluster", None)])

    def test_a_text_under_another_heading_is_no_output(self) -> None:
        found = document("```sh", "true", "```", "## A picture", "```text", "box", "```")
        self.assertEqual([block.shown for block in found], [None])

    def test_a_block_within_a_list_is_a_block(self) -> None:
        found = document("- so:", "  ```sh", "  cat <<END", "    text", "  END", "  ```")
        self.assertEqual(found[0].commands, ["cat <<END", "  text", "END"])

    def test_prose_between_blocks_is_no_command(self) -> None:
        found = document("```sh", "true", "```", "rm everything", "```sh", "false", "```")
        self.assertEqual([block.commands for block in found], [["true"], ["false"]])

    def test_a_document_of_which_nothing_is_run_is_refused(self) -> None:
        with self.assertRaisesRegex(Unclear, "not one of its commands is run"):
            to_be_run("guide.md", document("```sh not-run: needs a cluster", "kubectl", "```"))

    def test_markers_that_mean_nothing_are_refused(self) -> None:
        for first in ("```sh not-run:", "```sh sometimes", "```"):
            with self.assertRaises(Unclear, msg=first):
                document(first, "true", "```")
        with self.assertRaises(Unclear):
            document("```sh", "true")


class Shown(unittest.TestCase):
    """What counts as the same."""

    def test_another_word_another_line_or_one_less_is_not_what_is_shown(self) -> None:
        for came in ("one\nthree\n", "one\ntwo\nthree\n", "one\n", ""):
            self.assertFalse(Ids().match("one\ntwo", came), came)
        self.assertTrue(Ids().match("one\ntwo", "one \ntwo\n\n"))

    def test_an_id_stands_for_one_id_and_a_time_for_any(self) -> None:
        ids = Ids()
        self.assertTrue(ids.match(f"{ONE} at 2026-11-22T00:17:47.635505Z", f"{OTHER} at 2027-01-01T00:00:00Z"))
        self.assertEqual(ids.put_into(f"explain {ONE}"), f"explain {OTHER}")
        self.assertTrue(ids.match(ONE, OTHER))
        self.assertFalse(ids.match(ONE, ONE))
        self.assertFalse(Ids().match(f"{ONE} {ONE}", f"{ONE} {OTHER}"))
        self.assertFalse(Ids().match(ONE, "not an id"))

    def test_a_measured_number_is_any_and_a_counted_one_is_not(self) -> None:
        self.assertTrue(Ids().match("76.81 messages/s, half within 6.011 ms", "9 messages/s, half within 1 ms"))
        self.assertFalse(Ids().match("4 messages: 0 lost", "4 messages: 1 lost"))

    def test_dots_stand_for_what_is_left_out_and_for_nothing_else(self) -> None:
        self.assertTrue(Ids().match('first\n...\n{"token":"..","count":1}', 'first\na\nb\n{"token":"abc","count":1}'))
        self.assertFalse(Ids().match('{"token":"..","count":1}', '{"token":"abc","count":2}'))


class InATerminal(unittest.TestCase):
    """What becomes of commands."""

    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        folder = Path(temporary.name)
        self.terminal = Terminal(folder, dict(os.environ), folder)
        self.addCleanup(self.terminal.close)

    def run_lines(self, line: int, *commands: str) -> str:
        return self.terminal.run(Block("guide.md", line, "", "", list(commands)), "\n".join(commands))

    def test_a_wrong_command_is_a_failure_at_its_line(self) -> None:
        for commands in (("true", "false"), ("echo one", "no-such-command | cat"), ("greet() { false; }", "greet")):
            with self.subTest(commands=commands):
                self.setUp()
                with self.assertRaisesRegex(Failed, "^guide.md:11: ended with"):
                    self.run_lines(10, *commands)

    def test_what_one_block_sets_the_next_one_has(self) -> None:
        self.run_lines(3, "greet() { echo \"hello $1\"; }", "who=ana")
        self.assertEqual(self.run_lines(8, 'greet "$who"', "greet ben"), "hello ana\nhello ben\n")
        self.assertEqual(self.terminal.begun, {4, 8, 9})

    def test_what_is_begun_goes_on_beside_the_rest_and_ends_with_it(self) -> None:
        block = Block("guide.md", 3, "serves", "", ["while :; do echo here; sleep 0.1; done"])
        group, output = self.terminal.begin(block, block.commands[0])
        self.assertEqual(self.run_lines(8, "sleep 0.3; echo there"), "there\n")
        self.assertIn("here\nhere\n", output.read_text())
        self.terminal.end(group)
        before = output.read_text()
        self.assertEqual(self.run_lines(12, "sleep 0.3"), "")
        self.assertEqual(output.read_text(), before)
