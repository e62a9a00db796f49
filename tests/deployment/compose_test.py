"""G4: the whole scaled shape in one file."""

from __future__ import annotations

import os
import unittest
from pathlib import Path
from typing import Any

import yaml

COMPOSE = Path("deploy/compose/compose.yaml")
PROGRAMS = {"contacts", "assignment-routing", "notes", "notifications"}


class Compose(unittest.TestCase):
    def setUp(self) -> None:
        # With what it leaves to others filled in, as Compose itself does.
        self.services: dict[str, Any] = yaml.safe_load(Path(os.environ["RENDERED"], "compose.yaml").read_text())["services"]

    def test_the_four_services_are_told_where_the_others_are(self) -> None:
        for name in PROGRAMS:
            environment = self.services[name]["environment"]
            peers = {value for key, value in environment.items() if key.startswith("BACKCHANNEL_PEERS__")}
            self.assertEqual(peers, {f"https://{peer}:50051" for peer in PROGRAMS})
            own = f"/etc/backchannel/certificates/{name}"
            self.assertEqual(environment["BACKCHANNEL_TLS__CERTIFICATE"], f"{own}/tls.crt")
            self.assertEqual(environment["BACKCHANNEL_TLS__KEY"], f"{own}/tls.key")
            self.assertEqual(environment["BACKCHANNEL_TLS__MUTUAL"], "true")
            self.assertEqual(self.services[name]["build"]["args"]["PROGRAM"], name)
            self.assertTrue(self.services[name]["read_only"])

    def test_every_file_that_is_mounted_is_there(self) -> None:
        for name, service in yaml.safe_load(COMPOSE.read_text())["services"].items():
            for volume in service.get("volumes", []):
                source = volume.split(":")[0]
                if source.startswith("."):
                    self.assertTrue((COMPOSE.parent / source).exists(), f"{name}: {source}")

    def test_nothing_is_open_to_other_machines(self) -> None:
        for name, service in yaml.safe_load(COMPOSE.read_text())["services"].items():
            for port in service.get("ports", []):
                self.assertTrue(port.startswith("127.0.0.1:"), f"{name}: {port}")

    def test_prometheus_finds_every_service(self) -> None:
        jobs = yaml.safe_load(Path("deploy/observability/prometheus.yaml").read_text())["scrape_configs"]
        found = {name for job in jobs for source in job["dns_sd_configs"] for name in source["names"]}
        self.assertEqual(found, PROGRAMS | {"edge"})


if __name__ == "__main__":
    unittest.main()
