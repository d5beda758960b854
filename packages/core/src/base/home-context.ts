/**
 * Runs the pool's own work (hooks, housekeeping) in the async context in which the optimizer was made,
 * never in that of the borrower whose call happened to cause it. An `await` resumes in the context of the
 * function that awaits, so one waiting loop is a home that needs no API of a particular runtime.
 */
export class HomeContext {
  #tasks: (() => void)[] = [];
  #wake: (() => void) | undefined = undefined;

  constructor() {
    void this.#loop();
  }

  /** Runs `task` in a later microtask. The task must not throw. */
  run(task: () => void): void {
    this.#tasks.push(task);
    this.#wake?.();
    this.#wake = undefined;
  }

  async #loop(): Promise<never> {
    for (;;) {
      this.#runAll();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Apart from the loop, whose frame would keep the last task, and the resources it knew, alive while it waits. */
  #runAll(): void {
    while (this.#tasks.length > 0) {
      const tasks = this.#tasks;
      this.#tasks = [];
      for (const task of tasks) task();
    }
  }
}
