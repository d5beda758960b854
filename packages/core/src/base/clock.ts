/** Time behind a seam: the pool never reads a clock or starts a timer but through here, so tests drive it by hand. */

export interface Timer {
  cancel(): void;
  /** Whether the timer keeps the process alive until it fires. */
  hold(keepAlive: boolean): void;
}

export interface Clock {
  /** Monotonic milliseconds with a fraction; only differences mean anything. */
  now(): number;
  /** Milliseconds since the epoch, for dates that people read. */
  wallTime(): number;
  /** Calls back once after `delayMs`. A new timer does not keep the process alive until `hold(true)`. */
  startTimer(callback: () => void, delayMs: number): Timer;
}

interface HostTimer {
  ref?(): unknown;
  unref?(): unknown;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  wallTime: () => Date.now(),
  startTimer(callback, delayMs) {
    const handle = setTimeout(callback, delayMs);
    const host = handle as HostTimer;
    host.unref?.();
    return {
      cancel: () => clearTimeout(handle),
      hold: (keepAlive) => void (keepAlive ? host.ref?.() : host.unref?.()),
    };
  },
};
