// What a program in TypeScript needs beyond the generated clients. An example to copy from; the same in Node and in browsers.
//
//     const api = connect((interceptors) => createGrpcTransport({ baseUrl: "https://edge.example.com", interceptors }), () => token);
//     for await (const note of pages((pageToken) => api.notes.listNotes({ conversationId, pageToken }), "notes")) { ... }
//     for await (const notification of new Watch(api)) { ... }
//     try { await api.notes.createNote({ ... }) } catch (error) { console.log(refusal(error).reason) }

import { Code, ConnectError, createClient, type Client, type Interceptor, type Transport } from "@connectrpc/connect";
import { MethodOptions_IdempotencyLevel as Level, type Duration } from "@bufbuild/protobuf/wkt";
import { ConversationService } from "../gen/backchannel/routing/v1/conversation_pb";
import { AgentService } from "../gen/backchannel/routing/v1/agent_pb";
import { NoteService } from "../gen/backchannel/notes/v1/note_pb";
import { NotificationService, type Notification } from "../gen/backchannel/notifications/v1/notification_pb";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "../gen/google/rpc/error_details_pb";

/** The API as the bearer of a token sees it. */
export interface Backchannel {
  agents: Client<typeof AgentService>;
  conversations: Client<typeof ConversationService>;
  notes: Client<typeof NoteService>;
  notifications: Client<typeof NotificationService>;
}

/** How long a call may take that is not a stream. */
export const DEADLINE_MS = 10_000;

/** `transport` makes a transport with these interceptors; `token` is asked before each call, so it can bring a fresh one in time. */
export function connect(transport: (interceptors: Interceptor[]) => Transport, token: () => string | Promise<string>): Backchannel {
  const to = transport([repeating, bearer(token)]);
  return {
    agents: createClient(AgentService, to),
    conversations: createClient(ConversationService, to),
    notes: createClient(NoteService, to),
    notifications: createClient(NotificationService, to),
  };
}

function bearer(token: () => string | Promise<string>): Interceptor {
  return (next) => async (request) => {
    request.header.set("authorization", `Bearer ${await token()}`);
    return next(request);
  };
}

const ATTEMPTS = 4;

/** Repeats calls while nobody answers: those which the contract calls safe to repeat. Others do it with a service config. */
const repeating: Interceptor = (next) => async (request) => {
  const safe = !request.stream && request.method.idempotency !== Level.IDEMPOTENCY_UNKNOWN;
  for (let attempt = 1; ; attempt++) {
    try {
      return await next(request);
    } catch (error) {
      if (!safe || attempt === ATTEMPTS || ConnectError.from(error).code !== Code.Unavailable) throw error;
      await pause(100 * 3 ** (attempt - 1));
    }
  }
};

/** Of random length up to so many milliseconds, so that a crowd which was cut off at once does not come back at once. */
export function pause(most: number): Promise<void> {
  return new Promise((done) => setTimeout(done, most * (0.5 + Math.random() / 2)));
}

/** Why a call was refused, as a program can act on it. */
export interface Refusal {
  code: Code;
  message: string;
  /** An `ErrorReason` of backchannel/common/v1/error.proto, without its prefix. Empty: the refusal is not the server's own. */
  reason: string;
  metadata: Record<string, string>;
  /** The fields which break their rules, and how. */
  fields: Record<string, string>;
  /** Milliseconds after which to come again, where the server says so. */
  retryAfter?: number;
}

/** Reads the google.rpc.Status that comes with an error. */
export function refusal(error: unknown): Refusal {
  const from = ConnectError.from(error);
  const [info] = from.findDetails(ErrorInfoSchema);
  const [invalid] = from.findDetails(BadRequestSchema);
  const [retry] = from.findDetails(RetryInfoSchema);
  return {
    code: from.code,
    message: from.rawMessage,
    reason: info?.reason ?? "",
    metadata: info?.metadata ?? {},
    fields: Object.fromEntries((invalid?.fieldViolations ?? []).map((each) => [each.field, each.description])),
    retryAfter: retry?.retryDelay && milliseconds(retry.retryDelay),
  };
}

function milliseconds(span: Duration): number {
  return Number(span.seconds) * 1000 + span.nanos / 1e6;
}

/** Calls, and comes again when the server says so. Safe for every call: one that was RESOURCE_EXHAUSTED had no effect. */
export async function patiently<T>(call: () => Promise<T>, tries = 20): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      const { code, retryAfter } = refusal(error);
      if (code !== Code.ResourceExhausted || retryAfter === undefined || --tries === 0) throw error;
      await new Promise((done) => setTimeout(done, retryAfter));
    }
  }
}

/** Everything that a list holds, page after page. `items` names the repeated field of the answer. */
export async function* pages<Page extends { nextPageToken: string }, Items extends keyof Page>(
  list: (pageToken: string) => Promise<Page>,
  items: Items,
): AsyncGenerator<Page[Items] extends (infer Item)[] ? Item : never> {
  let pageToken = "";
  do {
    const page = await patiently(() => list(pageToken));
    yield* page[items] as (Page[Items] extends (infer Item)[] ? Item : never)[];
    pageToken = page.nextPageToken;
  } while (pageToken);
}

/** The resume token is older than what the server keeps: list the notifications, then watch without a token. */
export class ResyncRequired extends Error {}

const PASSING = new Set([Code.Unavailable, Code.ResourceExhausted, Code.DeadlineExceeded, Code.Canceled, Code.Unknown]);
const SHORTEST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 30_000;

/** A person's notifications as they come: in order, each once, none missing, across any number of cuts. */
export class Watch implements AsyncIterable<Notification> {
  private call = new AbortController();
  private stopped = false;

  /** Begins behind the token of an earlier watch, or with what happens from now on; `opened` is called each time the stream is there. */
  constructor(
    private readonly api: Backchannel,
    /** The place behind the last notification that the loop is through with. Keep it to go on there after a restart. */
    public resumeToken = "",
    private readonly opened: () => void = () => {},
  ) {}

  async *[Symbol.asyncIterator](): AsyncGenerator<Notification> {
    let wait = SHORTEST_PAUSE_MS;
    while (!this.stopped) {
      try {
        for await (const { frame, resumeToken } of this.subscribe()) {
          if (frame.case === "resyncRequired") throw new ResyncRequired();
          if (frame.case === "notification") yield frame.value;
          // Only after the yield: a notification whose handling failed comes again.
          if (resumeToken) this.resumeToken = resumeToken;
          if (frame.case === "opened") this.opened();
          if (frame.case === "notification" || frame.case === "heartbeat") wait = SHORTEST_PAUSE_MS;
        }
      } catch (error) {
        if (error instanceof ResyncRequired || !PASSING.has(ConnectError.from(error).code)) throw error;
      } finally {
        this.cut();
      }
      await pause(wait);
      wait = Math.min(wait * 2, LONGEST_PAUSE_MS);
    }
  }

  /** Drops the connection, as a change of network does. The loop goes on with a new one. */
  cut(): void {
    this.call.abort();
  }

  /** Ends the loop. */
  stop(): void {
    this.stopped = true;
    this.cut();
  }

  private subscribe() {
    this.call = new AbortController();
    const start = this.resumeToken ? { start: { case: "resumeToken" as const, value: this.resumeToken } } : undefined;
    // No deadline: the server ends a stream itself, after about 30 minutes or with the token.
    return this.api.notifications.subscribe({ start }, { signal: this.call.signal, timeoutMs: 0 });
  }
}
