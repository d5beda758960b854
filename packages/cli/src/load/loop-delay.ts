/** How long this process's event loop made others wait. */

import { monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION_MS = 10;

export interface LoopDelay {
  /** Ends the measurement; milliseconds beyond the sampling interval itself. */
  stop(): { readonly p99_ms: number; readonly max_ms: number };
}

export function measureLoopDelay(): LoopDelay {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  return {
    stop: () => {
      histogram.disable();
      // The histogram holds the time between two samples, of which the interval is no delay.
      const beyond = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
      return histogram.count === 0
        ? { p99_ms: 0, max_ms: 0 }
        : { p99_ms: beyond(histogram.percentile(99)), max_ms: beyond(histogram.max) };
    },
  };
}
