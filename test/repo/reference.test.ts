/** Keeps docs/reference, docs/errors.md and the code of core together, in both directions where a table claims to be whole. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import test from 'node:test';

import { Agent, AgnoPerformanceOptimizer, ERROR_CODES, SophiaError } from '@sophia-ai/core';
import type { ErrorCode, PoolOptions } from '@sophia-ai/core';
import { EVENT_NAMES } from '../../packages/core/src/events.ts';

const FOLDER = 'docs/reference';
const SOURCE = 'packages/core/src';

/** The page to which each exported name belongs. A new export gets its line here and its place there. */
const PAGES: Readonly<Record<string, string>> = {
  Agent: 'Agent AcquireOptions TryOptions RunOptions Call AgentStream InputError',
  AgentClass:
    'AgentHooks AnyAgent AnyAgentClass ConfigOf CreateContext InputOf OutputOf ResourcesOf RunExample StandardSchema SchemaIssue SchemaResult',
  AgnoPerformanceOptimizer:
    'AgnoPerformanceOptimizer DEFAULT_POOL_MAX OptimizerOptions Clock Timer Reuse PrewarmOptions PrewarmReport RenewOptions RenewReport DrainReport CloseReport Suspect',
  Pool: 'PoolOptions ResolvedPoolOptions SettingSource',
  Entry: 'DestroyReason Suspect',
  Lease: 'RevokedBy Holder',
  Queue: 'ExhaustionCause PoolExhaustedError',
  Events: 'EventName Events',
  Snapshot:
    'PoolSnapshot DEFAULT_WINDOW_MS LONGEST_WINDOW_MS WindowFigures Timed Counters KeyFigures TenantFigures UnpooledFigures',
  Memory: 'MemoryFigures MeasureOptions measureMemory',
  Histogram: 'Histogram HistogramMark HistogramSummary',
  Testing: 'ManualClock GatedFactory lease settle',
  Node: 'measureMemory publishDiagnostics trackNesting MeasureOptions',
  '../errors':
    'ERROR_CODES ErrorCode ExhaustionCause ExhaustionCode InputError Phase PoolExhaustedError PoolFacts SophiaError',
};

function pageOf(name: string): string {
  return readFileSync(join(FOLDER, `${name}.md`), 'utf8');
}

/** Names in code quotes, with what a call or a type adds to them left off. */
function names(text: string): Set<string> {
  return new Set([...text.matchAll(/`([\w.-]+)(?:[(<?:][^`]*)?`/g)].map((match) => match[1] as string));
}

function section(page: string, heading: string): string {
  const [, after] = page.split(new RegExp(`^#+ [^\\n]*${RegExp.escape(heading)}[^\\n]*$`, 'm'));
  assert.ok(after !== undefined, `no heading with ${heading}`);
  return after.split(/^#{1,3} /m)[0] as string;
}

const RULE = /^\|[\s|:-]+\|$/;

/** The rows of all tables in a text, each as its cells; without their heads. */
function rows(text: string): string[][] {
  return text
    .split('\n')
    .filter((line, index, all) => line.startsWith('|') && !RULE.test(line) && !RULE.test(all[index + 1] ?? ''))
    .map((line) => line.split('|').slice(1, -1))
    .map((cells) => cells.map((cell) => cell.trim()));
}

/** The first cells of all tables in a text that are one name in code quotes. */
function listed(text: string): string[] {
  return rows(text).flatMap(([first = '']) => (/^`([\w.-]+)`$/.exec(first) ?? []).slice(1));
}

function source(file: string): string {
  return readFileSync(join(SOURCE, file), 'utf8');
}

/** The fields of an interface, or the members of a union of words, as the source declares them. */
function declared(file: string, name: string): string[] {
  const text = source(file).replaceAll(/\/\*\*[\s\S]*?\*\/|\/\/.*$/gm, '');
  const [, body] =
    new RegExp(`export interface ${name}(?:<[^{]*>)? (?:extends [^{]+)?\\{\\n([\\s\\S]*?)\\n\\}`).exec(text) ?? [];
  if (body !== undefined)
    return [...body.matchAll(/^ {2}(?:readonly )?(\w+)[?(:]/gm)].map((match) => match[1] as string);
  const [, union] = new RegExp(`export type ${name} =([\\s\\S]*?);`).exec(text) ?? [];
  assert.ok(union !== undefined, `${file} declares no ${name}`);
  return [...union.matchAll(/'([\w-]+)'/g)].map((match) => match[1] as string);
}

function agentClass(pool: unknown): typeof Plain {
  return class extends Plain {
    static override readonly type: string = 'plain';
    static override readonly pool = pool as PoolOptions;
  };
}

class Plain extends Agent {
  static override readonly type: string = 'plain';
  static override readonly pool: PoolOptions = {};
  static readonly reset = 'stateless';
}

function refusal(pool: unknown): string {
  try {
    new AgnoPerformanceOptimizer({ environment: '' }).register(agentClass(pool));
  } catch (error) {
    return (error as Error).message;
  }
  return assert.fail('not refused');
}

function known(message: string): string[] {
  const [, list = ''] = /Known options: (.*)\.$/.exec(message) ?? [];
  return list.split(', ');
}

const POOL_OPTIONS = known(refusal({ unheardOf: 1 }));

/** The rows of the Pool page about options: `option`, default, allowed, what, when. */
const OPTION_ROWS = new Map(
  rows(pageOf('Pool'))
    .filter((cells) => cells.length === 5)
    .map((cells) => [(cells[0] ?? '').replaceAll('`', ''), cells]),
);

test('every public export of the doors of core is named on the page to which it belongs', () => {
  const exported = ['index.ts', 'node.ts', 'testing.ts'].flatMap((door) => {
    const text = source(door);
    const lists = [...text.matchAll(/export (?:type )?\{([^}]*)\}/g)].flatMap(([, list = '']) => list.split(','));
    const own = [...text.matchAll(/^export (?:async )?(?:class|function|const|interface|type) (\w+)/gm)].map(
      ([, name = '']) => name,
    );
    return [...lists, ...own].map((name) => name.trim()).filter((name) => name !== '');
  });
  assert.ok(exported.length > 50);
  const placed = Object.values(PAGES).flatMap((list) => list.split(' '));
  assert.deepEqual([...new Set(placed)].toSorted(), [...new Set(exported)].toSorted());
  for (const [page, list] of Object.entries(PAGES)) {
    const text = pageOf(page);
    for (const name of list.split(' '))
      assert.match(text, new RegExp(`\\b${name}\\b`), `${page}.md says nothing of ${name}`);
  }
});

test('every page opens with one sentence, then an example', () => {
  for (const file of globSync(`${FOLDER}/*.md`)) {
    const text = readFileSync(file, 'utf8');
    assert.match(text, /^# \S.*\n\n\S/, file);
    if (basename(file) !== 'README.md')
      assert.match(text, /^# .+\n\n[^\n]+[.]\n\n```ts/, `${file} has no example near its top`);
    assert.ok(text.split('\n').length < 350, `${file} is too long`);
  }
  const index = pageOf('README');
  for (const file of globSync(`${FOLDER}/*.md`))
    assert.ok(index.includes(`(${basename(file)})`) || file.endsWith('README.md'), file);
});

test('the table of Pool and the options of a pool are the same', () => {
  assert.deepEqual([...OPTION_ROWS.keys()].toSorted(), POOL_OPTIONS.toSorted());
});

test('the defaults in the table of Pool are those of the code', () => {
  const optimizer = new AgnoPerformanceOptimizer({ environment: '' });
  optimizer.register(Plain);
  const options = optimizer.snapshot()[0]?.options as unknown as Record<string, unknown>;
  for (const name of POOL_OPTIONS) {
    const said = (OPTION_ROWS.get(name)?.[1] ?? '').replaceAll(/[`,]/g, '');
    const value = options[name];
    if (name === 'maxOverflow') assert.equal(said, 'equal to max');
    else if (value === undefined) assert.match(said, /^\d+ times/, `${name} has no default`);
    else if (typeof value === 'object') assert.equal(said, JSON.stringify(value), name);
    else assert.equal(said, typeof value === 'string' ? `'${value}'` : `${value as number}`, name);
  }
});

test('what the table of Pool allows is what the code allows', () => {
  for (const name of POOL_OPTIONS) {
    const [, allowed = ''] = /allowed: (.*)\.$/.exec(refusal({ [name]: Symbol('none') })) ?? [];
    const said = (OPTION_ROWS.get(name)?.[2] ?? '').replaceAll(',', '');
    const parts = allowed
      .replaceAll(',', '')
      .replace('604800000 (7 days)', '7 days')
      .match(/'[\w-]+'|"[^"]+"|\d+(?: days)?|Infinity/g);
    assert.ok(parts !== null, `${name}: ${allowed}`);
    for (const part of parts)
      assert.ok(said.includes(part), `${name}: allowed is ${allowed}, but the table says ${said}`);
  }
});

test('the options of an acquire, a run, a prewarming, a renewal and a measurement are the rows of their tables', async () => {
  const optimizer = new AgnoPerformanceOptimizer({ environment: '' });
  const acquire = await optimizer
    .pooled(Plain, undefined, { unheardOf: 1 } as object)
    .catch((error: Error) => error.message);
  const page = pageOf('Agent');
  assert.deepEqual(listed(section(page, '`AcquireOptions`')).toSorted(), known(acquire as string).toSorted());
  assert.deepEqual(listed(section(page, '`RunOptions`')), declared('settings/options.ts', 'RunOptions'));
  const desk = pageOf('AgnoPerformanceOptimizer');
  assert.deepEqual(
    listed(section(desk, '`OptimizerOptions`')),
    declared('agno-performance-optimizer.ts', 'OptimizerOptions'),
  );
  assert.deepEqual(listed(section(desk, '`PrewarmOptions`')), declared('upkeep/prewarm.ts', 'PrewarmOptions'));
  assert.deepEqual(listed(section(desk, '`RenewOptions`')), declared('upkeep/renewal.ts', 'RenewOptions'));
  assert.deepEqual(listed(section(pageOf('Memory'), '`MeasureOptions`')), declared('node/memory.ts', 'MeasureOptions'));
});

test('the static members of a class are the rows of their table', () => {
  const expected = ['type', 'pool', ...declared('agent-class.ts', 'AgentHooks')];
  assert.deepEqual(listed(section(pageOf('AgentClass'), 'Static members')).toSorted(), expected.toSorted());
});

test('every method of the front desk, of an agent and of the testing classes is described', () => {
  const desk = names(pageOf('AgnoPerformanceOptimizer'));
  const methods = Object.getOwnPropertyNames(AgnoPerformanceOptimizer.prototype).filter(
    (name) => name !== 'constructor',
  );
  for (const name of methods) assert.ok(desk.has(name), `AgnoPerformanceOptimizer.md says nothing of ${name}`);
  const agent = names(pageOf('Agent'));
  for (const name of [
    ...Object.getOwnPropertyNames(Agent.prototype),
    'pooled',
    'tryPooled',
    'use',
    'config',
    'execute',
  ]) {
    if (name !== 'constructor') assert.ok(agent.has(name), `Agent.md says nothing of ${name}`);
  }
});

test('every event is a row of Events, and every row an event, with its payload', () => {
  const page = pageOf('Events');
  assert.deepEqual(listed(page).toSorted(), [...EVENT_NAMES].toSorted());
  const text = source('events.ts').replaceAll(/\/\*\*[\s\S]*?\*\//g, '');
  for (const [name = '', , payload = ''] of rows(page)) {
    const [, body] = new RegExp(`^ {2}'${name.replaceAll('`', '')}': \\{([\\s\\S]*?)\\};$`, 'm').exec(text) ?? [];
    if (body === undefined) continue;
    for (const [, field = ''] of body.matchAll(/(\w+): /g)) {
      assert.ok(field === 'type' || names(payload).has(field), `${name} carries ${field}, which its row does not say`);
    }
  }
});

test('every reason of a destruction, every state of an entry and every cause of a refusal has its row', () => {
  const entry = pageOf('Entry');
  assert.deepEqual(
    listed(section(entry, '`DestroyReason`')).toSorted(),
    declared('events.ts', 'DestroyReason').toSorted(),
  );
  assert.deepEqual(listed(section(entry, 'States')).toSorted(), declared('entry.ts', 'EntryState').toSorted());
  const causes = declared('errors.ts', 'ExhaustionCause').toSorted();
  assert.deepEqual(listed(section(pageOf('Queue'), 'Why it was refused')).toSorted(), causes);
  const facts = listed(section(pageOf('../errors'), 'the state of the pool when it refused'));
  assert.deepEqual(facts.toSorted(), [...declared('errors.ts', 'PoolFacts'), ...causes].toSorted());
  for (const name of declared('lease.ts', 'RevokedBy')) assert.match(pageOf('Lease'), new RegExp(`'${name}'`));
});

test('the states from which an entry may move where are those of the code', () => {
  const [, moves = ''] = /const MOVES[^{]*\{([\s\S]*?)\};/.exec(source('entry.ts')) ?? [];
  for (const [state = '', , next = ''] of rows(section(pageOf('Entry'), 'States'))) {
    const [, body = ''] = new RegExp(`^ {2}${state.replaceAll('`', '')}: (.*),$`, 'm').exec(moves) ?? [];
    assert.deepEqual(
      [...names(next)].toSorted(),
      [...body.matchAll(/BIT\.(\w+)/g)].map((match) => match[1] as string).toSorted(),
      state,
    );
  }
});

test('every field of a snapshot has its row', () => {
  const page = pageOf('Snapshot');
  for (const name of ['PoolSnapshot', 'WindowFigures', 'Counters']) {
    assert.deepEqual(listed(section(page, `## \`${name}\``.slice(3))), [
      ...declared('measure/stats.ts', name),
      ...(name === 'WindowFigures' ? ['hit', 'miss', 'wait', 'create', 'reset', 'use', 'run'] : []),
    ]);
  }
  assert.deepEqual(listed(section(pageOf('Memory'), '`MemoryFigures`')), declared('measure/stats.ts', 'MemoryFigures'));
  for (const name of ['Holder', 'KeyFigures', 'TenantFigures']) {
    const row = rows(page).find(([first]) => first === `\`${name}\``);
    assert.deepEqual([...names(row?.[1] ?? '')], declared('measure/stats.ts', name));
  }
});

test('the phases in docs/errors.md are those of the code', () => {
  const table = rows(section(pageOf('../errors'), 'in which part'));
  const said = new Map(
    table.flatMap(([phase = '', codes = '']) => [...names(codes)].map((code) => [code, phase.replaceAll('`', '')])),
  );
  const coded = Object.keys(ERROR_CODES).map((code) => [code, new SophiaError(code as ErrorCode, '').phase] as const);
  assert.deepEqual(Object.fromEntries(said), Object.fromEntries(coded));
});

test('every example compiles', (t) => {
  // Below the real path: the compiler resolves links, and would take the examples for files of nobody.
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'sophia-reference-')));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const written: string[] = [];
  for (const file of [...globSync(`${FOLDER}/*.md`), 'docs/errors.md']) {
    const blocks = [...readFileSync(file, 'utf8').matchAll(/^```ts(?: title="([^"]+)")?\n([\s\S]*?)^```$/gm)];
    for (const [index, [, title, text = '']] of blocks.entries()) {
      const name = title ?? `${basename(file, '.md')}-${index + 1}.ts`;
      written.push(name);
      writeFileSync(join(folder, name), `${text}\nexport {};\n`);
    }
  }
  assert.equal(new Set(written).size, written.length, 'two examples have one name');
  assert.ok(written.length >= 16);
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  const doors = ['index', 'node', 'testing'].map(
    (door) => [door === 'index' ? '' : `/${door}`, resolve(SOURCE, `${door}.ts`)] as const,
  );
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      extends: resolve('tsconfig.tests.json'),
      compilerOptions: {
        noUnusedLocals: false,
        typeRoots: [resolve('node_modules/@types')],
        paths: Object.fromEntries(doors.map(([door, file]) => [`@sophia-ai/core${door}`, [file]])),
      },
      include: ['*.ts'],
    }),
  );
  try {
    execFileSync(process.execPath, [resolve('node_modules/typescript/bin/tsc'), '-p', folder], {
      encoding: 'utf8',
      stdio: 'pipe',
    });
  } catch (error) {
    assert.fail(`examples do not compile:\n${(error as { stdout?: string }).stdout ?? String(error)}`);
  }
});
