import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import test from 'node:test';
import { extractInsights } from '../src/insight-extraction/extract-insights.ts';
import type { DocumentInput } from '../src/insight-extraction/input.ts';
import { insightExtraction } from '../src/insight-extraction/insights.ts';
import { loadEnglish } from '../src/language/english.ts';
import { sampleInputs } from '../src/samples.ts';

const english = loadEnglish();

async function speech(year: number, president = 'franklin-d-roosevelt'): Promise<DocumentInput> {
  const text = await readFile(new URL(`data/speeches/${year}-${president}.txt`, import.meta.url), 'utf8');
  return { id: String(year), text, date: `${year}-01-10` };
}

test('the key phrases of a known speech are the ones it is known for', async () => {
  const { keyPhrases, period } = extractInsights(english, { documents: [await speech(2002, 'george-w-bush')] });
  const phrases = keyPhrases.map(({ phrase }) => phrase);
  for (const expected of [
    'America',
    'Afghanistan',
    'terror',
    'homeland security',
    'mass destruction',
    'USA Freedom Corps',
  ]) {
    assert.ok(phrases.includes(expected), `${expected} is not among ${phrases.join(', ')}`);
  }
  assert.equal(keyPhrases[0]?.score, 1);
  assert.deepEqual(period, { from: '2002-01-10', to: '2002-01-10' });
});

test('what a speech says for the first time is new against the speeches before it', async () => {
  const history = [await speech(1938), await speech(1939), await speech(1940)];
  const { keyPhrases } = extractInsights(english, { documents: [await speech(1941)], history }, { maxPhrases: 200 });
  const novelty = (phrase: string): number | undefined =>
    keyPhrases.find((each) => each.phrase === phrase)?.novelty?.noveltyRatio;
  assert.equal(novelty('aggressor nations'), 1);
  assert.ok(novelty('dictators')! > 0.8);
  assert.ok(novelty('Congress')! < 0.3);
  assert.ok(novelty('freedom')! > novelty('peace')!);
});

test('themes gather phrases that occur together, and quote sentences that hold them', async () => {
  const documents = [await speech(1941), await speech(2002, 'george-w-bush')];
  const { themes } = extractInsights(english, { documents });
  assert.ok(themes.length >= 3);
  for (const { phrases, quotes, documentIds } of themes) {
    assert.ok(phrases.length >= 2);
    assert.ok(quotes.length >= 1);
    for (const { quote, documentId } of quotes) {
      assert.ok(documentIds.includes(documentId));
      assert.ok(documents.find(({ id }) => id === documentId)?.text.includes(quote), quote);
    }
  }
  const war = themes.find(({ phrases }) => phrases.includes('Afghanistan'));
  assert.deepEqual(war?.documentIds[0], '2002');
});

test('short documents about two things fall into two themes', () => {
  const about = (subject: string, id: string): DocumentInput => ({ id, text: subject });
  const { themes } = extractInsights(english, {
    documents: [
      about('The nightly export fails when the export queue is full.', 'a'),
      about('Our nightly export stops, and the export queue never empties.', 'b'),
      about('The tax rate on the invoice is wrong.', 'c'),
      about('Every invoice shows the old tax rate.', 'd'),
    ],
  });
  const of = (phrase: string): string[] | undefined =>
    themes.find(({ phrases }) => phrases.includes(phrase))?.documentIds;
  assert.deepEqual(of('nightly export')?.toSorted(), ['a', 'b']);
  assert.deepEqual(of('tax rate')?.toSorted(), ['c', 'd']);
});

test('without a history nothing is called new', async () => {
  const { keyPhrases, themes } = extractInsights(english, { documents: [await speech(1941)] });
  assert.ok(keyPhrases.every(({ novelty }) => novelty === null));
  assert.ok(themes.every(({ novelty }) => novelty === null));
});

test('the same texts give the same result', async () => {
  const documents = [await speech(1941), await speech(1940)];
  assert.deepEqual(extractInsights(english, { documents }), extractInsights(english, { documents }));
});

test('a footer under every message counts once', () => {
  const footer = 'Please visit the Customer Satisfaction Portal.';
  const documents = ['The export is slow.', 'The export fails.', 'Nobody answers.'].map((text, index) => ({
    id: String(index),
    text: `${text} ${footer}`,
  }));
  const { keyPhrases } = extractInsights(english, { documents });
  assert.equal(keyPhrases.find(({ phrase }) => phrase === 'Customer Satisfaction Portal')?.count, 1);
  assert.equal(keyPhrases.find(({ phrase }) => phrase === 'export')?.count, 2);
});

test('maxPhrases limits the phrases', async () => {
  const { keyPhrases } = extractInsights(english, { documents: [await speech(1941)] }, { maxPhrases: 3 });
  assert.equal(keyPhrases.length, 3);
});

test('messy text, with mark-up, addresses and other scripts, gives plain phrases', () => {
  const text =
    '# Title\n\n<b>Export</b> → see https://example.org/a?b=c or mail a@b.org 😀\n\n* The **nightly export** fails.\n日本語 ok.';
  const { keyPhrases } = extractInsights(english, { documents: [{ id: 'a', text }] });
  assert.ok(keyPhrases.some(({ phrase }) => phrase === 'nightly export'));
  assert.ok(keyPhrases.every(({ phrase }) => !/[<>*@/:]/.test(phrase)));
});

test('the result matches its own schema and survives JSON', async () => {
  const [input] = await sampleInputs('insight-extraction');
  assert.ok(input);
  const insights = extractInsights(english, input);
  assert.deepEqual(insightExtraction.parse(JSON.parse(JSON.stringify(insights))), insights);
});
