"""Walks the quickstart of each language through a real edge, before which another proxy refuses two calls of three.

    walk.py [python|typescript|go|rust]...

TYPESCRIPT_MODULES is the folder with the packages of typescript/package.json, CHROMIUM a browser, BUF, BACKCHANNEL and
BACKCHANNEL_TEST_ENVOY the programs of these names: `tests/run clients` sets them.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from stage import Stage, named
from upstream import Flaky

HERE = Path(__file__).resolve().parent


def command(language: str, stage: Stage) -> list[str]:
    """What walks it."""
    tokens = stage.suite.token_command()
    match language:
        case "python":
            return [sys.executable, str(HERE / "python/journey.py"), stage.edge.address, *tokens]
        case "typescript":
            return [str(HERE / "typescript/run"), named("BUF", "the program buf"), os.environ["TYPESCRIPT_MODULES"]]
        case "go":
            return [str(HERE / "go/run"), named("BUF", "the program buf")]
        case "rust":
            return [named("RUST_QUICKSTART", "the example `quickstart` of the crate journeys")]
    raise SystemExit(f"error: no such language: {language}")


def main(*languages: str) -> int:
    failed = []
    with Stage() as stage:
        for language in languages or ("python", "typescript", "go", "rust"):
            flaky = Flaky(stage.edge.address)  # one for each, as it counts
            org = f"{stage.org}-{language}"
            env = {
                **os.environ, "EDGE": stage.edge.address, "FLAKY": flaky.address, "THROUGH_EDGE": "1",
                "TOKEN_COMMAND": " ".join([*stage.suite.token_command(), "--org", org]),
            }
            if subprocess.run(command(language, stage), env=env, stdin=subprocess.DEVNULL, check=False).returncode:
                failed.append(language)
            flaky.stop()
    print(f"clients at the edge: {', '.join(failed) or 'none'} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
