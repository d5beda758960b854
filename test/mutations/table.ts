/** Every planted bug. Each must turn a test of its promise red. */

import { BORROWING } from './borrowing.ts';
import { ENDING } from './ending.ts';
import { MAKING } from './making.ts';
import type { Mutation } from './mutation.ts';
import { WAITING } from './waiting.ts';

export const MUTATIONS: readonly Mutation[] = [...BORROWING, ...WAITING, ...MAKING, ...ENDING];

/** @throws Error that lists the known names. */
export function mutationNamed(name: string): Mutation {
  const mutation = MUTATIONS.find((each) => each.name === name);
  if (mutation !== undefined) return mutation;
  throw new Error(`There is no mutation '${name}'. Known are:\n  ${MUTATIONS.map((each) => each.name).join('\n  ')}`);
}

/** `count` of those that `may` be chosen, by a seed: the same seed chooses the same ones. */
export function chosen(count: number, seed: number, may: (mutation: Mutation) => boolean = () => true): Mutation[] {
  const left = MUTATIONS.filter(may);
  const picked: Mutation[] = [];
  let state = seed >>> 0;
  while (picked.length < count && left.length > 0) {
    // mulberry32
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    const share = ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    picked.push(...left.splice(Math.floor(share * left.length), 1));
  }
  return picked;
}
