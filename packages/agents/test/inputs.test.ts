import assert from 'node:assert/strict';
import test from 'node:test';
import { InputError } from '@sophia-ai/core';
import { AgnoPerformanceOptimizer } from '@sophia-ai/core';
import {
  CallAnalysisAgent,
  InsightExtractionAgent,
  MAX_DOCUMENTS,
  MAX_INPUT_BYTES,
  MAX_TURNS,
} from '@sophia-ai/agents';

const optimizer = new AgnoPerformanceOptimizer();
test.after(() => optimizer.close());

const megabytes = 'Ann: hi\n'.repeat(MAX_INPUT_BYTES / 8 + 1);
const callInputs: [name: string, input: unknown, message: RegExp, field?: string][] = [
  ['neither text nor turns', {}, /either transcript.*exactly one/],
  ['both text and turns', { transcript: 'A: x', turns: [{ speaker: 'A', text: 'x' }] }, /exactly one/],
  ['no object', 'A: x', /expected object/],
  ['an empty transcript', { transcript: ' \n' }, /is empty; send at least one line/, 'transcript'],
  ['a transcript of another type', { transcript: 5 }, /must be a string/, 'transcript'],
  [
    'a transcript over the limit',
    { transcript: megabytes },
    /5\.0 MB of text; the limit is 5 MB\. Split/,
    'transcript',
  ],
  ['turns over the limit', { turns: [{ speaker: 'Ann', text: megabytes }] }, /the limit is 5 MB/, 'turns'],
  [
    'binary text',
    { transcript: 'Ann: a\u0000b' },
    /control character U\+0000 at position 6.*plain text in UTF-8/,
    'transcript',
  ],
  ['a binary turn', { turns: [{ speaker: 'Ann', text: '\u0008' }] }, /control character U\+0008/, 'turns.0.text'],
  [
    'a line without speaker',
    { transcript: 'Ann: hi\nhello there' },
    /Line 2 names no speaker: "hello there"/,
    'transcript',
  ],
  ['an unknown side', { transcript: 'Ann (boss): hi' }, /Line 1 gives the side "boss"/, 'transcript'],
  ['a broken time', { transcript: 'Ann [0:75]: hi' }, /Line 1 has the time "\[0:75\]"/, 'transcript'],
  [
    'times out of order',
    { transcript: 'Ann [00:09]: hi\nTom [00:05]: hello' },
    /Turn 1 starts at 5000 ms, before turn 0/,
    'turns.1.startMs',
  ],
  ['headers only', { transcript: 'Call: x\nDate: 2026-03-10\n' }, /has no turns/, 'transcript'],
  ['another language', { transcript: 'Language: de\nAnn: hallo' }, /language is "de"/, 'transcript'],
  ['a day that does not exist', { transcript: 'Ann: hi', date: '2026-02-30' }, /a real day/, 'date'],
  ['a header with no day', { transcript: 'Date: soon\nAnn: hi' }, /"soon" is not a day/, 'date'],
  ['no turns', { turns: [] }, /is empty; send at least one turn/, 'turns'],
  ['turns of another type', { turns: 'x' }, /must be an array/, 'turns'],
  [
    'too many turns',
    { turns: Array.from({ length: MAX_TURNS + 1 }, () => ({ speaker: 'A', text: 'x' })) },
    /more than 20000 turns/,
    'turns',
  ],
  ['too many lines', { transcript: 'A: x\n'.repeat(MAX_TURNS + 1) }, /more than 20000 turns/, 'transcript'],
  ['a turn without speaker', { turns: [{ speaker: ' ', text: 'x' }] }, /name of who speaks/, 'turns.0.speaker'],
  [
    'a turn with a wrong side',
    { turns: [{ speaker: 'A', side: 'boss', text: 'x' }] },
    /must be "rep" or "customer"/,
    'turns.0.side',
  ],
  [
    'a turn before the call',
    { turns: [{ speaker: 'A', startMs: -1, text: 'x' }] },
    /cannot be negative/,
    'turns.0.startMs',
  ],
  ['turns without a word', { turns: [{ speaker: 'A', text: '…' }] }, /nothing to analyse/, 'turns'],
  ['an unknown field', { transcript: 'A: x', turn: 1 }, /Unrecognized key: "turn"/],
];

for (const [name, input, message, field] of callInputs) {
  test(`the call analysis refuses ${name} and says what to do`, async () => {
    const agent = await optimizer.pooled(CallAnalysisAgent, {});
    await assert.rejects(agent.run(input as never), (error: unknown) => {
      assert.ok(error instanceof InputError);
      assert.match(error.message, message);
      assert.equal(error.field, field);
      return true;
    });
    agent.release();
  });
}

const insightInputs: [name: string, input: unknown, message: RegExp, field?: string][] = [
  ['no documents', { documents: [] }, /is empty; send at least one document/, 'documents'],
  ['documents of another type', { documents: 'x' }, /must be an array/, 'documents'],
  ['a document without id', { documents: [{ id: '', text: 'x' }] }, /needs a name/, 'documents.0.id'],
  [
    'two documents of one id',
    {
      documents: [
        { id: 'a', text: 'x' },
        { id: 'a', text: 'y' },
      ],
    },
    /have the id "a"/,
    'documents.1.id',
  ],
  ['documents without a word', { documents: [{ id: 'a', text: '  ' }] }, /nothing to extract/, 'documents'],
  ['a binary document', { documents: [{ id: 'a', text: '\u0000' }] }, /control character/, 'documents.0.text'],
  [
    'a binary document of the past',
    { documents: [{ id: 'a', text: 'x' }], history: [{ id: 'b', text: '\u0000' }] },
    /control character/,
    'history.0.text',
  ],
  ['documents over the limit', { documents: [{ id: 'a', text: megabytes }] }, /the limit is 5 MB/, 'documents'],
  [
    'too many documents',
    { documents: Array.from({ length: MAX_DOCUMENTS + 1 }, (_, id) => ({ id: `${id}`, text: 'x' })) },
    /more than 5000 documents/,
    'documents',
  ],
  [
    'a day that does not exist',
    { documents: [{ id: 'a', text: 'x', date: '2026-13-01' }] },
    /a real day/,
    'documents.0.date',
  ],
];

for (const [name, input, message, field] of insightInputs) {
  test(`the insight extraction refuses ${name} and says what to do`, async () => {
    const agent = await optimizer.pooled(InsightExtractionAgent, {});
    await assert.rejects(agent.run(input as never), (error: unknown) => {
      assert.ok(error instanceof InputError);
      assert.match(error.message, message);
      assert.equal(error.field, field);
      return true;
    });
    agent.release();
  });
}

test('a wrong config is refused before anything is made', async () => {
  await assert.rejects(optimizer.pooled(CallAnalysisAgent, { defaultCurrency: 'euro' }), /ISO 4217 code/);
  await assert.rejects(optimizer.pooled(CallAnalysisAgent, { currency: 'EUR' } as never), /Unrecognized key/);
  await assert.rejects(optimizer.pooled(InsightExtractionAgent, { maxPhrases: 0 }), /at least 1/);
});
