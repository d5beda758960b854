// Measures the call analysis against the labelled calls: precision, recall and F1 for every kind of finding.
// Prints totals only. With --errors it lists the tuning half's misses; the held-out half is never shown item by item.
import { loadEnglish } from '../packages/agents/src/language/english.ts';
import {
  measureAccuracy,
  readLabelledCalls,
  showErrors,
  type Accuracy,
} from '../packages/agents/test/accuracy/measure.ts';

const english = loadEnglish();
const halves = process.argv.includes('--tuning-only') ? (['tuning'] as const) : (['tuning', 'held-out'] as const);
for (const half of halves) {
  const calls = await readLabelledCalls(half);
  const startedAt = process.cpuUsage();
  const accuracy = measureAccuracy(english, calls);
  const { user, system } = process.cpuUsage(startedAt);
  console.log(
    `\n${half}: ${calls.length} calls, ${((user + system) / 1000 / calls.length).toFixed(1)} ms of processor time a call`,
  );
  console.table(toRows(accuracy));
  if (half === 'tuning' && process.argv.includes('--errors')) console.log(showErrors(english, calls));
}

function toRows(accuracy: Accuracy): Record<string, Record<string, string | number>> {
  return Object.fromEntries(
    Object.entries(accuracy).map(([kind, { found, labelled, matched, precision, recall, f1 }]) => [
      kind,
      { labelled, found, matched, precision: precision.toFixed(3), recall: recall.toFixed(3), f1: f1.toFixed(3) },
    ]),
  );
}
