// Who asked what. A question mark is the evidence; without any in the call, the order of words is.
import type { Sentence } from '../language/english.ts';
import type { Question } from './analysis.ts';
import type { ReadTurn } from './conversation.ts';

const ASKERS = new Set('who whom whose what which when where why how'.split(' '));
const HELPERS = new Set(
  "do does did is are was were am have has had can could will would shall should may might 's 're 'd 'll".split(' '),
);
const LEAD_INS = new Set(
  'and so but okay ok well then now right great perfect good yeah yes no oh um uh ah hey also'.split(' '),
);
const SUBJECTS = new Set(
  'i you he she it we they this that there these those anyone anybody somebody someone anything your our the'.split(
    ' ',
  ),
);

// "My boss asked me, why do we pay for this?"
const REPORTED =
  /\b(?:ask(?:s|ed|ing)?|said|says|say|wonder(?:s|ed|ing)?|wrote|told)\b[^?]*?[,:“"]\s*(?:(?:so|and|but|then) )?(?:who|what|which|when|where|why|how|do|does|did|is|are|can|could|will|would)\b/i;
const RHETORICAL = /\b(?:who knows|who cares|what can you do|how should i know|why not|guess what|you know what)\?$/i;
// "Can I ask, what did you use it for?" asks all the same.
const ASKING_LEAVE = /\b(?:can|may|could|let) (?:i|me) (?:just )?ask\b|\bif i may ask\b/i;
// "So that's, what, six?": the speaker answers himself.
const SELF_CORRECTION = /,\s*what(?: was it| is it)?,/i;

/** Genuine questions of the call, one finding for each sentence that asks. */
export function findQuestions(turns: readonly ReadTurn[]): Question[] {
  const isPunctuated = turns.some((turn) => turn.text.includes('?'));
  const asks = isPunctuated ? asksByMark : asksByOrder;
  return turns.flatMap((turn) =>
    turn.sentences
      .filter(asks)
      .map((sentence) => ({ turn: turn.index, quote: sentence.text, speaker: turn.speaker, side: turn.side })),
  );
}

/** True when the sentence ends as a question and means it as one. */
export function asksByMark({ text }: Sentence): boolean {
  if (!/\?["”')]*$/.test(text)) return false;
  if (RHETORICAL.test(text) || (REPORTED.test(text) && !ASKING_LEAVE.test(text))) return false;
  return !(SELF_CORRECTION.test(text) && !/\b(?:you|your)\b/i.test(text));
}

/** "What do you use", "how many seats are there", "do you have": a helper verb before its subject. */
function asksByOrder({ tokens }: Sentence): boolean {
  const words = tokens.filter((token) => token.isWord).map((token) => token.lower);
  const at = words.findIndex((word) => !LEAD_INS.has(word));
  const [opener = '', ...rest] = words.slice(Math.max(at, 0));
  if (HELPERS.has(opener)) return SUBJECTS.has(rest[0] ?? '');
  const helper = rest.slice(0, 3).findIndex((word) => HELPERS.has(word));
  const isSubjectFirst = SUBJECTS.has(rest[0] ?? '');
  return ASKERS.has(opener) && helper !== -1 && !isSubjectFirst;
}
