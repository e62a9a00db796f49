"""Steps of a journey: methods named after what they promise."""

from __future__ import annotations

from collections.abc import Callable

import grpc

from backchannel_client import Refusal
from cast import Broken


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
