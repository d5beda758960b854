/** Runs test files in processes of their own, with a hard limit, and says what became of each test. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { relative, resolve } from 'node:path';
import { createInterface } from 'node:readline';

import type { ReportedEvent } from './reporter.ts';

const REPORTER = resolve(import.meta.dirname, 'reporter.ts');

export interface TestOrder {
  /** The repository, or a copy of it. */
  readonly root: string;
  /** Relative to it. */
  readonly files: readonly string[];
  readonly testName?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Then the processes are killed. */
  readonly limitMs: number;
}

export interface TestResult {
  readonly file: string;
  readonly name: string;
  readonly outcome: 'passed' | 'failed' | 'skipped' | 'todo';
  readonly message: string | undefined;
}

export interface TestRun {
  readonly results: readonly TestResult[];
  /** What tests said of themselves with `t.diagnostic`. */
  readonly notes: readonly { readonly file: string; readonly text: string }[];
  /** Files that failed as a whole: they could not be loaded, or ended before their tests. */
  readonly brokenFiles: readonly { readonly file: string; readonly message: string }[];
  readonly timedOut: boolean;
  readonly ms: number;
}

/** Of those that run now; whoever ends this process ends them too. */
const running = new Set<number>();

function killAll(): void {
  for (const pid of running) killGroup(pid);
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

process.once('exit', killAll);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

export async function runTests(order: TestOrder): Promise<TestRun> {
  const startMs = performance.now();
  const { root, files, testName, limitMs } = order;
  // No limit per test: its timer would keep a file alive whose tests wait for nothing, which Node reports at once.
  const args = [
    '--conditions=@sophia-ai/source',
    '--test',
    `--test-reporter=${REPORTER}`,
    ...(testName === undefined ? [] : [`--test-name-pattern=${testName}`]),
    ...files,
  ];
  // `detached` makes a process group, so that a file that loops for ever can be ended too.
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: environment(order.env),
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  });
  const pid = child.pid as number;
  running.add(pid);
  let timedOut = false;
  const limit = setTimeout(() => {
    timedOut = true;
    killGroup(pid);
  }, limitMs);
  const events: ReportedEvent[] = [];
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => events.push(JSON.parse(line) as ReportedEvent));
  await Promise.all([once(lines, 'close'), once(child, 'exit')]);
  clearTimeout(limit);
  // What a test has left running must not outlive it.
  killGroup(pid);
  running.delete(pid);
  return { ...collect(events, root), timedOut, ms: performance.now() - startMs };
}

function environment(more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  // Inside a test, Node would take these for its own child and report nothing to us.
  const { NODE_TEST_CONTEXT: _context, NODE_V8_COVERAGE: _coverage, ...env } = process.env;
  return { ...env, NODE_OPTIONS: '', ...more };
}

function collect(events: readonly ReportedEvent[], root: string): Pick<TestRun, 'results' | 'notes' | 'brokenFiles'> {
  const results: TestResult[] = [];
  const notes: TestRun['notes'][number][] = [];
  const brokenFiles: TestRun['brokenFiles'][number][] = [];
  for (const { type, name, file, isSuite, isSkipped, isTodo, message } of events) {
    if (file === undefined || type === 'test:stderr' || isSuite) continue;
    const path = relative(root, resolve(root, file));
    if (type === 'test:diagnostic') notes.push({ file: path, text: message ?? '' });
    // The runner's own entry for a file: it fails with it, or stands there when no test was named so.
    else if (resolve(root, name) === resolve(root, file)) {
      if (type === 'test:fail') brokenFiles.push({ file: path, message: complaint(events, path) ?? message ?? '' });
    } else {
      const passed = type === 'test:pass' ? 'passed' : 'failed';
      const outcome = isSkipped ? 'skipped' : isTodo ? 'todo' : passed;
      results.push({ file: path, name, outcome, message });
    }
  }
  return { results, notes, brokenFiles };
}

/** The line of the error output that names the error. */
function complaint(events: readonly ReportedEvent[], path: string): string | undefined {
  const told = events.filter(({ type, file }) => type === 'test:stderr' && file !== undefined && path.endsWith(file));
  return told.map(({ message = '' }) => message.trim()).find((line) => /^\w*Error\b/.test(line));
}
