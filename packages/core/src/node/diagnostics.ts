/** Publishes the front desk's events on `node:diagnostics_channel`, where tracers and loggers listen. */

import { channel } from 'node:diagnostics_channel';

import type { AgnoPerformanceOptimizer } from '../agno-performance-optimizer.ts';
import { EVENT_NAMES } from '../events.ts';

/**
 * Publishes every event as the channel `sophia:<event>`, for example `sophia:lease.acquired`. While it is on, each
 * borrow builds its event objects.
 *
 * @returns a function that ends the publishing.
 */
export function publishDiagnostics(optimizer: AgnoPerformanceOptimizer): () => void {
  const ends = EVENT_NAMES.map((name) => {
    const published = channel(`sophia:${name}`);
    return optimizer.on(name, (payload) => {
      if (published.hasSubscribers) published.publish(payload);
    });
  });
  return () => {
    for (const end of ends) end();
  };
}
