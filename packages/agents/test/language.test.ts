import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { text } from 'node:stream/consumers';
import test from 'node:test';
import type { Worker } from 'node:worker_threads';
import { isLanguageOpen, openLanguage, type Language } from '../src/language/language.ts';
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

/** A share of new threads, and those threads; the process tells of each that starts. */
async function openWithThreads(): Promise<[Language, Worker[]]> {
  const started: Worker[] = [];
  const note = (worker: Worker): unknown => started.push(worker);
  process.on('worker', note);
  try {
    return [await openLanguage(), started];
  } finally {
    process.off('worker', note);
  }
}

/** Letters only, or the tokenizer would split it. */
const secretWord = (index: number): string =>
  `Zyqvu${index.toString(26).replaceAll(/\d/g, (digit) => 'qrstuvwxyz'[Number(digit)]!)}kumb`;
/** Spaces that do not break come through the tokenizer by a path of their own. */
const SECRET_SPACES = '\u00A0\u2003\u2009\u205F\u2002\u202F';

test('an idle thread holds nothing of the texts it has read', async () => {
  const [language, [thread]] = await openWithThreads();
  assert.ok(thread);
  const read = (index: number): Promise<unknown>[] => {
    const secret = secretWord(index);
    const line = `Ann: I'll send ${secret} and ${secret}-${secret}${SECRET_SPACES}x/${secret}, not $5.`;
    const documents = [{ id: secret, text: `The export of ${secret} fails.` }];
    return [
      language.run('call-analysis', { input: { transcript: line }, config: {} }, { onProgress: () => undefined }),
      language.run('insight-extraction', { input: { documents }, config: {} }),
      assert.rejects(language.run('call-analysis', { input: { transcript: line, date: secret }, config: {} })),
    ];
  };
  await Promise.all(Array.from({ length: 100 }, (_, index) => read(index)).flat());
  // One more task, so that the last of these has left the stack; the thread is held, for its pool lets idle ones go.
  await language.heapBytes();
  thread.ref();
  const heap = await text(await thread.getHeapSnapshot());
  assert.ok(heap.includes('neither'), 'words of the model are found');
  assert.deepEqual(heap.match(/zyqvu\w*/gi) ?? [], []);
  assert.ok(!heap.includes(SECRET_SPACES) && !heap.includes(JSON.stringify(SECRET_SPACES).slice(1, -1)));
  await language.close();
});

test('a thread does not grow with the reports of progress it has sent', async () => {
  const language = await openLanguage();
  const readMany = async (): Promise<number> => {
    for (let count = 0; count < 500; count += 1) {
      await language.run('call-analysis', small, { onProgress: () => undefined });
    }
    return (await language.heapBytes()) / language.threads;
  };
  const before = await readMany();
  const after = await readMany();
  assert.ok(after - before < 200_000, `${after - before} bytes more after 500 tasks`);
  await language.close();
});

test('a reader that forgets reads every text as a fresh one does, words that come again included', async () => {
  // Loaded late, for a test above looks whether this thread has the model.
  const { loadEnglish } = await import('../src/language/english.ts');
  const texts = [
    'Zorqing was kumbled by Xander-Yllip, and Qwerbly isn’t zorqable. Is it 47.11 qux/day?',
    'Kumbled zorqing: XANDER-YLLIP said qwerbly things at 08:17 on www.zorq.example. #qwerbly',
    'Zorqing was kumbled. He can zorq it, a kumble of qwerblies, e.g. qux/day.',
    'Plain words that everybody knows.',
    '',
  ];
  const fresh = texts.map((one) => loadEnglish().read(one));
  const english = loadEnglish();
  for (const order of [texts.keys(), texts.keys(), [2, 0, 1, 1, 4, 0, 2, 3]]) {
    for (const index of order) {
      assert.deepEqual(english.read(texts[index]!), fresh[index]);
      english.forget();
    }
  }
});

test('the vocabulary is what it was after loading whenever it has forgotten', async () => {
  const { Vocabulary } = await import('../src/language/vocabulary.ts');
  const { default: winkNLP } = await import('wink-nlp');
  const vocabulary = new Vocabulary();
  assert.equal(vocabulary.learnt, 0);
  const nlp = winkNLP(vocabulary.model, ['sbd', 'pos']);
  vocabulary.forget();
  for (let round = 0; round < 50; round += 1) {
    const words = Array.from({ length: 40 }, (_, index) => secretWord(40 * round + index));
    nlp.readDoc(`They met ${words.join(' and ')}.`);
    assert.equal(vocabulary.learnt, 80, 'each word, and each in lower case');
    vocabulary.forget();
    assert.equal(vocabulary.learnt, 0);
  }
});
