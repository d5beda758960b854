/** Rounds to three decimals, which is finer than any of the measures deserves. */
export function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
