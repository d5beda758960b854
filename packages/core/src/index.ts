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
export type { Call } from './run/call.ts';
export type { Clock, Timer } from './base/clock.ts';
export { ERROR_CODES, InputError, PoolExhaustedError, SophiaError } from './errors.ts';
export type { ErrorCode, ExhaustionCause, ExhaustionCode, Phase, PoolFacts } from './errors.ts';
export type { DestroyReason, EventName, Events } from './events.ts';
export { Histogram } from './measure/histogram.ts';
export type { HistogramMark, HistogramSummary } from './measure/histogram.ts';
export type {
  AcquireOptions,
  PoolOptions,
  ResolvedPoolOptions,
  Reuse,
  RunOptions,
  SettingSource,
  TryOptions,
} from './settings/options.ts';
export type { CloseReport, DrainReport } from './pool-life.ts';
export type { RevokedBy } from './lease.ts';
export type { PrewarmOptions, PrewarmReport } from './upkeep/prewarm.ts';
export type { RenewOptions, RenewReport } from './upkeep/renewal.ts';
export type { Suspect } from './safety/suspects.ts';
export type { UnpooledFigures } from './safety/unpooled.ts';
export type { SchemaIssue, SchemaResult, StandardSchema } from './settings/schema.ts';
export { LONGEST_WINDOW_MS, DEFAULT_WINDOW_MS } from './measure/stats.ts';
export type {
  Counters,
  Holder,
  KeyFigures,
  MemoryFigures,
  PoolSnapshot,
  TenantFigures,
  Timed,
  WindowFigures,
} from './measure/stats.ts';
export type { AgentStream } from './run/stream.ts';
