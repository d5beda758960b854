/** Which agents a command works with, and what it runs them with. */

import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Agent } from '@sophia-ai/core';
import type { SampleInputs } from '@sophia-ai/agents';
import type { AnyAgentClass, RunExample } from '@sophia-ai/core';
import { CliError } from './cli-error.ts';

export interface AgentSource {
  readonly classes: readonly AnyAgentClass[];
  /** Real inputs to run a type with; the examples of its class where there is nothing better. */
  readonly inputsOf: (agentClass: AnyAgentClass) => Promise<readonly unknown[]>;
}

/** Sophia's own agents, or those that a file exports. @throws CliError MODULE_INVALID */
export async function agentSource(module: string | undefined): Promise<AgentSource> {
  if (module !== undefined)
    return { classes: await classesOf(module), inputsOf: async (agentClass) => examplesOf(agentClass) };
  const { CallAnalysisAgent, InsightExtractionAgent, sampleInputs } = await import('@sophia-ai/agents');
  return {
    classes: [CallAnalysisAgent, InsightExtractionAgent],
    inputsOf: (agentClass) => sampleInputs(agentClass.type as keyof SampleInputs),
  };
}

async function classesOf(module: string): Promise<AnyAgentClass[]> {
  const path = resolve(module);
  let exported: Record<string, unknown> = {};
  try {
    exported = (await import(pathToFileURL(path).href)) as Record<string, unknown>;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CliError(
      'MODULE_INVALID',
      `--module ${JSON.stringify(path)} cannot be loaded: ${why}. Correct the path or the file.`,
      { cause },
    );
  }
  const classes = new Set(Object.values(exported).filter(isAgentClass));
  if (classes.size > 0) return [...classes];
  throw new CliError(
    'MODULE_INVALID',
    `--module ${JSON.stringify(path)} exports no class that extends Agent. Export at least one.`,
  );
}

function isAgentClass(value: unknown): value is AnyAgentClass {
  return typeof value === 'function' && value.prototype instanceof Agent;
}

/** Short inputs that a class shows what it takes with. */
export function examplesOf(
  agentClass: AnyAgentClass & { readonly examples?: readonly RunExample<unknown>[] },
): readonly unknown[] {
  return (agentClass.examples ?? []).map(({ input }) => input);
}
