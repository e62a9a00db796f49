"""A service that stands behind an edge instead of the real ones: it takes every call and remembers what came."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent import futures
from dataclasses import dataclass, field

import grpc

HEALTH = "/grpc.health.v1.Health/Check"
SERVING = b"\x08\x01"


@dataclass(frozen=True)
class Came:
    """One call, as it arrived."""

    path: str
    headers: dict[str, str | bytes] = field(repr=False)  # there are tokens among them


class Recorder(grpc.GenericRpcHandler):
    """Answers every call with an empty message, unless it was told to refuse some."""

    def __init__(self) -> None:
        self.came: list[Came] = []
        self._refusals: list[grpc.StatusCode] = []
        self._lock = threading.Lock()
        self._server = grpc.server(futures.ThreadPoolExecutor(8))
        self._server.add_generic_rpc_handlers((self,))
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def refuse(self, times: int, code: grpc.StatusCode) -> None:
        """The next calls are refused."""
        with self._lock:
            self._refusals = [code] * times

    def take(self) -> list[Came]:
        """What came since this was asked before."""
        with self._lock:
            came, self.came, self._refusals = self.came, [], []
        return came

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        return grpc.unary_unary_rpc_method_handler(self._health if details.method == HEALTH else self._take(details))

    @staticmethod
    def _health(_: bytes, __: grpc.ServicerContext) -> bytes:
        return SERVING

    def _take(self, details: grpc.HandlerCallDetails) -> Callable[[bytes, grpc.ServicerContext], bytes]:
        def taken(_: bytes, context: grpc.ServicerContext) -> bytes:
            with self._lock:
                self.came.append(Came(details.method, dict(details.invocation_metadata)))
                code = self._refusals.pop(0) if self._refusals else None
            if code is not None:
                context.abort(code, "refused on purpose")
            return b""

        return taken

    def stop(self) -> None:
        self._server.stop(0).wait()


class Flaky(grpc.GenericRpcHandler):
    """Stands before an edge and lets through only every third call of an RPC: the others find it UNAVAILABLE."""

    def __init__(self, edge: str) -> None:
        self._seen: dict[str, int] = {}
        self._lock = threading.Lock()
        self._channel = grpc.insecure_channel(edge)
        self._server = grpc.server(futures.ThreadPoolExecutor(4))
        self._server.add_generic_rpc_handlers((self,))
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        def passed(request: bytes, context: grpc.ServicerContext) -> bytes:
            with self._lock:
                seen = self._seen[details.method] = self._seen.get(details.method, 0) + 1
            if seen % 3:
                context.abort(grpc.StatusCode.UNAVAILABLE, "not this time")
            try:
                kept = [(name, value) for name, value in details.invocation_metadata if name == "authorization"]
                answer: bytes = self._channel.unary_unary(details.method)(request, metadata=kept, timeout=10)
                return answer
            except grpc.RpcError as error:
                context.set_trailing_metadata(error.trailing_metadata() or ())
                context.abort(error.code(), error.details() or "")
                raise AssertionError from error  # abort raises

        return grpc.unary_unary_rpc_method_handler(passed)

    def stop(self) -> None:
        self._server.stop(0).wait()
        self._channel.close()
