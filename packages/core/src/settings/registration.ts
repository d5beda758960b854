/** Checks an agent class before it gets a pool, so that a mistake shows at start and not at the first borrower. */

import { AGENT_BRAND, Agent } from '../agent.ts';
import type { AnyAgentClass } from '../agent-class.ts';
import { SophiaError, shown } from '../errors.ts';
import type { AnyHooks } from '../hooks.ts';
import type { ResolvedPoolOptions, Reuse } from './options.ts';
import { isStandardSchema } from './schema.ts';

const TYPE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

const FUNCTIONS = ['create', 'key', 'validate', 'verify', 'destroy', 'warm', 'survives', 'footprint'] as const;
const SCHEMAS = ['config', 'input', 'output'] as const;

/** @throws SophiaError ARGUMENT_INVALID, DUPLICATE_CORE, TYPE_INHERITED, TYPE_INVALID, HOOK_INVALID */
export function checkAgentClass(agentClass: AnyAgentClass): void {
  checkIsAgent(agentClass);
  const { name, type } = agentClass;
  if (!Object.hasOwn(agentClass, 'type')) {
    throw new SophiaError(
      'TYPE_INHERITED',
      `Class ${name} does not say its own type${type === '' ? '' : ` and would inherit '${type}'`}. Add \`static override readonly type: string = '…'\` with a name of its own.`,
    );
  }
  if (typeof type !== 'string' || !TYPE_NAME.test(type)) {
    throw new SophiaError(
      'TYPE_INVALID',
      `Class ${name} has the type ${shown(type)}; allowed: 1 to 64 letters, digits, '.', '_' or '-', the first a letter or digit.`,
    );
  }
  checkHooks(agentClass);
}

function checkIsAgent(agentClass: AnyAgentClass): void {
  if (typeof agentClass === 'function' && agentClass.prototype instanceof Agent) return;
  if (typeof agentClass === 'function' && agentClass !== (Agent as unknown) && AGENT_BRAND in agentClass) {
    throw new SophiaError(
      'DUPLICATE_CORE',
      `Class ${(agentClass as AnyAgentClass).name} extends the Agent of another copy of @sophia-ai/core. Have one copy installed (\`npm ls @sophia-ai/core\`).`,
    );
  }
  throw new SophiaError(
    'ARGUMENT_INVALID',
    `An agent class was expected, but ${shown(agentClass)} was given. Pass a class that extends Agent.`,
  );
}

function checkHooks(agentClass: AnyAgentClass & AnyHooks): void {
  for (const hook of FUNCTIONS) {
    const value: unknown = agentClass[hook];
    if (value !== undefined && typeof value !== 'function') throw badHook(agentClass, hook, value, 'a function');
  }
  for (const hook of SCHEMAS) {
    const value: unknown = agentClass[hook];
    if (value !== undefined && !isStandardSchema(value)) {
      throw badHook(agentClass, hook, value, 'a Standard Schema (for example of zod)');
    }
  }
  const { reset, description, examples } = agentClass;
  if (reset !== undefined && reset !== 'stateless' && typeof reset !== 'function') {
    throw badHook(agentClass, 'reset', reset, "a function or 'stateless'");
  }
  if (description !== undefined && typeof description !== 'string') {
    throw badHook(agentClass, 'description', description, 'text');
  }
  if (examples !== undefined && !Array.isArray(examples)) {
    throw badHook(agentClass, 'examples', examples, 'an array of { input }');
  }
}

/** @throws SophiaError RESET_MISSING */
export function checkReset(agentClass: AnyAgentClass & AnyHooks, reuse: Reuse): void {
  if (reuse !== 'exclusive' || agentClass.reset !== undefined) return;
  throw new SophiaError(
    'RESET_MISSING',
    `'${agentClass.type}' is exclusive, so its resources go from one borrower to the next, but class ${agentClass.name} does not say how they are cleaned. Add \`static reset(resources) { … }\`, or \`static readonly reset = 'stateless'\` if a borrower can leave nothing behind, or choose reuse 'shared' or 'single-use'.`,
  );
}

/** Settings that only make sense with, or without, certain hooks. @throws SophiaError OPTION_INVALID */
export function checkFit(agentClass: AnyAgentClass & AnyHooks, options: ResolvedPoolOptions): void {
  const refuse = (option: string, value: unknown, allowed: string): never => {
    throw new SophiaError(
      'OPTION_INVALID',
      `The pool of '${agentClass.type}': '${option}' was given as ${shown(value)}; allowed: ${allowed}.`,
    );
  };
  const { minIdle, maxMemoryKib, reuse, verify, coolDownMs } = options;
  // Only an exclusive entry goes from one borrower to the next.
  if (reuse !== 'exclusive' && verify !== 'none') refuse('verify', verify, `'none' for reuse '${reuse}'`);
  if (reuse !== 'exclusive' && coolDownMs > 0) refuse('coolDownMs', coolDownMs, `0 for reuse '${reuse}'`);
  if (agentClass.key !== undefined && minIdle > 0) {
    refuse('minIdle', minIdle, '0 for a class with static key, as nobody knows for which keys; prewarm with a config');
  }
  if (maxMemoryKib < Infinity && agentClass.footprint === undefined) {
    refuse('maxMemoryKib', maxMemoryKib, 'Infinity, or add static footprint(resources), which says how much they hold');
  }
}

function badHook(agentClass: AnyAgentClass, hook: string, value: unknown, allowed: string): SophiaError {
  return new SophiaError(
    'HOOK_INVALID',
    `static ${hook} of class ${agentClass.name} was given as ${shown(value)}; allowed: ${allowed}.`,
  );
}
