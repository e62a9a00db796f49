"""Keys of our own making and what is signed with them, by the program openssl."""

from __future__ import annotations

import base64
import http.server
import json
import subprocess
import threading
import time
from pathlib import Path
from typing import Any


def text(raw: bytes) -> str:
    """As JSON Web Tokens write bytes."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def part(content: Any) -> str:
    """A part of a token."""
    return text(json.dumps(content).encode())


class Key:
    """An Ed25519 key."""

    def __init__(self, file: Path, key_id: str) -> None:
        self._file, self.key_id = file, key_id
        if not file.exists():
            self._openssl("genpkey", "-algorithm", "ed25519", "-out", str(file))

    def public(self) -> dict[str, str]:
        """As it stands in a key set."""
        raw = self._openssl("pkey", "-in", str(self._file), "-pubout", "-outform", "DER")[-32:]
        return {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": self.key_id, "x": text(raw)}

    def token(self, **claims: Any) -> str:
        """A token of an agent, for a quarter of an hour, but for the claims given; those that are None are left out."""
        now = int(time.time())
        said = {
            "iss": "backchannel-dev", "aud": "backchannel", "sub": "ana", "org": "acme", "role": "agent", "nbf": now - 1, "exp": now + 900,
            **claims,
        }
        said = {name: value for name, value in said.items() if value is not None}
        signed = f"{part({'alg': 'EdDSA', 'typ': 'JWT', 'kid': self.key_id})}.{part(said)}"
        message = self._file.with_suffix(".message")
        message.write_text(signed)
        return f"{signed}.{text(self._openssl('pkeyutl', '-sign', '-inkey', str(self._file), '-rawin', '-in', str(message)))}"

    @staticmethod
    def _openssl(*arguments: str) -> bytes:
        return subprocess.run(["openssl", *arguments], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


class KeySet:
    """A key set that is published as services do, and changed at will."""

    def __init__(self) -> None:
        self.keys: list[dict[str, str]] = []
        published = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body = json.dumps({"keys": published.keys}).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                """Envoy drops connections as it likes."""

        server = Server(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
