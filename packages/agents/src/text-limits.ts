// What both agents accept as text. The limits keep one input from holding a worker for minutes.
import { InputProblem } from './input-problem.ts';

/** Most text one input may carry, in bytes of UTF-8: 5 MB. */
export const MAX_INPUT_BYTES = 5_000_000;

/** Throws an `InputProblem` when the texts together exceed the limit. Cheap enough for the main thread. */
export function assertSize(texts: Iterable<string>, field: string): void {
  let bytes = 0;
  for (const text of texts) bytes += Buffer.byteLength(text);
  if (bytes <= MAX_INPUT_BYTES) return;
  const megabytes = (bytes / 1e6).toFixed(1);
  throw new InputProblem(
    `The input holds ${megabytes} MB of text; the limit is ${MAX_INPUT_BYTES / 1e6} MB. Split it and send the parts one by one.`,
    field,
  );
}

// Tab, line feed and carriage return are text; every other control character, NUL first of all, means a binary file.
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/;

/** Throws an `InputProblem` when the text holds control characters, as a PDF, a Word file or UTF-16 would. */
export function assertPlainText(text: string, field: string): void {
  const at = text.search(CONTROL);
  if (at === -1) return;
  const code = text.charCodeAt(at).toString(16).padStart(4, '0').toUpperCase();
  throw new InputProblem(
    `The text holds the control character U+${code} at position ${at}, so it looks like a binary file or another encoding. Send plain text in UTF-8.`,
    field,
  );
}
