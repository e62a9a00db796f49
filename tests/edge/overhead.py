"""What the edge costs: the same call past it and through it, in turns, in one run.

    overhead.py

`h2load` (Debian: nghttp2-client) asks; BACKCHANNEL should be a release build. Everything shares the cores of this machine, also who asks:
in a cluster the edge has cores of its own.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from pathlib import Path

from stage import Stage

CALL = "/backchannel.contacts.v1.ContactService/ListTags"
ROUNDS = 5
CALLS = 4000


def measured(address: str, token: str, files: Path, connections: int, at_once: int) -> tuple[float, float, float]:
    """Calls a second, and within how many milliseconds half of them, and 99 of 100, were answered."""
    body, log = files / "empty", files / "h2load.log"
    body.write_bytes(b"\0\0\0\0\0")
    log.unlink(missing_ok=True)
    told = subprocess.run(
        ["h2load", f"--requests={CALLS}", f"--clients={connections}", f"--max-concurrent-streams={at_once}", f"--data={body}", f"--log-file={log}",
         "--header=content-type: application/grpc", "--header=te: trailers", f"--header=authorization: Bearer {token}",
         f"http://{address}{CALL}"], check=True, stdout=subprocess.PIPE, text=True).stdout
    if f"{CALLS} succeeded" not in told:
        raise SystemExit(f"error: not every call was answered:\n{told}")
    rate = next(float(line.split(",")[1].removesuffix(" req/s")) for line in told.splitlines() if line.startswith("finished in"))
    took = sorted(int(line.split("\t")[2]) / 1000 for line in log.read_text().splitlines())
    return rate, took[len(took) // 2], took[len(took) * 99 // 100]


def main() -> int:
    with Stage() as stage:
        # An adapter's calls are not counted; the replica's own limit is out of the way too.
        token = stage.token("load", "integration", "--ttl", "1h")
        at = f"127.0.0.1:{stage.suite.port}"
        edge = stage.another_edge("load", contacts=at, routing=at, notes=at, notifications=at, edge_burst=10_000_000, edge_per_50ms=1_000_000)
        for connections, at_once in [(1, 1), (8, 8)]:
            ways = {"past the edge": at, "through the edge": edge.address}
            for address in ways.values():
                measured(address, token, stage.files, connections, at_once)  # warm
            rounds = {way: [] for way in ways}
            began = edge.process.cpu_seconds()
            for _ in range(ROUNDS):
                for way, address in ways.items():
                    rounds[way].append(measured(address, token, stage.files, connections, at_once))
            for way, found in rounds.items():
                rate, half, most = (statistics.median(each) for each in zip(*found, strict=True))
                print(f"{connections} connections, {at_once} calls at once on each, {way}: {rate:.0f}/s, p50 {half:.2f} ms, p99 {most:.2f} ms",
                      flush=True)
            spent = (edge.process.cpu_seconds() - began) / (ROUNDS * CALLS)
            print(f"of a core the edge takes {spent * 1e6:.0f} µs for a call")
    return 0


if __name__ == "__main__":
    sys.exit(main())
