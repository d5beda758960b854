// The language service: one pool of worker threads with the English model in each, shared by every agent of the process.
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { InputProblem } from '../input-problem.ts';
import type { LanguageTask, LanguageTasks, Progress, TaskAnswer, TaskMessage, measureHeap, ready } from './worker.ts';

export interface LanguageRunOptions {
  /** Aborting it stops the task: its thread is ended and a new one takes its place. */
  signal?: AbortSignal | undefined;
  /** Called at the end of each stage of the task. */
  onProgress?: ((progress: Progress) => void) | undefined;
}

/** One holder's share of the threads; unusable after `close`. */
export interface Language {
  /** Worker threads that serve all holders together. */
  readonly threads: number;
  /**
   * Runs a task in a worker thread.
   * Rejects with `InputProblem` for a bad input, and with the signal's reason when it was aborted.
   */
  run<Task extends LanguageTask>(
    task: Task,
    input: LanguageTasks[Task]['input'],
    options?: LanguageRunOptions,
  ): Promise<LanguageTasks[Task]['result']>;
  /** Bytes of heap and external memory in all threads together, each after a forced collection. */
  heapBytes(): Promise<number>;
  /** Gives the share back; the last one ends the threads. Idempotent. */
  close(): Promise<void>;
}

interface Threads {
  readonly pool: Piscina;
  readonly started: Promise<unknown>;
  holders: number;
}

// The sibling has the same extension as this file: .ts from source, .js when built.
const WORKER = fileURLToPath(new URL(`./worker${import.meta.url.slice(-3)}`, import.meta.url));

// Module level on purpose: two pools would load the model twice and fight for the same cores.
let shared: Threads | undefined;

/**
 * Opens a share of the language threads; resolves when every thread has loaded the model and run it dry.
 * Rejects with the signal's reason when aborted, or with the loading error of the model.
 */
export async function openLanguage(options: { signal?: AbortSignal } = {}): Promise<Language> {
  const { signal } = options;
  signal?.throwIfAborted();
  const threads = (shared ??= startThreads());
  threads.holders += 1;
  try {
    await abortable(threads.started, signal);
  } catch (error) {
    await release(threads);
    throw error;
  }
  return new Share(threads);
}

/** True while the threads run, which is while anybody holds a share. */
export function isLanguageOpen(): boolean {
  return shared !== undefined;
}

function startThreads(): Threads {
  // One core is left to the event loop, which must never wait for an analysis.
  const count = Math.max(1, availableParallelism() - 1);
  // With atomics, an idle thread sleeps inside its last task: it keeps that task's input, and closed ports for ever.
  const pool = new Piscina({
    filename: WORKER,
    name: 'runTask',
    minThreads: count,
    maxThreads: count,
    atomics: 'disabled',
  });
  // An idle thread that dies is replaced and loses nothing; without a listener the event would end the process.
  pool.on('error', () => {});
  // Fresh threads are all idle, so these go to one thread each.
  const isReady = Array.from({ length: count }, () => call<typeof ready>(pool, 'ready'));
  const threads: Threads = { pool, started: Promise.all(isReady), holders: 0 };
  threads.started.catch(() => {
    if (shared === threads) shared = undefined;
  });
  return threads;
}

async function release(threads: Threads): Promise<void> {
  threads.holders -= 1;
  if (threads.holders > 0) return;
  if (shared === threads) shared = undefined;
  await threads.pool.destroy();
}

function call<Handler extends () => unknown>(pool: Piscina, name: string): Promise<ReturnType<Handler>> {
  return pool.run(undefined, { name });
}

async function abortable<Value>(promise: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
  if (signal === undefined) return promise;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

class Share implements Language {
  #threads: Threads | undefined;

  constructor(threads: Threads) {
    this.#threads = threads;
    // All agents that share it would meet what one of them wrote on it.
    Object.freeze(this);
  }

  get threads(): number {
    return this.#open().pool.maxThreads;
  }

  async run<Task extends LanguageTask>(
    task: Task,
    input: LanguageTasks[Task]['input'],
    { signal, onProgress }: LanguageRunOptions = {},
  ): Promise<LanguageTasks[Task]['result']> {
    const { pool } = this.#open();
    const channel = onProgress && new MessageChannel();
    channel?.port1.on('message', onProgress!);
    const message: TaskMessage = { task, input, ...(channel && { progress: channel.port2 }) };
    try {
      const answer: TaskAnswer = await pool.run(message, {
        signal: signal ?? null,
        transferList: channel ? [channel.port2] : [],
      });
      // The answer may overtake the last reports, which come through another port.
      for (
        let late = channel && receiveMessageOnPort(channel.port1);
        late;
        late = receiveMessageOnPort(channel!.port1)
      ) {
        onProgress!(late.message as Progress);
      }
      if ('problem' in answer) throw new InputProblem(answer.problem.message, answer.problem.field);
      return answer.result as LanguageTasks[Task]['result'];
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      throw error;
    } finally {
      channel?.port1.close();
    }
  }

  async heapBytes(): Promise<number> {
    const { pool } = this.#open();
    const byThread = new Map<number, number>();
    // The pool chooses the thread, and a busy one is passed over, so ask again until each has answered.
    for (let round = 0; round < 8 && byThread.size < pool.threads.length; round += 1) {
      const asked = pool.threads.map(() => call<typeof measureHeap>(pool, 'measureHeap'));
      for (const { threadId, bytes } of await Promise.all(asked)) byThread.set(threadId, bytes);
    }
    const sum = [...byThread.values()].reduce((total, bytes) => total + bytes, 0);
    // A thread that stayed busy throughout is taken to be as large as the others.
    return Math.round((sum / byThread.size) * pool.threads.length);
  }

  async close(): Promise<void> {
    const threads = this.#threads;
    this.#threads = undefined;
    if (threads !== undefined) await release(threads);
  }

  #open(): Threads {
    if (this.#threads === undefined) {
      throw new Error('The language share is closed. Open a new one with openLanguage() before running tasks.');
    }
    return this.#threads;
  }
}
