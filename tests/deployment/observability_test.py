"""G7: dashboards and alerts show what there is."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

import yaml

OBSERVABILITY = Path("deploy/observability")
DASHBOARDS = sorted((OBSERVABILITY / "grafana/dashboards").glob("*.json"))

# What Prometheus itself and Envoy bring.
OTHERS = {"up"}


def metrics_of_the_code() -> dict[str, str]:
    """Each metric that the services record, and its kind."""
    found = {}
    for folder in ("shared", "services"):
        for file in Path(folder).glob("*/src/**/*.rs"):
            for kind, name in re.findall(r'metrics::(counter|gauge|histogram)!\(\s*"(\w+)"', file.read_text()):
                found[name] = kind
    return found


def expressions() -> list[tuple[str, str]]:
    """Every query of a dashboard, with the panel that asks it."""
    return [
        (f"{file.name}: {panel['title']}", target["expr"])
        for file in DASHBOARDS
        for panel in json.loads(file.read_text())["panels"]
        for target in panel["targets"]
    ]


def rules() -> list[dict[str, str]]:
    return [rule for group in yaml.safe_load((OBSERVABILITY / "rules.yaml").read_text())["groups"] for rule in group["rules"]]


def names(expression: str) -> set[str]:
    """The metrics that an expression reads."""
    bare = re.sub(r'"[^"]*"', "", expression)
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\b(?:by|on|ignoring|group_left|without)\s*\([^)]*\)", " ", bare)
    words = re.findall(r"[a-z_][\w:]*(?!\w*\s*\()", bare)
    return {word for word in words if "_" in word or ":" in word or word == "up"}


class Metrics(unittest.TestCase):
    def test_every_metric_of_a_dashboard_or_an_alert_is_recorded_somewhere(self) -> None:
        code = metrics_of_the_code()
        recorded = {rule["record"] for rule in rules() if "record" in rule}
        histograms = {f"{name}{part}" for name, kind in code.items() if kind == "histogram" for part in ("_bucket", "_sum", "_count")}
        plain = {name for name, kind in code.items() if kind != "histogram"}
        asked = [*expressions(), *((rule.get("alert", rule.get("record", "")), rule["expr"]) for rule in rules())]
        self.assertGreater(len(asked), 40)
        for where, expression in asked:
            with self.subTest(where):
                read = names(expression)
                self.assertTrue(read, expression)
                self.assertLessEqual(read, plain | histograms | recorded | OTHERS)

    def test_every_metric_is_on_a_dashboard_and_explained(self) -> None:
        shown = set().union(*(names(expression) for _, expression in expressions()))
        behind = {rule["record"]: names(rule["expr"]) for rule in rules() if "record" in rule}
        shown |= {name for record in shown & behind.keys() for name in behind[record]}
        shown = {re.sub(r"_(bucket|sum|count)$", "", name) for name in shown} | shown
        explained = set(re.findall(r"^\| `(\w+)`", (OBSERVABILITY / "README.md").read_text(), re.MULTILINE))
        code = set(metrics_of_the_code())
        self.assertEqual(code - shown, set(), "on no dashboard")
        self.assertEqual(code ^ explained, set(), "not in README.md, or only there")

    def test_prometheus_understands_every_query(self) -> None:
        made = [{"record": f"panel:{number}", "expr": expression.replace("$__rate_interval", "5m").replace("$service", ".*")}
                for number, (_, expression) in enumerate(expressions())]
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            yaml.safe_dump({"groups": [{"name": "panels", "rules": made}]}, file)
            file.flush()
            checked = subprocess.run([os.environ["PROMTOOL"], "check", "rules", "--lint=none", file.name], capture_output=True, text=True)
            self.assertEqual(checked.returncode, 0, checked.stderr)

    def test_every_alert_says_what_to_look_at_and_how_urgent_it_is(self) -> None:
        for rule in rules():
            if "alert" in rule:
                self.assertIn(rule["labels"]["severity"], ("page", "ticket"), rule["alert"])  # type: ignore[index]
                self.assertTrue({"summary", "description"} <= rule["annotations"].keys(), rule["alert"])  # type: ignore[attr-defined]


class Dashboards(unittest.TestCase):
    def test_they_have_ids_of_their_own_and_panels_that_do_not_overlap(self) -> None:
        dashboards = [json.loads(file.read_text()) for file in DASHBOARDS]
        self.assertEqual(len({it["uid"] for it in dashboards}), len(DASHBOARDS))
        for dashboard in dashboards:
            taken: set[tuple[int, int]] = set()
            ids = [panel["id"] for panel in dashboard["panels"]]
            self.assertEqual(len(ids), len(set(ids)))
            for panel in dashboard["panels"]:
                at = panel["gridPos"]
                self.assertLessEqual(at["x"] + at["w"], 24)
                cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
                self.assertFalse(cells & taken, f"{dashboard['title']}: {panel['title']}")
                taken |= cells

    def test_they_ask_the_source_that_their_reader_chose(self) -> None:
        for file in DASHBOARDS:
            dashboard = json.loads(file.read_text())
            self.assertEqual(dashboard["templating"]["list"][0]["type"], "datasource")
            self.assertEqual({panel["datasource"]["uid"] for panel in dashboard["panels"]}, {"${datasource}"})


if __name__ == "__main__":
    unittest.main()
