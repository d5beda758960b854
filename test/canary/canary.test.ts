import assert from 'node:assert/strict';
import { once } from 'node:events';
import test from 'node:test';
import { Worker } from 'node:worker_threads';
import type { Order, Report, SubjectReport } from './campaign.ts';

const SEED = Number(process.env['SOPHIA_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const IS_FULL = process.env['SOPHIA_PROVE'] === 'full';
const CHECKOUTS = IS_FULL ? 1_000_000 : 100_000;
const LIMIT_MS = IS_FULL ? 3_600_000 : 600_000;

async function campaign(company: Order['company']): Promise<Report> {
  const order: Order = { company, seed: SEED, isFull: IS_FULL };
  const thread = new Worker(new URL('campaign.ts', import.meta.url), { workerData: order });
  const [report] = (await once(thread, 'message')) as [Report];
  return report;
}

function sum<T>(all: readonly T[], of: (one: T) => number): number {
  return all.reduce((total, one) => total + of(one), 0);
}

function endedAbnormally({ tally }: SubjectReport): number {
  return tally.checkouts - (tally.endings.released ?? 0);
}

function shown(count: number): string {
  return count.toLocaleString('en');
}

function describe(report: SubjectReport): string {
  const { tally, ms, staleInProcess, keptInThread } = report;
  const asides = [
    tally.stale > 0 && `${shown(tally.stale)} old secrets in bytes around a view`,
    staleInProcess !== undefined && `${staleInProcess} in the freed memory of a process that serves on`,
    keptInThread !== undefined && `${keptInThread} in a thread that serves all`,
  ].filter((aside) => aside !== false);
  return [
    `${tally.type}: ${shown(tally.checkouts)} checkouts in ${(ms / 1_000).toFixed(1)} s`,
    `${shown(endedAbnormally(report))} ended abnormally`,
    `left in ${tally.mostPlaces} places that a walk sees`,
    `${tally.deepSearches} searches of the hidden among ${shown(tally.mostObjects)} objects`,
    `${tally.foreignSecrets} foreign secrets`,
    ...asides,
  ].join(', ');
}

test('no borrower ever meets what another left', { timeout: LIMIT_MS }, async (t) => {
  t.diagnostic(`seed ${SEED}; with SOPHIA_SEED=${SEED} borrowers bring the same secrets and end in the same ways`);
  const reports = await Promise.all([campaign('light'), campaign('heavy')]);
  const subjects = reports.flatMap((report) => report.subjects);
  for (const report of subjects) t.diagnostic(describe(report));

  const total = sum(subjects, ({ tally }) => tally.checkouts);
  const abnormal = sum(subjects, endedAbnormally);
  const foreign = sum(subjects, ({ tally }) => tally.foreignSecrets);
  t.diagnostic(`${shown(total)} checkouts, ${shown(abnormal)} ended abnormally, ${shown(foreign)} foreign secrets`);

  assert.deepEqual(
    subjects.flatMap(({ tally }) => tally.foreign),
    [],
  );
  assert.equal(foreign, 0);
  assert.equal(total, CHECKOUTS);
  assert.ok(abnormal > 0.08 * total && abnormal < 0.12 * total, `${abnormal} ended abnormally`);
  for (const { tally, missingEnds, keptInThread = 0 } of subjects) {
    assert.deepEqual(missingEnds, [], `ends of '${tally.type}' that did not come about`);
    assert.equal(tally.limited, 0, `a search among '${tally.type}' left something out`);
    assert.equal(keptInThread, 0, `secrets in the thread that serves all of '${tally.type}'`);
    assert.ok(tally.mostPlaces > 0, `borrowers of '${tally.type}' left nothing`);
  }
  for (const { inHeap, inGlobals } of reports) {
    assert.deepEqual(inGlobals, [], 'reached from the global object');
    assert.deepEqual(inHeap, [], 'in the heap while all pools stand idle');
  }
});
