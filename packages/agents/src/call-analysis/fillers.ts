// Words that fill a pause. Only uses that cannot mean anything else are counted: "you know" between commas, not "you know Tom".
import type { Filler } from './analysis.ts';
import type { ReadTurn } from './conversation.ts';

const SOUNDS = /(?<![\p{L}'])(?:u+m+|u+h+|e+r+m?|h+m+|m{2,}|a+h+)(?![\p{L}'-])/giu;
const PHRASES =
  /(?<=^|[,.;—–-]\s*)(?:you know|i mean|like|sort of|kind of|basically|let's say)(?=\s*[,;—–])|(?<=,\s)(?:you know|i mean)(?=[.?!]|$)/gi;

export function findFillers(turns: readonly ReadTurn[]): Filler[] {
  return turns.flatMap((turn) =>
    turn.sentences.flatMap((sentence) =>
      [...sentence.text.matchAll(SOUNDS), ...sentence.text.matchAll(PHRASES)]
        .toSorted((left, right) => left.index - right.index)
        .map((match) => ({
          turn: turn.index,
          quote: sentence.text,
          speaker: turn.speaker,
          filler: match[0].toLowerCase(),
        })),
    ),
  );
}
