// In Node: gRPC over HTTP/2.

import type { Interceptor } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { connect, DEADLINE_MS, type Backchannel } from "./backchannel";
import { walk } from "./quickstart";
import { token } from "./token";

const { EDGE, FLAKY } = process.env as Record<string, string>;

function api(address: string, subject: string, role: string): Backchannel {
  const held = token(subject, role);
  const transport = (interceptors: Interceptor[]) =>
    createGrpcTransport({
      baseUrl: `http://${address}`,
      interceptors,
      defaultTimeoutMs: DEADLINE_MS,
      // A connection that died without a word is noticed after 30 seconds.
      pingIntervalMs: 20_000,
      pingTimeoutMs: 10_000,
    });
  return connect(transport, () => held);
}

const outcome = await walk(
  {
    ana: api(EDGE!, "ana", "agent"),
    ben: api(EDGE!, "ben", "agent"),
    adapter: api(EDGE!, "adapter", "integration"),
    flaky: api(FLAKY!, "ana", "agent"),
  },
  console.log,
);
console.log(`typescript client: ${outcome.passed} passed, ${outcome.failed} failed`);
process.exit(outcome.failed === 0 ? 0 : 1);
