/** Runs the code that it is sent, line by line. Whatever the code leaves behind is gone with the process. */

import { createInterface } from 'node:readline';
import { createContext, runInContext } from 'node:vm';

function say(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

const context = createContext({ print: (text: unknown) => say({ print: String(text) }) });
say({ ready: true });

for await (const line of createInterface(process.stdin)) {
  const { code, variables } = JSON.parse(line) as { code: string; variables: object };
  Object.assign(context, variables);
  try {
    say({ value: (await runInContext(code, context)) ?? null });
  } catch (error) {
    say({ error: String(error) });
  }
}
