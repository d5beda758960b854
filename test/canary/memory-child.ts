/** Remembers in a process of its own; see memory-process.ts. */

import { createInterface } from 'node:readline';
import type { Question } from './memory-process.ts';

let notes: string[] = [];

function say(answer: object): void {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

say({ ready: true });
for await (const line of createInterface(process.stdin)) {
  const { id, ...question } = JSON.parse(line) as { id: number } & Question;
  if ('remember' in question) notes.push(question.remember);
  if ('forget' in question) notes = [];
  say({ id, notes });
}
