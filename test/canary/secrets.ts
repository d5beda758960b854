/** Secrets that are known by their shape, so that a search needs no list of them: a list would itself be found. */

/** A word that no code, library or sample contains; then come the number of the borrower and a random part. */
export const PREFIX = 'kanarienvogel-';
const PATTERN = /kanarienvogel-[0-9a-z]{6}-[0-9a-f]{12}/g;
/** Bytes of a secret after its prefix. */
export const TAIL = 19;

/** A generator of numbers from 0 to 1 that gives the same again from the same seed. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d_2b_79_f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_00_00_00_00;
  };
}

/** The secret of the n-th borrower; unique, as the number is part of it. */
export function secretOf(index: number, random: () => number): string {
  const half = (): string =>
    Math.floor(random() * 0x1_00_00_00)
      .toString(16)
      .padStart(6, '0');
  const secret = `${PREFIX}${index.toString(36).padStart(6, '0')}-${half()}${half()}`;
  // In one piece: a text that the engine keeps as pieces would not be known in a heap snapshot.
  return Buffer.from(secret, 'latin1').toString('latin1');
}

/** The secrets in a text. */
export function secretsIn(text: string): string[] {
  return text.includes(PREFIX) ? (text.match(PATTERN) ?? []) : [];
}
