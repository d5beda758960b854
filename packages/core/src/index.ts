/** The door of @sophia-ai/core: explicit names, nothing else. Runs in any JavaScript runtime. */

export { Agent } from './agent.ts';
export type {
  AgentHooks,
  AnyAgent,
  AnyAgentClass,
  ConfigOf,
  CreateContext,
  InputOf,
  OutputOf,
  ResourcesOf,
  RunExample,
} from './agent-class.ts';
export { AgnoPerformanceOptimizer, DEFAULT_POOL_MAX } from './agno-performance-optimizer.ts';
export type { OptimizerOptions } from './agno-performance-optimizer.ts';
export type { Call } from './call.ts';
export type { Clock, Timer } from './clock.ts';
export { ERROR_CODES, InputError, PoolExhaustedError, SophiaError } from './errors.ts';
export type { ErrorCode, ExhaustionCause, ExhaustionFacts } from './errors.ts';
export type { DestroyReason, EventName, Events } from './events.ts';
export { Histogram } from './histogram.ts';
export type { HistogramMark, HistogramSummary } from './histogram.ts';
export type { AcquireOptions, PoolOptions, Reuse, RunOptions } from './options.ts';
export type { CloseReport, DrainReport } from './pool.ts';
export type { PrewarmOptions, PrewarmReport } from './prewarm.ts';
export type { SchemaIssue, SchemaResult, StandardSchema } from './schema.ts';
export { LONGEST_WINDOW_MS, DEFAULT_WINDOW_MS } from './stats.ts';
export type { Counters, Holder, MemoryFigures, PoolSnapshot, Timed, WindowFigures } from './stats.ts';
export type { AgentStream } from './stream.ts';
