/** What the tests of the examples share. */

import { setTimeout } from 'node:timers/promises';
import { SophiaError } from '@sophia-ai/core';
import type { ErrorCode } from '@sophia-ai/core';

/** For `assert.rejects` and `assert.throws`. */
export function hasCode(code: ErrorCode): (error: unknown) => boolean {
  return (error) => SophiaError.isInstance(error) && error.code === code;
}

export async function readAll<Event>(events: AsyncIterable<Event>): Promise<Event[]> {
  const all: Event[] = [];
  for await (const event of events) all.push(event);
  return all;
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Looks again and again until `condition` holds; fails loudly after ten seconds. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`Waited 10 s in vain until ${what}.`);
    await setTimeout(5);
  }
}
