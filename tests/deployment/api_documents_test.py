"""G6: what is published of the contracts. That it is what they say is checked by tests/contracts."""

from __future__ import annotations

import json
import re
import unittest
from pathlib import Path

from openapi_spec_validator import validate

API = Path("docs/api")
OPENAPI = json.loads((API / "openapi.json").read_text())


class OpenApi(unittest.TestCase):
    def test_it_is_openapi(self) -> None:
        validate(OPENAPI)

    def test_every_operation_has_a_name_of_its_own_and_says_who_may_call(self) -> None:
        operations = [it for path in OPENAPI["paths"].values() for it in path.values()]
        self.assertEqual(len({it["operationId"] for it in operations}), len(operations))
        for operation in operations:
            self.assertNotEqual(operation["x-roles"], ["service"], operation["operationId"])
            self.assertTrue(operation["x-roles"] or operation["security"] == [], operation["operationId"])

    def test_every_variable_of_an_address_is_a_parameter(self) -> None:
        for path, operations in OPENAPI["paths"].items():
            for operation in operations.values():
                said = {it["name"] for it in operation["parameters"] if it["in"] == "path"}
                self.assertEqual(said, set(re.findall(r"\{([^}]+)\}", path)), path)


class ServiceConfig(unittest.TestCase):
    config = json.loads((API / "grpc_service_config.json").read_text())

    def test_no_call_is_named_twice_or_repeated_without_bound(self) -> None:
        names = [(it["service"], it["method"]) for entry in self.config["methodConfig"] for it in entry["name"]]
        self.assertEqual(len(names), len(set(names)))
        for entry in self.config["methodConfig"]:
            # gRPC itself takes 5 at most.
            self.assertLessEqual(entry.get("retryPolicy", {"maxAttempts": 0})["maxAttempts"], 5)

    def test_what_takes_a_request_id_is_not_repeated_by_itself(self) -> None:
        """A note would be there twice if its writer did not set one."""
        repeated = [it for entry in self.config["methodConfig"] if "retryPolicy" in entry for it in entry["name"]]
        self.assertNotIn({"service": "backchannel.notes.v1.NoteService", "method": "CreateNote"}, repeated)
        self.assertIn({"service": "backchannel.notes.v1.NoteService", "method": "ListNotes"}, repeated)


class Reference(unittest.TestCase):
    def test_every_link_leads_somewhere(self) -> None:
        pages = {file.name: file.read_text() for file in API.glob("*.md")}
        anchors = {name: {title.lower() for title in re.findall(r"^#+ (\w+)$", page, re.MULTILINE)} for name, page in pages.items()}
        for name, page in pages.items():
            for target in re.findall(r"\]\(([^)#]*)(?:#([^)]*))?\)", page):
                file, anchor = target
                if not file.endswith(".md") or "/" in file:
                    continue
                self.assertIn(file, pages, name)
                if anchor:
                    self.assertIn(anchor, anchors[file], name)


if __name__ == "__main__":
    unittest.main()
