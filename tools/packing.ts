/** Builds, packs and installs our packages the way a user would get them. Used by the packing test and the install proof. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Runs npm with this process's Node, wherever npm itself was started from. */
export function npm(cwd: string, ...args: readonly string[]): string {
  const cli = process.env['npm_execpath'];
  const [command, prefix] = cli?.endsWith('.js') === true ? [process.execPath, [cli]] : ['npm', []];
  return execFileSync(command, [...prefix, ...args], { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Builds one package with those it needs and packs it. @returns the path of its tarball. */
export function pack(name: string, into: string): string {
  execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-b', `packages/${name}`], { stdio: 'inherit' });
  const packed = npm('.', 'pack', '--workspace', `@sophia-ai/${name}`, '--pack-destination', into, '--json');
  const report = JSON.parse(packed) as unknown;
  // npm 11 answers a list, npm 12 an object by package name.
  const [first] = Object.values(report as object) as { filename: string }[];
  if (first === undefined) throw new Error(`npm pack of ${name} reported no tarball: ${packed}`);
  return join(into, first.filename);
}

/** An empty folder with a manifest of its own, removed when `work` is done. */
export async function inEmptyFolder(work: (folder: string) => Promise<void> | void): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sophia-install-'));
  try {
    writeFileSync(join(folder, 'package.json'), '{ "name": "stranger", "private": true, "type": "module" }\n');
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs a script in the folder with this process's Node, without our private export condition. */
export function run(folder: string, script: string): string {
  writeFileSync(join(folder, 'script.ts'), script);
  const env = { ...process.env, NODE_OPTIONS: '' };
  return execFileSync(process.execPath, ['script.ts'], { cwd: folder, encoding: 'utf8', env });
}
