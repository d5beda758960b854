/** The door of @sophia-ai/server: a web-standard handler that mounts wherever `Request` and `Response` are known. */

export { curlLine } from './catalogue.ts';
export type { AgentDescription } from './catalogue.ts';
export { DEADLINE_HEADER } from './deadline.ts';
export { SERVER_ERROR_CODES, ServerError } from './errors.ts';
export type { ServerErrorCode } from './errors.ts';
export type { Connection } from './guard.ts';
export type { InstantiationLight } from './light.ts';
export { isLoopbackHost } from './loopback.ts';
export type { MetricsWindow, PerformanceMetrics, TimingMetrics, TypeMetrics, TypeSummary } from './metrics.ts';
export type { Problem } from './problems.ts';
export { RUN_ID_HEADER } from './run.ts';
export type { RunInfo } from './run.ts';
export { createServer } from './server.ts';
export type { Server } from './server.ts';
export type { ServerOptions } from './server-options.ts';
