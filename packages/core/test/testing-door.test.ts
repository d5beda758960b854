/** The tools that tests of agents are built with are themselves to be trusted. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { Agent } from '@sophia-ai/core';
import type { Call } from '@sophia-ai/core';
import { GatedFactory, ManualClock, lease, settle } from '@sophia-ai/core/testing';

import { agentClass, coded } from './support/agents.ts';

test('ManualClock stands still until it is advanced, and its dates are fixed', async () => {
  const clock = new ManualClock();
  assert.equal(clock.now(), 0);
  const wall = clock.wallTime();
  await settle();
  assert.equal(clock.now(), 0);
  await clock.advance(1_500);
  assert.equal(clock.now(), 1_500);
  assert.equal(clock.wallTime() - wall, 1_500);
});

test('ManualClock fires timers in the order of their times, equal ones in the order they were set', async () => {
  const clock = new ManualClock();
  const fired: string[] = [];
  clock.startTimer(() => fired.push(`c at ${clock.now()}`), 30);
  clock.startTimer(() => fired.push(`a at ${clock.now()}`), 10);
  clock.startTimer(() => fired.push(`b at ${clock.now()}`), 10);
  clock.startTimer(() => fired.push('never'), 10).cancel();
  clock.startTimer(() => fired.push('later'), 31);
  assert.equal(clock.pending, 4);
  await clock.advance(30);
  assert.deepEqual(fired, ['a at 10', 'b at 10', 'c at 30']);
  assert.equal(clock.pending, 1);
});

test('timers that timers set fire in the same advance when they fall due in it, promises settle in between', async () => {
  const clock = new ManualClock();
  const fired: number[] = [];
  const tick = (): void => {
    void Promise.resolve()
      .then(() => undefined)
      .then(() => {
        fired.push(clock.now());
        clock.startTimer(tick, 10);
      });
  };
  clock.startTimer(tick, 10);
  await clock.advance(35);
  assert.deepEqual(fired, [10, 20, 30]);
  assert.equal(clock.now(), 35);
});

test('holding counts the timers that would keep a process alive', () => {
  const clock = new ManualClock();
  const timer = clock.startTimer(() => undefined, 10);
  assert.equal(clock.holding, 0);
  timer.hold(true);
  assert.equal(clock.holding, 1);
  timer.hold(false);
  timer.cancel();
  assert.deepEqual([clock.holding, clock.pending], [0, 0]);
});

test('settle waits for chains of promises, and for those they make', async () => {
  let steps = 0;
  const chain = async (left: number): Promise<void> => {
    await Promise.resolve();
    steps += 1;
    if (left > 0) await chain(left - 1);
  };
  void chain(100);
  await settle();
  assert.equal(steps, 101);
});

test('GatedFactory lets one creation through at a time, in order, and keeps a ledger', async () => {
  const factory = new GatedFactory((index) => `thing ${index}`);
  const [first, second, third] = [factory.create(), factory.create(), factory.create()];
  assert.deepEqual([factory.started, factory.waiting], [3, 3]);
  await factory.open();
  assert.equal(await first, 'thing 0');
  const failure = new Error('no');
  await Promise.all([factory.fail(failure), assert.rejects(second, failure)]);
  await factory.open();
  assert.equal(await third, 'thing 1');
  factory.destroy('thing 0');
  assert.deepEqual([factory.created, factory.destroyed], [['thing 0', 'thing 1'], ['thing 0']]);
  await assert.rejects(factory.open(), /No creation waits/);
  await assert.rejects(factory.fail(failure), /No creation waits/);
});

class Support extends Agent<{ tenant: string }, { answer: string }, string, string, string> {
  static override readonly type: string = 'support';
  static create(): { answer: string } {
    assert.fail('create is not called');
  }
  static reset(): void {
    assert.fail('reset is not called');
  }
  static destroy(): void {
    assert.fail('destroy is not called: the resources belong to the test');
  }
  protected override async execute(question: string, call: Call<string>): Promise<string> {
    await call.emit('thinking');
    return `${this.config.tenant}/${question}: ${this.resources.answer}`;
  }
}

test('lease gives a real agent with the config and resources of the test', async () => {
  const agent = await lease(Support, { config: { tenant: 'acme' }, resources: { answer: '42' } });
  assert.ok(agent instanceof Support);
  assert.equal(await agent.run('why'), 'acme/why: 42');
  const events: string[] = [];
  for await (const event of agent.stream('why')) events.push(event);
  assert.deepEqual(events, ['thinking']);
  agent.release();
  await assert.rejects(agent.run('again'), coded('LEASE_RELEASED'));
  await settle();
});

test('two leases of one class have nothing in common', async () => {
  const [a, b] = await Promise.all([
    lease(Support, { config: { tenant: 'a' }, resources: { answer: '1' } }),
    lease(Support, { config: { tenant: 'b' }, resources: { answer: '2' } }),
  ]);
  using _a = a;
  using _b = b;
  assert.deepEqual([a.resources.answer, b.resources.answer], ['1', '2']);
});

test('lease checks the class as the pool does', async () => {
  await assert.rejects(
    lease(agentClass({ type: 'no good' }), { config: undefined, resources: { id: 1 } }),
    coded('TYPE_INVALID'),
  );
});
