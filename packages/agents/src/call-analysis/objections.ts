// Reasons a customer gives against going on, by kind.
import type { Sentence } from '../language/english.ts';
import type { Objection } from './analysis.ts';
import type { ReadTurn } from './conversation.ts';
import { OBJECTION_RULES, type ObjectionRule } from './objection-rules.ts';

/** Objections of everybody but the seller's side. */
export function findObjections(turns: readonly ReadTurn[]): Objection[] {
  return turns
    .filter((turn) => turn.side !== 'rep')
    .flatMap((turn) =>
      OBJECTION_RULES.flatMap((rule): Objection[] => {
        const at = turn.sentences.findIndex((_, index) => objects(turn.sentences, index, rule));
        const sentence = turn.sentences[at];
        if (sentence === undefined) return [];
        return [{ turn: turn.index, quote: sentence.text, kind: rule.kind, speaker: turn.speaker }];
      }),
    );
}

function objects(
  sentences: readonly Sentence[],
  at: number,
  { outright, subject, against, unless }: ObjectionRule,
): boolean {
  const text = plain(sentences[at]);
  if (unless?.test(text) === true) return false;
  if (outright.test(text)) return true;
  if (subject === undefined || against?.test(text) !== true) return false;
  // "You quote $18,000. I don't see what we get for that.": what it is about may stand in the sentence before.
  return subject.test(text) || subject.test(plain(sentences[at - 1]));
}

function plain(sentence: Sentence | undefined): string {
  return sentence?.text.replaceAll('’', "'") ?? '';
}
