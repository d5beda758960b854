/**
 * One probe of one pool, in a process of its own: a pool that starves the event loop or throws into nowhere hurts
 * nobody else. Started by run.ts; by hand: `node --conditions=@sophia-ai/source tools/conformance/probe-process.ts tarn order`.
 */

import { CONTENDERS } from './contenders.ts';
import { fails } from './probe.ts';
import type { Finding } from './probe.ts';
import { PROBES } from './probes.ts';
import { textOf } from './settle.ts';

const [name, id] = process.argv.slice(2);
const contender = CONTENDERS.find((one) => one.name === name);
const probe = PROBES.find((one) => one.id === id);
if (contender === undefined || probe === undefined) {
  throw new Error(
    `Usage: probe-process.ts <pool> <probe>. Pools: ${CONTENDERS.map((one) => one.name).join(', ')}. Probes: ${PROBES.map((one) => one.id).join(', ')}.`,
  );
}

/** What nobody handles ends a Node process: no pool may cause that. */
const unhandled: unknown[] = [];
process.on('uncaughtException', (error) => unhandled.push(error));
process.on('unhandledRejection', (error) => unhandled.push(error));

let finding: Finding;
try {
  finding = await probe.run(contender);
} catch (error) {
  finding = fails(`the probe was cut short: ${textOf(error)}`);
}
if (unhandled.length > 0) {
  finding = fails(`${finding.detail}; an error that nobody can catch, which would end the process`);
}
if (process.send === undefined) {
  console.log(finding, unhandled);
  process.exit();
}
process.send(finding, () => process.exit());
