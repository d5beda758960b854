/** Runs the real command as a child process; whoever starts one stops it. */

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));
export const AGENTS: string = fileURLToPath(new URL('fixtures/agents.ts', import.meta.url));

export class Sophia implements AsyncDisposable {
  readonly process: ChildProcess;
  stdout = '';
  stderr = '';
  readonly exit: Promise<number | null>;

  constructor(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    const { SOPHIA_PORT: _, ...inherited } = process.env;
    this.process = spawn(process.execPath, ['--conditions=@sophia-ai/source', MAIN, ...args], {
      env: { ...inherited, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.process.stdout?.on('data', (bytes: Buffer) => {
      this.stdout += bytes.toString();
    });
    this.process.stderr?.on('data', (bytes: Buffer) => {
      this.stderr += bytes.toString();
    });
    this.exit = new Promise((resolve, reject) => {
      this.process.once('close', resolve).once('error', reject);
    });
  }

  /** Resolves with what `pattern` finds in the standard output, as soon as it does. */
  async says(pattern: RegExp): Promise<RegExpMatchArray> {
    return until(
      () => {
        if (this.process.exitCode !== null) throw new Error(`It ended with ${this.process.exitCode}: ${this.stderr}`);
        return this.stdout.match(pattern) ?? undefined;
      },
      `sophia said ${String(pattern)}; it said: ${this.stdout}${this.stderr}`,
    );
  }

  /** The address that it serves at, once it is ready. */
  async url(): Promise<string> {
    const [, url = ''] = await this.says(/^Ready: (\S+)\/readyz$/m);
    return url;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.process.kill('SIGKILL');
    await this.exit;
  }
}

/** Runs the command to its end. */
export async function sophia(
  args: readonly string[],
  environment?: Readonly<Record<string, string>>,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  await using run = new Sophia(args, environment);
  const code = await run.exit;
  return { code, stdout: run.stdout, stderr: run.stderr };
}

/** Looks again and again until `look` finds something; fails after 20 seconds. */
export async function until<Found>(
  look: () => Found | undefined | Promise<Found | undefined>,
  what: string,
): Promise<Found> {
  const endMs = performance.now() + 20_000;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > endMs) throw new Error(`Waited 20 s in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
