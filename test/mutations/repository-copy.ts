/** A copy of the repository in which something may be broken. What was installed is shared with the original. */

import { cpSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';

export const REPOSITORY: string = resolve(import.meta.dirname, '../..');

/** Our own packages are linked to the copy, everything else to what the original has. */
const OURS = '@sophia-ai';

/** Those that are still there; none outlives the process. */
const copies = new Set<string>();
process.once('exit', () => copies.forEach(removeCopy));

/** @returns the path of the copy; whoever makes it calls `removeCopy`. */
export function copyRepository(): string {
  const copy = mkdtempSync(join(realpathSync(tmpdir()), 'sophia-copy-'));
  copies.add(copy);
  for (const name of readdirSync(REPOSITORY)) {
    if (isSource(name)) cpSync(join(REPOSITORY, name), join(copy, name), { recursive: true, filter: isSource });
  }
  const installed = join(REPOSITORY, 'node_modules');
  const linked = join(copy, 'node_modules');
  mkdirSync(join(linked, OURS), { recursive: true });
  for (const name of readdirSync(installed)) {
    if (name !== OURS) symlinkSync(join(installed, name), join(linked, name));
  }
  for (const name of readdirSync(join(installed, OURS))) {
    const original = realpathSync(join(installed, OURS, name));
    symlinkSync(join(copy, original.slice(REPOSITORY.length)), join(linked, OURS, name));
  }
  return copy;
}

/** What is written by people: nothing installed, built or hidden. */
function isSource(path: string): boolean {
  const name = basename(path);
  return name !== 'node_modules' && name !== 'dist' && !name.startsWith('.') && !name.endsWith('.tsbuildinfo');
}

export function removeCopy(copy: string): void {
  rmSync(copy, { recursive: true, force: true });
  copies.delete(copy);
}
