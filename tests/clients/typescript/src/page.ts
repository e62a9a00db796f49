// Serves the page of browser.ts to a headless Chromium, and tells what came of it.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AddressInfo } from "node:net";
import { token } from "./token";

const { EDGE, CHROMIUM } = process.env as Record<string, string>;
const script = readFileSync(process.argv[2]!);
const page = `<!doctype html><meta charset="utf-8"><title>Backchannel</title><ol></ol><script type="module" src="/page.js"></script>`;

interface Outcome {
  passed: number;
  failed: number;
  lines: string[];
  agent: string;
}

const place = {
  edge: `http://${EDGE}`,
  tokens: { ana: token("ana", "agent"), ben: token("ben", "agent"), adapter: token("adapter", "integration") },
};

const outcome = await new Promise<Outcome>((told, failed) => {
  const server = createServer((request, answer) => {
    const body: Buffer[] = [];
    request.on("data", (piece: Buffer) => body.push(piece));
    request.on("end", () => {
      if (request.url === "/outcome") told(JSON.parse(Buffer.concat(body).toString()) as Outcome);
      const [type, content] =
        request.url === "/page.js" ? ["text/javascript", script]
        : request.url === "/place.json" ? ["application/json", JSON.stringify(place)]
        : ["text/html", page];
      answer.writeHead(200, { "content-type": type }).end(content);
    });
  });
  server.listen(0, "127.0.0.1", () => {
    const profile = mkdtempSync(join(tmpdir(), "backchannel-page."));
    const at = `http://localhost:${(server.address() as AddressInfo).port}/`;
    // Without a sandbox, since CI runs as root; the page is our own.
    const browser = spawn(CHROMIUM!, ["--headless", "--no-sandbox", "--disable-gpu", `--user-data-dir=${profile}`, "--remote-debugging-port=0", at]);
    let words = "";
    browser.stderr.on("data", (piece: Buffer) => (words += piece.toString()));
    browser.on("error", failed);
    const late = setTimeout(() => failed(new Error(`the page said nothing within 60 s; the browser: ${words.slice(-2000)}`)), 60_000);
    process.on("exit", () => {
      clearTimeout(late);
      browser.kill("SIGKILL");
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    });
  });
});

console.log(outcome.lines.map((line) => `${line} (in a browser)`).join("\n"));
console.log(`${outcome.agent}`);
console.log(`typescript client in a browser: ${outcome.passed} passed, ${outcome.failed} failed`);
process.exit(outcome.failed === 0 && outcome.passed > 0 ? 0 : 1);
