// Real inputs out of the bundled calls, for the command line, demos and load: the tuning half only, which is no secret.
import { readdir, readFile } from 'node:fs/promises';
import type { CallAnalysisInput } from './call-analysis/input.ts';
import { parseTranscript } from './call-analysis/transcript.ts';
import type { InsightExtractionInput } from './insight-extraction/input.ts';

/** Inputs by agent type. */
export interface SampleInputs {
  'call-analysis': CallAnalysisInput;
  'insight-extraction': InsightExtractionInput;
}

/** The bundled calls as text, in the order of their file names. */
export async function sampleCalls(): Promise<CallAnalysisInput[]> {
  const calls = await readCalls();
  return calls.map(({ transcript }) => ({ transcript }));
}

/**
 * Inputs for one agent type: each bundled call for the call analysis; for the insight extraction each call's customer
 * turns as documents, with the customer turns of all other calls as history.
 */
export async function sampleInputs<Type extends keyof SampleInputs>(type: Type): Promise<SampleInputs[Type][]>;
export async function sampleInputs(type: keyof SampleInputs): Promise<SampleInputs[keyof SampleInputs][]> {
  if (type === 'call-analysis') return sampleCalls();
  const calls = (await readCalls()).map(({ name, transcript }) => customerTurns(name, transcript));
  return calls.map((documents, index) => ({
    documents,
    history: calls.flatMap((other, at) => (at === index ? [] : other)),
  }));
}

async function readCalls(): Promise<{ name: string; transcript: string }[]> {
  // Relative to src/ and dist/ alike.
  const folder = new URL('../data/calls/tuning/', import.meta.url);
  const files = (await readdir(folder)).filter((file) => file.endsWith('.txt')).toSorted();
  return Promise.all(
    files.map(async (file) => ({
      name: file.slice(0, -'.txt'.length),
      transcript: await readFile(new URL(file, folder), 'utf8'),
    })),
  );
}

function customerTurns(name: string, text: string): InsightExtractionInput['documents'] {
  const { date, turns } = parseTranscript(text);
  return turns.flatMap((turn, index) =>
    turn.side === 'customer' ? [{ id: `${name}#${index}`, text: turn.text, ...(date !== null && { date }) }] : [],
  );
}
