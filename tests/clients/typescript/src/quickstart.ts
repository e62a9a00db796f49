// A first quarter of an hour with Backchannel: what each step shows holds in Node over gRPC and in a browser over gRPC-Web.

import { Code } from "@connectrpc/connect";
import { Direction } from "../gen/backchannel/routing/v1/conversation_pb";
import { NotificationType } from "../gen/backchannel/notifications/v1/notification_pb";
import { pages, patiently, refusal, Watch, type Backchannel } from "./backchannel";

/** Where the steps take place: people, and a way to them on which two calls of three fail. */
export interface Place {
  ana: Backchannel;
  ben: Backchannel;
  adapter: Backchannel;
  /** The same as Ana's; absent where there is none. */
  flaky?: Backchannel;
}

/** Walks through all steps and says how each ended. */
export async function walk(place: Place, say: (line: string) => void): Promise<{ passed: number; failed: number }> {
  const outcome = { passed: 0, failed: 0 };
  const steps = new Quickstart(place).steps();
  for (const [promise, step] of steps) {
    try {
      await step();
      outcome.passed++;
      say(`✓ ${promise}`);
    } catch (error) {
      outcome.failed++;
      say(`✗ ${promise}: ${error instanceof Broken ? error.message : JSON.stringify(refusal(error))}`);
      break; // what follows builds on it
    }
  }
  return outcome;
}

class Broken extends Error {}

function equal(actual: unknown, expected: unknown, what: string): void {
  const [is, shall] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (is !== shall) throw new Broken(`${what}: expected ${shall}, got ${is}`);
}

type Step = [promise: string, step: () => Promise<void>];

class Quickstart {
  private conversationId = "";

  constructor(private readonly at: Place) {}

  steps(): Step[] {
    const repeated: Step = ["a call that is safe to repeat is repeated while nobody answers", () => this.repeated()];
    return [
      ["a message of a customer makes a conversation", () => this.message()],
      ["an agent appears from the token on first sight", () => this.appear()],
      ["a refusal names its reason and the field", () => this.refused()],
      ...(this.at.flaky ? [repeated] : []),
      ["pages give each note once", () => this.paged()],
      ["a watch goes on where it was cut", () => this.watched()],
    ];
  }

  private async message(): Promise<void> {
    const { conversation } = await this.at.adapter.conversations.recordMessage({
      channel: "chat",
      externalId: `${crypto.randomUUID()}`,
      direction: Direction.INBOUND,
      conversationExternalId: crypto.randomUUID(),
      contactAddress: "kim",
      contactDisplayName: "Kim Customer",
      source: "airline",
      text: "I lost my boarding pass",
    });
    this.conversationId = conversation!.conversationId;
  }

  private async appear(): Promise<void> {
    for (const [name, person] of [["ana", this.at.ana], ["ben", this.at.ben]] as const) {
      const { agent } = await person.agents.getMyAgent({});
      equal(agent?.username, name, "username");
    }
  }

  private async refused(): Promise<void> {
    const found = await this.refusalOf(() => this.at.ana.notes.createNote({ conversationId: "c-1", body: "x", requestId: "again" }));
    const fields = Object.keys(found.fields).sort();
    equal([found.code, found.reason, fields], [Code.InvalidArgument, "INVALID_FIELD", ["conversation_id", "request_id"]], "refusal");
    const absent = await this.refusalOf(() => this.at.ana.notes.getNote({ noteId: "01890a5d-ac96-774b-bcce-b302099a8057" }));
    equal([absent.code, absent.reason], [Code.NotFound, "NOT_FOUND"], "refusal");
  }

  private async refusalOf(call: () => Promise<unknown>) {
    try {
      await call();
    } catch (error) {
      return refusal(error);
    }
    throw new Broken("it was not refused");
  }

  private async repeated(): Promise<void> {
    const { agents } = await this.at.flaky!.agents.listAgents({});
    equal(agents.length, 2, "agents found in spite of two failures");
    // A note has no request_id here: a second attempt might write it twice.
    const found = await this.refusalOf(() => this.at.flaky!.notes.createNote({ conversationId: this.conversationId, body: "once" }));
    equal(found.code, Code.Unavailable, "what is not safe to repeat");
  }

  private async paged(): Promise<void> {
    const wrote = Array.from({ length: 7 }, (_, number) => `note ${number}`);
    for (const body of wrote) await this.write(body);
    const read: string[] = [];
    const list = (pageToken: string) => this.at.ana.notes.listNotes({ conversationId: this.conversationId, pageSize: 3, pageToken });
    for await (const note of pages(list, "notes")) read.push(note.body);
    equal(read, wrote, "notes");
  }

  private async watched(): Promise<void> {
    let open: () => void = () => {};
    const opened = new Promise<void>((done) => (open = done));
    const watch = new Watch(this.at.ben, "", () => open());
    const heard: string[] = [];
    const all = (async () => {
      for await (const notification of watch) {
        if (notification.type === NotificationType.MENTIONED) heard.push(notification.noteId);
        if (heard.length === 6) return;
      }
    })();
    await opened;
    const wrote: string[] = [];
    for (let number = 0; number < 6; number++) {
      if (number % 2 === 1) watch.cut();
      wrote.push(await this.write(`${number} @ben`));
    }
    await Promise.race([all, new Promise((_, fail) => setTimeout(() => fail(new Broken(`only ${heard.length} of 6 came`)), 30_000))]);
    watch.stop();
    equal(heard, wrote, "notes heard over three cuts");
  }

  private async write(body: string): Promise<string> {
    // With a request_id the note could be written again and again, and would be there once.
    const requestId = crypto.randomUUID();
    const { note } = await patiently(() => this.at.ana.notes.createNote({ conversationId: this.conversationId, body, requestId }));
    return note!.noteId;
  }
}
