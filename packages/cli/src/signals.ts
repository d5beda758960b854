/** How the process is asked to stop: once gently, twice at once. */

/**
 * Package managers pass on a signal that the terminal has already sent to every process of its group, so one Ctrl-C
 * may arrive twice. Nobody presses it again so soon.
 */
const SAME_PRESS_MS = 300;

/** Calls `first` at the first of the signals, and `again` at each that comes clearly later. */
export function onStop(
  signals: readonly NodeJS.Signals[],
  first: (signal: NodeJS.Signals) => void,
  again: () => void,
): void {
  let firstMs: number | undefined = undefined;
  for (const signal of signals) {
    process.on(signal, () => {
      if (firstMs === undefined) {
        firstMs = performance.now();
        first(signal);
      } else if (performance.now() - firstMs > SAME_PRESS_MS) again();
    });
  }
}
