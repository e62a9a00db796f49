// In a browser: gRPC-Web, with what `fetch` can do.

import type { Interceptor } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { connect, DEADLINE_MS, type Backchannel } from "./backchannel";
import { walk } from "./quickstart";

/** What the page is told by its server: where the edge is, and a token of each person. */
const { edge, tokens } = (await (await fetch("/place.json")).json()) as { edge: string; tokens: Record<string, string> };

function api(name: string): Backchannel {
  const transport = (interceptors: Interceptor[]) =>
    createGrpcWebTransport({ baseUrl: edge, interceptors, defaultTimeoutMs: DEADLINE_MS });
  return connect(transport, () => tokens[name]!);
}

const list = document.querySelector("ol")!;
const lines: string[] = [];
const outcome = await walk({ ana: api("ana"), ben: api("ben"), adapter: api("adapter") }, (line) => {
  lines.push(line);
  list.append(Object.assign(document.createElement("li"), { textContent: line }));
});
await fetch("/outcome", { method: "POST", body: JSON.stringify({ ...outcome, lines, agent: navigator.userAgent }) });
