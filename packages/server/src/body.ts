/** Reads the body of a run: JSON only, capped in size and depth while it arrives, without keys that touch prototypes. */

import { ServerError, quoted } from './errors.ts';
import { JsonDepth } from './json-depth.ts';

/** Room for an input of 5 MB, whose own limit the agent states better than we could, and its JSON escapes. */
export const DEFAULT_MAX_BODY_BYTES: number = 6 * 2 ** 20;
const MAX_DEPTH = 64;

export interface RunBody {
  readonly input: unknown;
  readonly config: unknown;
}

/** @throws ServerError CONTENT_TYPE_UNSUPPORTED, BODY_TOO_LARGE, BODY_TOO_DEEP, BODY_INVALID */
export async function readRunBody(request: Request, maxBytes: number): Promise<RunBody> {
  checkContentType(request.headers);
  const body = parse(await readText(request, maxBytes));
  const shape = 'Send { "input": … } and, if the agent takes one, "config": ….';
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new ServerError('BODY_INVALID', `The body is JSON, but not an object. ${shape}`);
  }
  const unknown = Object.keys(body).find((key) => key !== 'input' && key !== 'config');
  if (unknown !== undefined)
    throw new ServerError('BODY_INVALID', `The body has an unknown key ${quoted(unknown)}. ${shape}`);
  if (!Object.hasOwn(body, 'input')) throw new ServerError('BODY_INVALID', `The body has no "input". ${shape}`);
  return { config: undefined, ...(body as { input: unknown }) };
}

/** Plain JSON only: forms and text are what a page of another site can send without asking. */
function checkContentType(headers: Headers): void {
  const type = headers.get('content-type') ?? '';
  const encoding = headers.get('content-encoding') ?? 'identity';
  if (/^application\/json(?:\s*;\s*charset="?utf-8"?)?$/i.test(type) && encoding === 'identity') return;
  const given = encoding === 'identity' ? `Content-Type: ${quoted(type)}` : `Content-Encoding: ${quoted(encoding)}`;
  throw new ServerError(
    'CONTENT_TYPE_UNSUPPORTED',
    `The body was declared with ${given}. Send uncompressed JSON with the header Content-Type: application/json.`,
    { headers: { Accept: 'application/json' } },
  );
}

async function readText(request: Request, maxBytes: number): Promise<string> {
  const tooLarge = (): ServerError =>
    new ServerError('BODY_TOO_LARGE', `The body is larger than ${maxBytes} bytes. Send less, or split the input.`);
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge();
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const depth = new JsonDepth();
  let size = 0;
  let text = '';
  try {
    // Leaving the loop cancels the stream, so that nothing more of a refused body is read.
    for await (const bytes of request.body ?? []) {
      size += bytes.byteLength;
      if (size > maxBytes) throw tooLarge();
      depth.feed(bytes);
      if (depth.deepest > MAX_DEPTH) {
        throw new ServerError(
          'BODY_TOO_DEEP',
          `The JSON is nested more than ${MAX_DEPTH} levels deep. Send it flatter.`,
        );
      }
      text += decoder.decode(bytes, { stream: true });
    }
    return text + decoder.decode();
  } catch (error) {
    if (error instanceof ServerError) throw error;
    const why = error instanceof TypeError && size > 0 ? 'is not valid UTF-8' : 'ended before it was complete';
    throw new ServerError('BODY_INVALID', `The body ${why}. Send the whole JSON as UTF-8.`, { cause: error });
  }
}

function parse(text: string): unknown {
  if (text === '') throw new ServerError('BODY_INVALID', 'The body is empty. Send { "input": … } as JSON.');
  // Walking every value costs more than parsing it, so only text that may hold such a key is walked.
  const mayTouchPrototypes = /__proto__|\\u005f/i.test(text);
  try {
    return JSON.parse(text, mayTouchPrototypes ? refusePrototype : undefined);
  } catch (error) {
    if (error instanceof ServerError) throw error;
    // The parser's message quotes the body around the fault, which helps its sender and nobody else sees.
    throw new ServerError(
      'BODY_INVALID',
      `The body is not JSON: ${(error as Error).message}. Correct it and send it again.`,
      {
        cause: error,
      },
    );
  }
}

function refusePrototype(key: string, value: unknown): unknown {
  if (key !== '__proto__') return value;
  throw new ServerError('BODY_INVALID', 'The body has a key "__proto__", which no agent takes. Remove it.');
}
