/** One fault, brought about in a pool: what a good pool does then, and what this one did. */

import type { Contender, Resource, Settings } from './contender.ts';

export type Verdict = 'ok' | 'partly' | 'fails' | 'not offered';

export interface Finding {
  readonly verdict: Verdict;
  /** What was seen, with its numbers, in a few words. */
  readonly detail: string;
}

export interface Probe {
  readonly id: string;
  /** Letters, digits and spaces only, so that it makes a link. */
  readonly title: string;
  /** What a good pool does, in one sentence. */
  readonly good: string;
  readonly run: (contender: Contender) => Promise<Finding>;
}

export function ok(detail: string): Finding {
  return { verdict: 'ok', detail };
}

export function partly(detail: string): Finding {
  return { verdict: 'partly', detail };
}

export function fails(detail: string): Finding {
  return { verdict: 'fails', detail };
}

export function notOffered(detail: string): Finding {
  return { verdict: 'not offered', detail };
}

/** Makes the resources of one probe and remembers what became of them. */
export class Maker {
  readonly made: Resource[] = [];
  readonly destroyed: Resource[] = [];

  /** Settings in which everything works; `changes` bring in the fault. */
  settings(max: number, changes: Partial<Settings> = {}): Settings {
    return {
      max,
      waitMs: 400,
      hookMs: 150,
      create: async () => this.make(),
      destroy: async (resource) => void this.destroyed.push(resource),
      validate: undefined,
      reset: undefined,
      ...changes,
    };
  }

  make(): Resource {
    const resource = { id: this.made.length + 1, isDirty: false, isAlive: true, announceDeath: undefined };
    this.made.push(resource);
    return resource;
  }
}
