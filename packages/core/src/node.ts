/** The door @sophia-ai/core/node: what needs Node itself. */

export { publishDiagnostics } from './node/diagnostics.ts';
export { measureMemory } from './node/memory.ts';
export type { MeasureOptions } from './node/memory.ts';
export { trackNesting } from './node/nesting.ts';
