/**
 * `npm run prove:conformance`: the same fault probes on our pool and on its rivals. Fails if ours fails one, or if a
 * verdict of ours differs from the committed docs/conformance.md; with `--write` it rewrites that page instead.
 */

import { execFileSync, fork } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Contender } from './contender.ts';
import { CONTENDERS } from './contenders.ts';
import { versionOf } from './load.ts';
import { PAGE, committedVerdicts, pageOf } from './page.ts';
import type { Report } from './page.ts';
import { fails } from './probe.ts';
import type { Finding, Probe } from './probe.ts';
import { PROBES } from './probes.ts';

/** A probe takes at most a few seconds; a process that takes this long has starved itself. */
const PATIENCE_MS = 15_000;
/** Probes at the same time: they mostly wait, and must not disturb each other's clocks. */
const AT_ONCE = 2;

const jobs = PROBES.flatMap((probe) => CONTENDERS.map((contender) => ({ probe, contender })));
const found = new Map<Contender, Record<string, Finding>>(CONTENDERS.map((contender) => [contender, {}]));
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) {
      const { probe, contender } = job;
      const finding = await runApart(contender, probe);
      (found.get(contender) as Record<string, Finding>)[probe.id] = finding;
      console.log(`${probe.title} · ${contender.name} · ${finding.verdict}: ${finding.detail}`);
    }
  }),
);

const reports: Report[] = CONTENDERS.map((contender) => ({
  name: contender.name,
  version: versionOf(contender.package),
  findings: found.get(contender) ?? {},
}));
console.table(
  Object.fromEntries(
    PROBES.map(({ id, title }) => [
      title,
      Object.fromEntries(reports.map(({ name, version, findings }) => [`${name} ${version}`, findings[id]?.verdict])),
    ]),
  ),
);

if (process.argv.includes('--write')) {
  writeFileSync(PAGE, `${pageOf(PROBES, reports)}\n`);
  const formatter = join(import.meta.dirname, '../../node_modules/oxfmt/bin/oxfmt');
  execFileSync(process.execPath, [formatter, PAGE], { stdio: 'inherit' });
  console.log(`${PAGE} is written`);
} else {
  const complaints = judge(reports[0] as Report);
  for (const complaint of complaints) console.error(complaint);
  console.log(`${PROBES.length - complaints.length} passed, ${complaints.length} failed`);
  process.exitCode = complaints.length === 0 ? 0 : 1;
}

/** What is wrong with our own pool: a probe that it fails, or a verdict that is not the committed one. */
function judge({ name, findings }: Report): string[] {
  const committed = committedVerdicts(name);
  return PROBES.flatMap(({ id, title }) => {
    const { verdict, detail } = findings[id] as Finding;
    const before = committed.get(title) ?? 'absent';
    if (verdict === 'fails') return [`${name} fails “${title}”: ${detail}`];
    if (verdict === before) return [];
    return [
      `“${title}” is ${verdict} for ${name} (${detail}), but ${before} in docs/conformance.md. If that is right, run with --write.`,
    ];
  });
}

function runApart(contender: Contender, probe: Probe): Promise<Finding> {
  return new Promise((resolve) => {
    const child = fork(join(import.meta.dirname, 'probe-process.ts'), [contender.name, probe.id], {
      execArgv: process.execArgv,
      stdio: 'ignore',
    });
    const deadline = setTimeout(() => {
      child.kill('SIGKILL');
      resolve(fails(`the process did not answer within ${PATIENCE_MS} ms`));
    }, PATIENCE_MS);
    child.once('message', (finding) => resolve(finding as Finding));
    child.once('exit', (code) => {
      clearTimeout(deadline);
      resolve(fails(`the process ended with code ${String(code)} before it answered`));
    });
  });
}
