import assert from 'node:assert/strict';
import test from 'node:test';
import { AgnoPerformanceOptimizer } from '@sophia-ai/core';
import {
  CallAnalysisAgent,
  InsightExtractionAgent,
  sampleCalls,
  sampleInputs,
  type CallAnalysisInput,
  type Progress,
} from '@sophia-ai/agents';
import { isLanguageOpen } from '../src/language/language.ts';

async function firstCall(): Promise<CallAnalysisInput> {
  const [input] = await sampleCalls();
  assert.ok(input);
  return input;
}

test('both agents run their examples out of the pool, and closing it ends the threads', async () => {
  const optimizer = new AgnoPerformanceOptimizer();
  const calls = await optimizer.pooled(CallAnalysisAgent, {});
  for (const { input } of CallAnalysisAgent.examples) assert.ok((await calls.run(input)).commitments.length >= 1);
  const insights = await optimizer.pooled(InsightExtractionAgent, {});
  for (const { input } of InsightExtractionAgent.examples) {
    const { keyPhrases, themes } = await insights.run(input);
    assert.ok(keyPhrases.some(({ phrase }) => phrase === 'nightly export'));
    assert.ok(themes.length >= 1);
  }
  calls.release();
  insights.release();
  assert.equal(isLanguageOpen(), true);
  await optimizer.close();
  assert.equal(isLanguageOpen(), false);
});

test('warm, footprint and the schemas of the class work on what create made', async () => {
  for (const agentClass of [CallAnalysisAgent, InsightExtractionAgent]) {
    const language = await agentClass.create({
      key: undefined,
      signal: new AbortController().signal,
      retire: () => undefined,
      log: () => {},
    });
    await agentClass.warm(language);
    assert.ok((await agentClass.footprint(language)) > 20e6);
    await agentClass.destroy(language);
    for (const { input } of agentClass.examples)
      assert.ok('value' in (await agentClass.input['~standard'].validate(input)));
  }
});

test('a stream tells the stages and ends with the result', async () => {
  const optimizer = new AgnoPerformanceOptimizer();
  const agent = await optimizer.pooled(CallAnalysisAgent, {});
  const input = await firstCall();
  const stream = agent.stream(input);
  const stages: string[] = [];
  for await (const { stage } of stream as AsyncIterable<Progress>) stages.push(stage);
  assert.deepEqual(stages, ['parsed', 'read', 'analysed']);
  agent.release();
  await optimizer.close();
});

test('an aborted run rejects and the agent goes on serving', async () => {
  const optimizer = new AgnoPerformanceOptimizer();
  const agent = await optimizer.pooled(CallAnalysisAgent, {});
  const input = await firstCall();
  const controller = new AbortController();
  const run = agent.run(input, { signal: controller.signal });
  controller.abort();
  await assert.rejects(run, { code: 'RUN_ABORTED' });
  assert.equal((await agent.run(input)).title, 'Discovery with Brightwater Dental');
  agent.release();
  await optimizer.close();
});

test('the default currency of the borrower decides what a bare grand is', async () => {
  const optimizer = new AgnoPerformanceOptimizer();
  const agent = await optimizer.pooled(CallAnalysisAgent, { defaultCurrency: 'GBP' });
  const { money } = await agent.run({ transcript: 'Ann: It costs forty grand.' });
  assert.deepEqual(
    money.map(({ amount, currency }) => [amount, currency]),
    [[40_000, 'GBP']],
  );
  agent.release();
  await optimizer.close();
});

test('the samples are inputs that the agents accept', async () => {
  const calls = await sampleInputs('call-analysis');
  const insights = await sampleInputs('insight-extraction');
  assert.equal(calls.length, 12);
  assert.equal(insights.length, 12);
  for (const input of calls) assert.ok('value' in (await CallAnalysisAgent.input['~standard'].validate(input)));
  for (const input of insights) assert.ok('value' in (await InsightExtractionAgent.input['~standard'].validate(input)));
});
