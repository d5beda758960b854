/** The page docs/conformance.md: writes it, and reads back the verdicts that it was committed with. */

import { readFileSync } from 'node:fs';
import type { Finding, Probe, Verdict } from './probe.ts';

export const PAGE: string = new URL('../../docs/conformance.md', import.meta.url).pathname;

/** What one pool did in every probe, by the probe's id. */
export interface Report {
  readonly name: string;
  readonly version: string;
  readonly findings: Readonly<Record<string, Finding>>;
}

const LEAD = `# Conformance

The same faults, brought about in our pool and in the JavaScript pools that people use today, by the same code: each pool has
one small adapter (\`tools/conformance/contenders\`), and the probes (\`tools/conformance/probes\`) know nothing else of it. This page is written
by the run itself.

\`\`\`sh
npm run prove:conformance
\`\`\`

installs the pools beside the kit, runs every probe in a process of its own, prints the table, and fails if ours fails a probe or
if a verdict of ours is no longer the one below. \`npm run prove:conformance -- --write\` rewrites this page.`;

const READING = `## How to read it

- **ok**: does what the sentence under the probe's heading asks. **partly**: does some of it, or does no harm but says nothing. **fails**: does not, although it offers what is probed. **not offered**: has no such thing.
- Every pool is given every time limit that it offers, and is used as its documentation shows; everything else is at its default. What it does not offer, the kit does not add. pg-pool has a client that pretends, and is used by \`client.release()\`, as is usual (its callback API gives each borrower a \`done\` of its own, for which a late release is an error); effect's Pool is used through scopes and \`Effect.timeout\`.
- A pool that leaves an error that nobody can catch fails the probe, because such an error ends a Node process. So does one whose process does not answer.
- Ours recognises nested borrowing where the borrower says so, inside \`execute\` by \`this.pooled(…)\`, and is probed that way; two plain \`pooled()\` calls wait for their time like everybody's.
- Verdicts are meant to be stable; times and counts depend on the machine.
- These are probes of faults only. The pools have other virtues and other aims: a database pool that hands the failed connection's error to the caller at once, for example, does what its users expect.`;

export function pageOf(probes: readonly Probe[], reports: readonly Report[]): string {
  const versions = `Measured on ${new Date().toISOString().slice(0, 10)} with Node ${process.versions.node}.`;
  const sections = probes.map(
    (probe) => `### ${probe.title}

${probe.good}

${tableOf(
  ['pool', 'verdict', 'what was seen'],
  reports.map(({ name, findings }) => [name, findings[probe.id]?.verdict ?? '', findings[probe.id]?.detail ?? '']),
)}`,
  );
  return [LEAD, '## The table', versions, summaryOf(probes, reports), READING, '## Every probe', ...sections].join(
    '\n\n',
  );
}

function summaryOf(probes: readonly Probe[], reports: readonly Report[]): string {
  const rows = probes.map(({ id, title }) => [
    `[${title}](#${title.toLowerCase().replaceAll(' ', '-')})`,
    ...reports.map(({ findings }) => findings[id]?.verdict ?? ''),
  ]);
  return tableOf(['probe', ...reports.map(({ name, version }) => `${name} ${version}`)], rows);
}

function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** The verdicts of one pool on the committed page, by the title of the probe; empty if there is no page. */
export function committedVerdicts(name: string): Map<string, Verdict> {
  let page: string;
  try {
    page = readFileSync(PAGE, 'utf8');
  } catch {
    return new Map();
  }
  const rows = page
    .split('\n')
    .filter((line) => line.startsWith('| probe ') || line.startsWith('| ['))
    .map((line) => line.split('|').map((cell) => cell.trim()));
  const column = rows[0]?.findIndex((cell) => cell.startsWith(`${name} `)) ?? -1;
  if (column < 0) return new Map();
  return new Map(rows.slice(1).map((row) => [/^\[(.+?)\]/.exec(row[1] ?? '')?.[1] ?? '', row[column] as Verdict]));
}
