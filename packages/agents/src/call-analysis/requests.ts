// A request of one turn and its plain acceptance in the next: "Could you send me the form?" — "Sure, will do."
import type { Sentence } from '../language/english.ts';
import type { ReadTurn } from './conversation.ts';

const ASKED =
  /\b(?:can|could|would|will) (?:you|somebody|someone|one of you|your \w+|\p{Lu}\p{Ll}+)(?: (?:also|please|maybe|just|possibly|perhaps|two|both|guys|all|quickly))* (\p{Ll}+)|\bplease (\p{Ll}+)|\bi(?:'d)? need you to (\p{Ll}+)|\bwould you mind (\p{Ll}+)ing\b|(?:^|[,.] |\band |\bjust |\bthen )(send|email|forward|share|get|give) (?:me|us|him|her|them)\b/iu;
// Asked for within the call: seeing, hearing, telling.
const WITHIN_CALL = new Set(
  'hear see say tell imagine think guess remember believe explain describe repeat walk talk hold wait be live do know help have consider show give speak go let keep make'.split(
    ' ',
  ),
);
const DELIVERED =
  /\b(?:send|email|forward|share|copy|details|number|list|contact|numbers|names?|figures?|documents?|file)\b/i;

const YES = String.raw`(?:sure|yes|yeah|yep|yup|absolutely|of course|certainly|definitely|okay|ok|right|no problem|fine|happy to|gladly|with pleasure|oh|ha|all right|alright|great|perfect|good|thanks)`;
const TAKEN_ON = new RegExp(
  String.raw`^(?:${YES}[,.!—– ]+)*(?:(?:i |we )?(?:will|can) do(?: (?:that|it|so))?|(?:i|we) (?:can|will)(?=[,.!]|$)|i can (?!'?t)\p{Ll}+ (?:that|it|them|those)|consider it done|leave (?:it|that) with me|on it|i'm on it|you got it|you've got it|count on it|gladly|with pleasure|happy to|glad to|that's no problem|not a problem)(?: for you| for sure|, no problem|, sure|, of course|, \p{Lu}\p{Ll}+)?(?:[,.!—– ]|$)`,
  'iu',
);
const ALWAYS = /\b(?:leave (?:it|that) with me|consider it done)\b/i;

/** The sentence that accepts a request of the turn before; null when there is none. */
export function acceptsRequest(turn: ReadTurn, before: ReadTurn | undefined): Sentence | null {
  const opening = turn.sentences.slice(0, 3);
  const accepting = opening.find(
    (sentence) => !sentence.text.endsWith('?') && TAKEN_ON.test(sentence.text.replaceAll('’', "'")),
  );
  if (accepting === undefined) return null;
  if (ALWAYS.test(accepting.text)) return accepting;
  return before !== undefined && before.speaker !== turn.speaker && requests(before) ? accepting : null;
}

/** True when the turn asks for a deed to be done after the call. */
function requests(turn: ReadTurn): boolean {
  return turn.sentences.some(({ text }) => {
    const match = ASKED.exec(text.replaceAll('’', "'"));
    if (match === null) return false;
    const verb =
      match
        .slice(1)
        .find((word) => word !== undefined)
        ?.toLowerCase() ?? '';
    return !WITHIN_CALL.has(verb) || DELIVERED.test(text);
  });
}
