import { execFileSync } from "node:child_process";

/** A token as a program gets it: here from `backchannel token`, elsewhere from whoever signs in people. */
export function token(subject: string, role: string): string {
  const [program, ...begin] = process.env.TOKEN_COMMAND!.split(" ");
  return execFileSync(program!, [...begin, "--sub", subject, "--role", role], { encoding: "utf8" }).trim();
}
