"""A journey through the real edge: what it promises holds for callers of gRPC, gRPC-Web and JSON.

    through.py [calls|guards|shapes|streams]...
"""

from __future__ import annotations

import sys

from calls import Calls
from guards import Guards
from scene import Scene
from shapes import Shapes
from stage import Stage
from steps import holds, steps_of
from streams import Streams

ACTS = {
    "calls": lambda stage, scene: Calls(scene),
    "guards": lambda stage, scene: Guards(stage),
    "shapes": lambda stage, scene: Shapes(stage),
    "streams": lambda stage, scene: Streams(scene),
}


def main(*acts: str) -> int:
    outcomes: list[bool] = []
    with Stage() as stage:
        scene = Scene(stage)
        for act in acts or ACTS:
            outcomes += [holds(step) for step in steps_of(ACTS[act](stage, scene))]
    print(f"edge: {outcomes.count(True)} passed, {outcomes.count(False)} failed")
    return 0 if all(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
