import assert from 'node:assert/strict';
import test from 'node:test';
import { loadEnglish } from '../src/language/english.ts';
import { measureAccuracy, readLabelledCalls, type Accuracy } from './accuracy/measure.ts';

const english = loadEnglish();

test('calls that no rule was written for are read nearly as well as the others', async () => {
  const accuracy = measureAccuracy(english, await readLabelledCalls('held-out'));
  assertFloors(accuracy, { commitments: 0.75, 'money+dates': 0.9 });
});

test('calls that the rules were written with are read almost without error', async () => {
  const accuracy = measureAccuracy(english, await readLabelledCalls('tuning'));
  assertFloors(accuracy, {
    commitments: 0.95,
    'due days': 0.95,
    money: 0.97,
    dates: 0.97,
    questions: 0.95,
    objections: 0.8,
  });
});

function assertFloors(accuracy: Accuracy, floors: Record<string, number>): void {
  for (const [kind, floor] of Object.entries(floors)) {
    const f1 = accuracy[kind]?.f1 ?? 0;
    assert.ok(f1 >= floor, `${kind}: F1 is ${f1.toFixed(3)}, below ${floor}`);
  }
}
