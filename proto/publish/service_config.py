"""`grpc_service_config.json`: which calls a gRPC client repeats by itself, for every language whose gRPC reads one.

What the contract calls safe to repeat is repeated while nobody answers. What is safe with a `request_id` only is not: gRPC cannot
know whether a request has one. A program that sets it always may repeat those calls too, with the same request.
"""

from __future__ import annotations

from typing import Any

from contracts import Contracts, Method

# The longest that a server grants a call (limits.longest_deadline_ms). A caller's own deadline, if sooner, holds.
LONGEST = "30s"

RETRY = {
    "maxAttempts": 4,
    "initialBackoff": "0.1s",
    "maxBackoff": "2s",
    "backoffMultiplier": 3,
    "retryableStatusCodes": ["UNAVAILABLE"],
}


def service_config(contracts: Contracts) -> dict[str, Any]:
    kinds: dict[tuple[bool, bool], list[Method]] = {}
    for method in contracts.methods():
        if method.internal:
            continue
        # What a client streams in cannot be sent again by gRPC: it is not kept.
        repeated = method.repeatable and not method.client_streaming
        timed = not (method.server_streaming or method.client_streaming)
        kinds.setdefault((repeated, timed), []).append(method)
    return {
        # To every address that the name has, where it has several.
        "loadBalancingConfig": [{"round_robin": {}}],
        "methodConfig": [
            {
                "name": [{"service": method.service, "method": method.name} for method in kinds[kind]],
                **({"timeout": LONGEST} if kind[1] else {}),
                **({"retryPolicy": RETRY} if kind[0] else {}),
            }
            # An entry that says nothing is none.
            for kind in sorted(kinds, reverse=True) if any(kind)
        ],
        # While more than a tenth of all calls fail, nothing is repeated.
        "retryThrottling": {"maxTokens": 100, "tokenRatio": 0.1},
    }
