// Compares what the analysis finds with the labels of the bundled calls.
import { readdir, readFile } from 'node:fs/promises';
import { analyseCall } from '../../src/call-analysis/analyse-call.ts';
import type { CallAnalysis } from '../../src/call-analysis/analysis.ts';
import type { English } from '../../src/language/english.ts';

export interface Labels {
  commitments: { turn: number; owner: string; due: string | null; quote: string }[];
  money: { turn: number; text: string; amount: number; currency: string }[];
  dates: { turn: number; text: string; date: string }[];
  objections: { turn: number; kind: string }[];
  questions: number[];
}

export interface LabelledCall {
  name: string;
  transcript: string;
  labels: Labels;
}

export interface Score {
  labelled: number;
  found: number;
  matched: number;
  precision: number;
  recall: number;
  f1: number;
}

export type Accuracy = Record<string, Score>;

const CALLS = new URL('../../data/calls/', import.meta.url);

export async function readLabelledCalls(half: 'tuning' | 'held-out'): Promise<LabelledCall[]> {
  const folder = new URL(`${half}/`, CALLS);
  const names = (await readdir(folder)).filter((name) => name.endsWith('.txt')).toSorted();
  return Promise.all(
    names.map(async (name) => ({
      name,
      transcript: await readFile(new URL(name, folder), 'utf8'),
      labels: JSON.parse(await readFile(new URL(name.replace('.txt', '.labels.json'), folder), 'utf8')) as Labels,
    })),
  );
}

// Two findings are the same when these keys are equal; each label is matched once.
const KEYS = {
  commitments: ({ commitments }: Labels | CallAnalysis) => commitments.map((found) => `${found.turn} ${found.owner}`),
  money: ({ money }: Labels | CallAnalysis) => money.map((found) => `${found.turn} ${found.amount} ${found.currency}`),
  dates: ({ dates }: Labels | CallAnalysis) => dates.map((found) => `${found.turn} ${found.date}`),
  objections: ({ objections }: Labels | CallAnalysis) => objections.map((found) => `${found.turn} ${found.kind}`),
  questions: ({ questions }: Labels | CallAnalysis) => [
    ...new Set(questions.map((found) => String(typeof found === 'number' ? found : found.turn))),
  ],
};

/** Micro-averaged scores over the calls, and the share of right due days among matched commitments. */
export function measureAccuracy(english: English, calls: readonly LabelledCall[]): Accuracy {
  const counts = new Map<string, { labelled: number; found: number; matched: number }>();
  const add = (kind: string, labelled: number, found: number, matched: number): void => {
    const count = counts.get(kind) ?? { labelled: 0, found: 0, matched: 0 };
    counts.set(kind, {
      labelled: count.labelled + labelled,
      found: count.found + found,
      matched: count.matched + matched,
    });
  };
  for (const { transcript, labels } of calls) {
    const analysis = analyseCall(english, { transcript });
    for (const [kind, keysOf] of Object.entries(KEYS)) {
      const labelled = keysOf(labels);
      const found = keysOf(analysis);
      const matched = labelled.length - without(labelled, found).length;
      add(kind, labelled.length, found.length, matched);
      if (kind === 'money' || kind === 'dates') add('money+dates', labelled.length, found.length, matched);
    }
    const due = dueDays(labels, analysis);
    add('due days', due.matched, due.matched, due.right);
  }
  return Object.fromEntries([...counts].map(([kind, count]) => [kind, toScore(count)]));
}

function toScore({ labelled, found, matched }: { labelled: number; found: number; matched: number }): Score {
  const precision = found === 0 ? 1 : matched / found;
  const recall = labelled === 0 ? 1 : matched / labelled;
  const f1 = matched === 0 ? 0 : (2 * precision * recall) / (precision + recall);
  return { labelled, found, matched, precision, recall, f1 };
}

function dueDays(labels: Labels, analysis: CallAnalysis): { matched: number; right: number } {
  const rest = [...analysis.commitments];
  let matched = 0;
  let right = 0;
  for (const label of labels.commitments) {
    const same = rest.filter((found) => found.turn === label.turn && found.owner === label.owner);
    const best = same.find((found) => found.due === label.due) ?? same[0];
    if (best === undefined) continue;
    rest.splice(rest.indexOf(best), 1);
    matched += 1;
    if (best.due === label.due) right += 1;
  }
  return { matched, right };
}

/** Keys of the first list that the second lacks, counting repetitions. */
function without(keys: readonly string[], others: readonly string[]): string[] {
  const rest = [...others];
  return keys.filter((key) => {
    const at = rest.indexOf(key);
    if (at !== -1) rest.splice(at, 1);
    return at === -1;
  });
}

/** Misses and false finds of each call, for work on the rules. Only ever for the tuning half. */
export function showErrors(english: English, calls: readonly LabelledCall[]): string {
  return calls
    .flatMap(({ name, transcript, labels }) => {
      const analysis = analyseCall(english, { transcript });
      const lines: string[] = [];
      for (const [kind, keysOf] of Object.entries(KEYS)) {
        const [wanted, found] = [keysOf(labels), keysOf(analysis)];
        const findings: { turn: number; quote: string }[] = analysis[kind as keyof typeof KEYS];
        for (const key of without(wanted, found)) lines.push(`  ${kind} missed: ${key}`);
        for (const key of without(found, wanted)) {
          const quote = findings.find(({ turn }) => turn === Number(key.split(' ')[0]))?.quote;
          lines.push(`  ${kind} extra: ${key}: ${quote}`);
        }
      }
      for (const label of labels.commitments) {
        const found = analysis.commitments.find((each) => each.turn === label.turn && each.owner === label.owner);
        if (found !== undefined && found.due !== label.due)
          lines.push(`  due: ${label.due}, not ${found.due}: ${found.quote}`);
      }
      return lines.length === 0 ? [] : [name, ...lines];
    })
    .join('\n');
}
