"""A fresh clone for each document, whose servers listen on free ports of this machine instead of their usual ones."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
HERE = Path(__file__).resolve().parent

# As documents and deploy/ name them: the suite and its internal address, the edge and its admin interface, four services, a mail
# server, a receiver of webhooks.
SUITE, INTERNAL, EDGE, ADMIN = 50051, 9464, 8080, 9901
USUAL = (SUITE, INTERNAL, EDGE, ADMIN, 50061, 50062, 50063, 50064, 9461, 9462, 9463, 9465, 2525, 8000)
PORT = re.compile(rf"\b(?:{'|'.join(map(str, USUAL))})\b")
WITH_PORTS = ("deploy/envoy/run", "deploy/envoy/local.yaml", "deploy/processes/run", "deploy/processes/processes.toml")


def tracked() -> list[str]:
    """The files of the repository, also those not yet added."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


class Ports:
    """Free ports of this machine, each in place of a usual one."""

    # Below what Linux takes for the near end of connections: a server that is started again finds its port.
    _NEXT = iter(range(10_240 + os.getpid() * 97 % 10_240, 30_720))
    _ONE = threading.Lock()

    def __init__(self) -> None:
        with self._ONE:
            self._free = {usual: next(port for port in self._NEXT if _is_free(port)) for usual in USUAL}

    def __getitem__(self, usual: int) -> int:
        return self._free[usual]

    def put_into(self, text: str) -> str:
        """A text with the ports of this run."""
        return PORT.sub(lambda usual: str(self[int(usual[0])]), text)

    def taken_out_of(self, text: str) -> str:
        """A text with the usual ports again."""
        for usual, free in self._free.items():
            text = re.sub(rf"\b{free}\b", str(usual), text)
        # Commands name the address only where it is not the usual one.
        return text.replace(f" --addr 127.0.0.1:{SUITE}", "")


def _is_free(port: int) -> bool:
    with socket.socket() as tried:
        try:
            tried.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


class Checkout:
    """The files of the repository in a folder of their own, with a binary as if it had been built there."""

    def __init__(self, folder: Path, files: list[str], binary: Path) -> None:
        self.folder, self.ports = folder, Ports()
        for name in files:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
        for name in WITH_PORTS:
            (folder / name).write_text(self.ports.put_into((folder / name).read_text()))
        (folder / "target/release").mkdir(parents=True)
        (folder / "target/release/backchannel").symlink_to(binary)

    def environment(self) -> dict[str, str]:
        """As of somebody who has built the suite and configured nothing."""
        env = {name: given for name, given in os.environ.items() if not name.startswith("BACKCHANNEL")}
        suite = f"127.0.0.1:{self.ports[SUITE]}"
        return env | {
            "PATH": f"{HERE / 'bin'}:{self.folder / 'target/release'}:{env['PATH']}",
            "BACKCHANNEL_LISTEN": suite,
            "BACKCHANNEL_METRICS": f"127.0.0.1:{self.ports[INTERNAL]}",
            "BACKCHANNEL_ADDR": suite,
        }
