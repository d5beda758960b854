// Where a promise may begin: subject and helper verb, firm, spoken by the speaker and not on a condition.
import type { Sentence, Token } from '../language/english.ts';
import type { ReadTurn } from './conversation.ts';
import { ROLE, SPOKEN_NAME, type People } from './people.ts';
import { asksByMark } from './questions.ts';

/** `i`: "I'll"; `we`: "we'll"; `other`: "Priya will"; `can`: "I can"; `let-me`; `receipt`: "you'll have". */
type HeadKind = 'i' | 'we' | 'other' | 'can' | 'let-me' | 'receipt';

export interface PromiseHead {
  readonly kind: HeadKind;
  /** Offset of the subject in the turn. */
  readonly start: number;
  /** Offset of the first verb after the helper and its adverbs. */
  readonly verbStart: number;
  /** The colleague who is the subject; null when the speaker is. */
  readonly person: string | null;
}

const ADVERB =
  '(?: (?:also|just|then|still|happily|gladly|definitely|certainly|absolutely|actually|personally|immediately|quickly|gonna|surely|simply))*';
const FIRM = "(?:'ll| will| shall|(?:'m| am|'re| are|'s| is) (?:\\w+ly )?(?:going to|gonna)| promise to| commit to)";
const FIRST = new RegExp(`\\b(I|we)${ADVERB}${FIRM}${ADVERB}(?= )`, 'gi');
const CAN = /\b(?:I|we) can(?: (?:also|just|then|definitely|certainly|absolutely|happily|gladly))?(?= )/gi;
const LET_ME = /\blet me(?: (?:just|also|go and|go))?(?= )/gi;
const RECEIPT =
  /\b(?:expect (?=it|that|them|an?|the|my|our)|you(?:'ll| will)(?: also| then)?(?= (?:have|get|see|receive|hear|find) ))|\b(?:it|that|they|those|this)(?:'ll| will)(?= be (?:in your|with you|on your|over to you|on its way))/gi;
const SENDING =
  /\b(?:I'm|I am|we're|we are)(?: just| also)?(?= (?:sending|emailing|forwarding|shipping|mailing) (?:you|it|that|this|them|over|the|a)\b)/gi;
// "Then I sign it and send it back": present tense for what comes next.
const PRESENT =
  /(?<=^(?:(?:okay|ok|good|fine|great|perfect),? )?then )I(?= (?:send|sign|forward|email|call|ask|book|order|write|return|fill|check) )/gi;
const APPOSITION = String.raw`(?:,[^,.?!]{2,50},| (?:from|in|on|of|at|over in|over at) (?:our |my |the )?[\w ]{2,30}?| here)?`;
const OTHER = new RegExp(
  `(?<![\\p{L}.])(${SPOKEN_NAME})${APPOSITION},?${ADVERB}(?:'ll| will|(?:'s| is) (?:going to|gonna))${ADVERB}(?= )`,
  'gu',
);
// A colleague without a name binds the one who speaks for them.
const UNNAMED = new RegExp(
  `\\b(?:my|our)(?: [\\w-]+){0,2} (?:${ROLE}|team|people|folks|guys|department|desk|secretary|brother|sister|son|daughter|husband|wife)${ADVERB}(?:'ll| will|(?:'s| is| are) (?:going to|gonna))${ADVERB}(?= )`,
  'gi',
);
const PRONOUN = new RegExp(`\\b(?:he|she)${ADVERB}(?:'ll| will|(?:'s| is) (?:going to|gonna))${ADVERB}(?= )`, 'gi');
const ELIDED =
  /^(?:(?:sure|yes|yeah|yep|okay|ok|great|perfect|and|so),? )?will(?= (?:send|get|email|forward|follow|check|share|book|schedule|set|put|call|draft|confirm)\b)/i;

/** Firm heads of one sentence, in order. */
export function findPromiseHeads(sentence: Sentence, turn: ReadTurn, people: People): PromiseHead[] {
  if (asksByMark(sentence) && !CONFIRMING_TAG.test(sentence.text)) return [];
  const text = sentence.text.replaceAll('’', "'");
  const heads: PromiseHead[] = [];
  const add = (kind: HeadKind, match: RegExpExecArray | RegExpMatchArray, person: string | null = null): void => {
    const from = match.index ?? 0;
    const verbStart = firstVerb(sentence, from + match[0].length);
    if (verbStart === null || !isFirm(text, from, verbStart - sentence.start)) return;
    heads.push({ kind, start: sentence.start + from, verbStart, person });
  };
  for (const match of text.matchAll(FIRST)) add(match[1]!.toLowerCase() === 'i' ? 'i' : 'we', match);
  for (const match of text.matchAll(SENDING)) add('i', match);
  for (const match of text.matchAll(ELIDED_ALL)) add('i', match);
  for (const match of text.matchAll(PRESENT)) add('i', match);
  for (const match of text.matchAll(CAN)) add('can', match);
  for (const match of text.matchAll(LET_ME)) add('let-me', match);
  for (const match of text.matchAll(RECEIPT)) add('receipt', match);
  for (const match of text.matchAll(OTHER)) {
    const person = people.resolve(match[1]!);
    if (person !== null && person !== turn.speaker) add('other', match, person);
  }
  for (const match of text.matchAll(UNNAMED)) add('other', match);
  for (const match of text.matchAll(PRONOUN)) {
    const person = lastNamed(turn, sentence, match.index, people);
    if (person !== null) add('other', match, person);
  }
  const ordered = heads.toSorted((left, right) => left.start - right.start);
  // "Luis from our team will" is one head, although "our team will" is in it.
  return ordered.filter((head, index) => ordered[index - 1]?.verbStart !== head.verbStart);
}

const ELIDED_ALL = new RegExp(ELIDED.source, 'gi');
// "I'll send it tomorrow, okay?" promises all the same.
const CONFIRMING_TAG =
  /,\s*(?:okay|ok|all right|alright|right|yeah|fair|deal|does that work|is that okay|if that's okay|sound good|sounds good)\?$/i;

const ASIDE = new Set(
  'also just then still happily gladly definitely certainly absolutely actually personally immediately quickly surely simply go ahead and be sure to happy glad'.split(
    ' ',
  ),
);

/** Offset of the verb that says what will be done; null at the end of the sentence. */
function firstVerb(sentence: Sentence, from: number): number | null {
  const tokens = sentence.tokens.filter((token) => token.start >= sentence.start + from && token.isWord);
  let at = 0;
  // "I'll go ahead and send" and "I'll be sure to send" promise the sending; a bare "go" or "be" keeps its own sense.
  if (/^(?:go ahead and|be sure to|be glad to|be happy to|make sure to|go and) /.test(wordsOf(tokens))) {
    while (tokens[at] !== undefined && ASIDE.has(tokens[at]!.lower)) at += 1;
  } else if (tokens[0]?.lower === 'be' && tokens[1]?.lower.endsWith('ing') === true) {
    at = 1;
  }
  return tokens[at]?.start ?? null;
}

function wordsOf(tokens: readonly Token[]): string {
  return tokens.map((token) => token.lower).join(' ');
}

const HEDGED =
  /\b(?:maybe|perhaps|probably|possibly|hopefully|might|i think|i guess|i suppose|i hope|i bet|i'm not sure|i doubt|ideally|in theory)\b/i;
const REPORTED =
  /\b(?:said|says|say|saying|told \w+|tell \w+|thought|thinks?|means?|meant|guess|until|till|unless|where|what|how|why|who|than|like|whatever|wherever|whether|everything|anything|all|hope)(?: that)? $/i;
const NEGATED = /\b(?:not|never|no longer)$|^ (?:not|never|probably|maybe|try|hopefully|likely)\b/i;
const POLITE_IF =
  /\bif (?:(?:that|it|this)(?:'s| is| would be)? (?:works?|helps?|okay|ok|fine|all right|alright|useful|easier|good|suits?)|you don't mind|i may|that's okay)/i;
// Verbs after which "if" means "whether".
const ASKING =
  /\b(?:check|ask|see|find out|know|confirm|verify|tell|test|look|hear|clarify|figure out|determine)\b[^,.;]*$/i;
const OPENING_IF = /\b(?:if|assuming|provided|in case|suppose|supposing|should you|were you)\b/i;

/** No hedge, no condition, no negation, no other person's words around the head. */
function isFirm(text: string, start: number, verbStart: number): boolean {
  const before = text.slice(0, start);
  const after = text.slice(verbStart);
  const clause = before.slice(Math.max(before.lastIndexOf(','), before.lastIndexOf(';'), before.lastIndexOf('—')) + 1);
  if (HEDGED.test(clause) || REPORTED.test(before) || NEGATED.test(text.slice(start, verbStart).trimEnd()))
    return false;
  if (/^(?:not|never|probably|maybe|hopefully|likely|try)\b/i.test(after)) return false;
  if (isQuoted(before)) return false;
  const opening = OPENING_IF.exec(before);
  if (opening !== null && !POLITE_IF.test(before.slice(opening.index)) && !ASKING.test(before.slice(0, opening.index)))
    return false;
  const trailing = /(?:,? )\b(?:if|unless|assuming|provided)\b/i.exec(after);
  if (trailing === null) return true;
  return POLITE_IF.test(after.slice(trailing.index)) || ASKING.test(after.slice(0, trailing.index));
}

function isQuoted(before: string): boolean {
  return (before.match(/["“”]/g)?.length ?? 0) % 2 === 1;
}

// A pronoun does not reach back further than this many characters.
const NEARBY = 1000;

/** The colleague that "he" or "she" refers to: the last person named in the turn who does not speak it. */
function lastNamed(turn: ReadTurn, sentence: Sentence, at: number, people: People): string | null {
  const end = sentence.start + at;
  const before = turn.text.slice(Math.max(0, end - NEARBY), end);
  const names = [...before.matchAll(new RegExp(`(?<![\\p{L}.])${SPOKEN_NAME}`, 'gu'))];
  for (const [name] of names.toReversed()) {
    const person = people.resolve(name) ?? people.resolve(name.split(' ')[0]!);
    if (person !== null) return person === turn.speaker ? null : person;
  }
  return null;
}
