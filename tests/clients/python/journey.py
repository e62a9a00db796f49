"""A day of two agents, through a client that was generated from the contracts: what they promise holds from outside Rust.

    journey.py ADDRESS TOKEN_COMMAND...

ADDRESS is where the API is; TOKEN_COMMAND prints a token when `--org`, `--sub` and `--role` follow.
"""

from __future__ import annotations

import sys

from cast import World
from promises import Promises
from steps import holds, steps_of
from story import Story
from webhooks import Webhooks


def main(address: str, *token_command: str) -> int:
    """Walks the story to its end, or to where it breaks, then checks the promises."""
    outcomes: list[bool] = []
    with Story(World(address, list(token_command))) as story:
        for step in steps_of(story):
            outcomes.append(holds(step))
            if not outcomes[-1]:
                break  # what follows builds on it
        else:
            outcomes += [holds(promise) for promise in steps_of(Promises(story))]
            outcomes += [holds(step) for step in steps_of(Webhooks(story))]
    print(f"python client: {outcomes.count(True)} passed, {outcomes.count(False)} failed")
    return 0 if all(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
