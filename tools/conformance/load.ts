/** Loads a pool from the packages beside this file. At run time only: they are installed for this proof alone. */

import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(import.meta.url);

/** The door of a package; `Door` describes what of it we use. */
export function load<Door>(name: string): Door {
  return require(name) as Door;
}

/** Read from the file: not every package exports its manifest. */
export function versionOf(name: string): string {
  const folders = ['node_modules', '../../node_modules'].map((folder) => join(import.meta.dirname, folder, name));
  const folder = folders.find((path) => existsSync(path));
  if (folder === undefined) throw new Error(`${name} is not installed. Run: npm ci --prefix tools/conformance`);
  return (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string }).version;
}
