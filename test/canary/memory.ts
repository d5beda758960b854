/** Looks for secrets in memory itself, whoever may reach it: heap snapshots of threads, the memory of child processes. */

import { open, readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { getHeapSnapshot } from 'node:v8';
import type { Worker } from 'node:worker_threads';
import { secretsInBytes } from './search.ts';
import { PREFIX, TAIL, secretsIn } from './secrets.ts';

/** Texts that live in the heap of this thread after a collection, or in that of a worker. Bytes are not in a snapshot. */
export async function secretsInHeap(worker?: Worker): Promise<Set<string>> {
  return secretsInText(worker === undefined ? getHeapSnapshot() : await worker.getHeapSnapshot());
}

async function secretsInText(stream: Readable): Promise<Set<string>> {
  const found = new Set<string>();
  let rest = '';
  for await (const chunk of stream.setEncoding('latin1') as AsyncIterable<string>) {
    const text = rest + chunk;
    for (const secret of secretsIn(text)) found.add(secret);
    rest = text.slice(-(PREFIX.length + TAIL));
  }
  return found;
}

const WRITABLE = /^([0-9a-f]+)-([0-9a-f]+) rw/;
/** Read at a time; pieces overlap by the length of a secret in its widest form. */
const PIECE = 4 * 1_024 * 1_024;
const OVERLAP = 2 * (PREFIX.length + TAIL);

/**
 * Secrets anywhere in the writable memory of a process, what is freed but not overwritten included.
 * `undefined` where the system does not let us look.
 */
export async function secretsInProcess(pid: number): Promise<Set<string> | undefined> {
  if (process.platform !== 'linux') return undefined;
  const maps = await readFile(`/proc/${pid}/maps`, 'latin1');
  const memory = await open(`/proc/${pid}/mem`).catch(() => undefined);
  if (memory === undefined) return undefined;
  await using _closed = memory;
  const found = new Set<string>();
  const piece = Buffer.alloc(PIECE);
  for (const line of maps.split('\n')) {
    const [, from, to] = WRITABLE.exec(line) ?? [];
    if (from === undefined || to === undefined) continue;
    const end = Number.parseInt(to, 16);
    for (let at = Number.parseInt(from, 16); at < end; at += PIECE - OVERLAP) {
      const wanted = Math.min(PIECE, end - at);
      // A mapping may go while we read; what is gone is nobody's any more.
      const read = await memory.read(piece, 0, wanted, at).catch(() => ({ bytesRead: 0 }));
      if (read.bytesRead === 0) break;
      for (const secret of secretsInBytes(piece.subarray(0, read.bytesRead))) found.add(secret);
    }
  }
  return found;
}
