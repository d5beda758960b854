import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import test from 'node:test';
import { isLanguageOpen, openLanguage } from '../src/language/language.ts';
import type { Progress } from '../src/language/worker.ts';

const small = { input: { transcript: "Ann: I'll send it." }, config: {} };
// Seconds of work, so that an abort always finds it running.
const large = {
  input: {
    turns: Array.from({ length: 20_000 }, () => ({ speaker: 'Ann', text: "I'll send the $5 quote by Friday." })),
  },
  config: {},
};

test('shares are counted: the threads live until the last one is closed', async () => {
  assert.equal(isLanguageOpen(), false);
  const [first, second] = await Promise.all([openLanguage(), openLanguage()]);
  await first.close();
  await first.close();
  assert.equal(isLanguageOpen(), true);
  const { commitments } = await second.run('call-analysis', small);
  assert.equal(commitments.length, 1);
  await assert.rejects(first.run('call-analysis', small), /share is closed/);
  await second.close();
  assert.equal(isLanguageOpen(), false);
});

test('threads can be opened again after the last share was closed', async () => {
  const language = await openLanguage();
  assert.equal((await language.run('call-analysis', small)).turnCount, 1);
  await language.close();
});

test('the model is loaded in the threads and never in the main one', async () => {
  const language = await openLanguage();
  await language.run('call-analysis', small);
  const loaded = Object.keys(createRequire(import.meta.url).cache ?? {});
  assert.deepEqual(
    loaded.filter((file) => file.includes('wink')),
    [],
  );
  assert.ok(
    (await language.heapBytes()) > 20e6 * language.threads,
    'the model alone takes more than 20 MB in each thread',
  );
  await language.close();
});

test('an aborted task stops at once, its thread is replaced, and the next task runs', async () => {
  const language = await openLanguage();
  const controller = new AbortController();
  const reason = new Error('the caller left');
  const running = Promise.withResolvers<void>();
  const work = language.run('call-analysis', large, {
    signal: controller.signal,
    onProgress: ({ stage }: Progress) => stage === 'parsed' && running.resolve(),
  });
  await running.promise;
  controller.abort(reason);
  await assert.rejects(work, reason);
  assert.equal((await language.run('call-analysis', small)).turnCount, 1);
  assert.ok((await language.heapBytes()) > 20e6);
  await language.close();
});

test('a task that is aborted while it queues never runs, and those beside it are left alone', async () => {
  const language = await openLanguage();
  const controller = new AbortController();
  const tasks = Array.from({ length: language.threads + 1 }, () => language.run('call-analysis', small));
  const queued = language.run('call-analysis', large, { signal: controller.signal });
  controller.abort(new Error('changed my mind'));
  await assert.rejects(queued, /changed my mind/);
  for (const { turnCount } of await Promise.all(tasks)) assert.equal(turnCount, 1);
  await language.close();
});

test('an aborted opening rejects with the reason and leaves no share behind', async () => {
  await assert.rejects(openLanguage({ signal: AbortSignal.abort(new Error('too late')) }), /too late/);
  const controller = new AbortController();
  const opening = openLanguage({ signal: controller.signal });
  controller.abort(new Error('no longer wanted'));
  await assert.rejects(opening, /no longer wanted/);
  assert.equal(isLanguageOpen(), false);
});

test('progress comes stage by stage and before the answer', async () => {
  const language = await openLanguage();
  const stages: string[] = [];
  await language.run('call-analysis', small, { onProgress: ({ stage }) => stages.push(stage) });
  assert.deepEqual(stages, ['parsed', 'read', 'analysed']);
  await language.close();
});
