/** Child processes of this one and what they hold, read from Linux's /proc; elsewhere nothing is known. */

import { readFile, readdir } from 'node:fs/promises';

/** All descendants of this process; `null` where the system does not say. */
export async function childProcesses(): Promise<number[] | null> {
  const children = await childrenOf(process.pid);
  if (children === null) return null;
  const found = [...children];
  for (const pid of found) found.push(...((await childrenOf(pid)) ?? []));
  return found;
}

async function childrenOf(pid: number): Promise<number[] | null> {
  try {
    const threads = await readdir(`/proc/${pid}/task`);
    const lists = await Promise.all(threads.map((thread) => childrenOfThread(pid, thread)));
    return lists.flat();
  } catch {
    return null;
  }
}

async function childrenOfThread(pid: number, thread: string): Promise<number[]> {
  // A thread may end between the listing and this line; it has no children then.
  const text = await readFile(`/proc/${pid}/task/${thread}/children`, 'utf8').catch(() => '');
  return text.split(' ').filter(Boolean).map(Number);
}

/** Proportional set size: private memory plus this process's share of what it shares. 0 once the process is gone. */
export async function proportionalKib(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
  return Number(/^Pss:\s+(\d+) kB$/m.exec(text)?.[1] ?? 0);
}
