"""A day of two agents, through a client that was generated from the contracts: what they promise holds from outside Rust.

    journey.py ADDRESS TOKEN_COMMAND...

ADDRESS is where the API is; TOKEN_COMMAND prints a token when `--org`, `--sub` and `--role` follow.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import grpc

from backchannel_client import Refusal
from cast import Broken, World
from promises import Promises
from story import Story


def steps_of(scene: object) -> list[Callable[[], None]]:
    """The public methods, in the order in which they are written."""
    return [getattr(scene, name) for name in vars(type(scene)) if not name.startswith("_")]


def holds(step: Callable[[], None]) -> bool:
    """Takes a step and says how it ended."""
    promise = step.__name__.replace("_", " ")
    try:
        step()
    except grpc.RpcError as error:
        print(f"✗ {promise}: {Refusal.of(error)}", flush=True)
    except Exception as error:
        print(f"✗ {promise}: {error if isinstance(error, Broken) else repr(error)}", flush=True)
    else:
        print(f"✓ {promise}", flush=True)
        return True
    return False


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
    print(f"python client: {outcomes.count(True)} passed, {outcomes.count(False)} failed")
    return 0 if all(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
