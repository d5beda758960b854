// What runs inside a language worker: the model is loaded and run dry while the thread starts, then tasks come one at a time.
import { setFlagsFromString, getHeapStatistics } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { threadId, type MessagePort } from 'node:worker_threads';
import { analyseCall } from '../call-analysis/analyse-call.ts';
import type { CallAnalysis } from '../call-analysis/analysis.ts';
import type { CallAnalysisConfig } from '../call-analysis/config.ts';
import type { CallAnalysisInput } from '../call-analysis/input.ts';
import { extractInsights } from '../insight-extraction/extract-insights.ts';
import type { InsightExtractionConfig } from '../insight-extraction/config.ts';
import type { InsightExtractionInput } from '../insight-extraction/input.ts';
import type { InsightExtraction } from '../insight-extraction/insights.ts';
import { InputProblem } from '../input-problem.ts';
import { loadEnglish } from './english.ts';

/** The tasks a worker knows: what each takes and gives. */
export interface LanguageTasks {
  'call-analysis': {
    input: { input: CallAnalysisInput; config: CallAnalysisConfig };
    result: CallAnalysis;
  };
  'insight-extraction': {
    input: { input: InsightExtractionInput; config: InsightExtractionConfig };
    result: InsightExtraction;
  };
}

export type LanguageTask = keyof LanguageTasks;

/** One stage of a task has ended; `done` of `total` units of its work are behind it. */
export interface Progress {
  readonly stage: string;
  readonly done: number;
  readonly total: number;
}

export interface TaskMessage {
  task: LanguageTask;
  input: unknown;
  progress?: MessagePort;
}

/** A problem of the input is an answer, not a failure: an Error would lose its fields on the way between threads. */
export type TaskAnswer = { result: unknown } | { problem: { message: string; field: string | undefined } };

const english = loadEnglish();
// The first reading compiles the hot paths, so that the first caller does not pay for it.
for (let round = 0; round < 3; round += 1)
  english.read("Sure, I'll send you the $1,200 quote by Friday. It isn't bad, is it?");
english.forget();

/** Runs one task; the thread does nothing else meanwhile, and keeps nothing of it. */
export function runTask({ task, input, progress }: TaskMessage): TaskAnswer {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port has no origin
  const report = (event: Progress): void => progress?.postMessage(event);
  try {
    if (task === 'call-analysis') {
      const { input: call, config } = input as LanguageTasks['call-analysis']['input'];
      return { result: analyseCall(english, call, { ...config, report }) };
    }
    const { input: texts, config } = input as LanguageTasks['insight-extraction']['input'];
    return { result: extractInsights(english, texts, { ...config, report }) };
  } catch (error) {
    if (error instanceof InputProblem) return { problem: { message: error.message, field: error.field } };
    throw error;
  } finally {
    english.forget();
    progress?.close();
  }
}

/** Answers once the thread has loaded everything above. */
export function ready(): true {
  return true;
}

let collect: (() => void) | undefined;

/** Heap and external bytes this thread holds after a forced collection. */
export function measureHeap(): { threadId: number; bytes: number } {
  if (collect === undefined) {
    // A worker cannot be started with --expose-gc, but a new context sees the flag once it is set.
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
  const { used_heap_size: heap, external_memory: external } = getHeapStatistics();
  return { threadId, bytes: heap + external };
}
