/** A language model that follows a script instead of asking a provider: no key, no network, the same answer always. */

import { simulateReadableStream } from 'ai';
import type { LanguageModel } from 'ai';

type Model = Extract<LanguageModel, { specificationVersion: 'v4' }>;
type Call = Parameters<Model['doStream']>[0];
type Result = Awaited<ReturnType<Model['doStream']>>;
type Part = Result['stream'] extends ReadableStream<infer P> ? P : never;

const UNKNOWN = { total: undefined, noCache: undefined, cacheRead: undefined, cacheWrite: undefined };
const USAGE = { inputTokens: UNKNOWN, outputTokens: { total: undefined, text: undefined, reasoning: undefined } };

export class ScriptedModel implements Model {
  readonly specificationVersion = 'v4';
  readonly provider = 'scripted';
  readonly modelId = 'scripted';
  readonly supportedUrls = {};

  /** First step: look up the order that the question names. Second step: say what the tool found, word by word. */
  async doStream({ prompt }: Call): Promise<Result> {
    const [first, last] = [prompt[0], prompt.at(-1)];
    const found = last?.role === 'tool' ? last.content.find((part) => part.type === 'tool-result') : undefined;
    const chunks: Part[] = [];
    if (found === undefined) {
      const input = JSON.stringify({ orderId: /[A-Z]\d+/.exec(JSON.stringify(last?.content))?.[0] });
      chunks.push({ type: 'tool-call', toolCallId: 'call-1', toolName: 'lookUpOrder', input });
    } else {
      const answer = found.output.type === 'text' ? found.output.value : `The tool failed: ${found.output.type}.`;
      const words = `${first?.role === 'system' ? first.content : ''} ${answer}`.split(/(?<= )/);
      const deltas = words.map((delta): Part => ({ type: 'text-delta', id: 'text-1', delta }));
      chunks.push({ type: 'text-start', id: 'text-1' }, ...deltas, { type: 'text-end', id: 'text-1' });
    }
    const unified = found === undefined ? 'tool-calls' : 'stop';
    chunks.push({ type: 'finish', usage: USAGE, finishReason: { unified, raw: undefined } });
    return { stream: simulateReadableStream({ chunks, initialDelayInMs: null, chunkDelayInMs: null }) };
  }

  async doGenerate(): Promise<never> {
    throw new Error('This model only streams.');
  }
}
