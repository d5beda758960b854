// Who bound whom to what until when. A promise is a subject, a firm helper verb ("I'll", "Priya's going to") and a deed.
import type { Sentence, Token } from '../language/english.ts';
import type { Commitment } from './analysis.ts';
import type { ReadTurn } from './conversation.ts';
import { findDays } from './dates.ts';
import { findDueDay } from './due-day.ts';
import { toIso } from '../iso-day.ts';
import { findPeople, SPOKEN_NAME, type People } from './people.ts';
import { findPromiseHeads, type PromiseHead } from './promise-heads.ts';
import { isDeed, isLaterWork, isService, type Deed } from './promise-verbs.ts';
import { acceptsRequest } from './requests.ts';

// Times of day and short spans: no day that could be due, yet a sign that the deed is meant.
const TIME =
  /\b(?:today|tonight|tomorrow|this (?:morning|afternoon|evening|week)|next week|in (?:an|one|two|three|half an|a few) hours?|shortly|right (?:after|away|now)|straight away|first thing|end of (?:the )?day|eod|as soon as|immediately|after (?:this|the|our) call)\b/i;

interface Vow {
  owner: string;
  sentence: Sentence;
  /** Offsets in the turn of the words that make the promise. */
  start: number;
  end: number;
  due: number | null;
  /** "I'll also …" is a second deed. */
  isFurther: boolean;
  /** "I'll ask him" prepares what follows, and "you'll have it" repeats what went before. */
  isPart: boolean;
}

/** Every commitment of the call, in order. */
export function findCommitments(turns: readonly ReadTurn[], callDay: number | null): Commitment[] {
  const people = findPeople(turns);
  return turns.flatMap((turn, index) => {
    const promises = turn.sentences.flatMap((sentence) => promisesOf(sentence, turn, people, callDay));
    const accepted = acceptsRequest(turn, turns[index - 1]);
    if (accepted !== null) promises.unshift(toAcceptance(accepted, turn, callDay));
    return joinPromises(promises).map((promise) => ({
      turn: turn.index,
      quote: turn.text.slice(promise.start, promise.end),
      speaker: turn.speaker,
      owner: promise.owner,
      due: promise.due === null ? null : toIso(promise.due),
    }));
  });
}

function toAcceptance(sentence: Sentence, turn: ReadTurn, callDay: number | null): Vow {
  const due = findDueDay(sentence, sentence.start, sentence.end, findDays(sentence, callDay));
  return {
    owner: turn.speaker,
    sentence,
    start: sentence.start,
    end: endOfWords(sentence, sentence.end),
    due,
    isFurther: false,
    isPart: true,
  };
}

function promisesOf(sentence: Sentence, turn: ReadTurn, people: People, callDay: number | null): Vow[] {
  const heads = findPromiseHeads(sentence, turn, people);
  if (heads.length === 0) return [];
  const days = findDays(sentence, callDay);
  return heads.flatMap((head, index): Vow[] => {
    const end = heads[index + 1]?.start ?? sentence.end;
    const due = findDueDay(sentence, head.start, end, days);
    const hasTime = due !== null || TIME.test(textOf(sentence, head.verbStart, end));
    const helper = findHelper(head, sentence, people);
    if (helper === null && !isKept(head, sentence, end, hasTime)) return [];
    return [
      {
        owner: head.person ?? helper ?? turn.speaker,
        sentence,
        start: head.start,
        end: endOfWords(sentence, end),
        due,
        isFurther: /\balso\b/i.test(textOf(sentence, head.start, head.verbStart + 6)),
        isPart:
          head.kind === 'receipt' ||
          head.kind === 'let-me' ||
          PREPARING.test(textOf(sentence, head.verbStart, sentence.end)),
      },
    ];
  });
}

/** True when one of the deeds after the head is concrete: "I'll think about it and call you" is kept for the call. */
function isKept(head: PromiseHead, sentence: Sentence, end: number, hasTime: boolean): boolean {
  if (head.kind === 'receipt') return isReceipt(textOf(sentence, head.verbStart, end), hasTime);
  if (head.kind === 'let-me') return isLaterWork(textOf(sentence, head.verbStart, end));
  const deeds = deedsOf(head, sentence, end, hasTime);
  if (head.kind === 'can') return deeds.some(isService);
  // "We'll think about it and get back to you" binds to nothing yet.
  if (!hasTime && deeds.some(({ verb }) => verb === 'think' || verb === 'see')) return false;
  return deeds.some((deed) => isDeed(deed) && (head.kind === 'i' || isTowardsOther(deed)));
}

/** "We'll …" and "Priya will …" bind only when they serve somebody or name a day; else they tell of plans. */
function isTowardsOther({ after, hasTime }: Deed): boolean {
  return hasTime || /\b(?:you|your|both of you|everyone)\b/.test(after);
}

/** "You'll have it": a promise when it comes from the speaker or by a time. */
function isReceipt(words: string, hasTime: boolean): boolean {
  if (/\bfrom (?:me|us)\b|^be /i.test(words)) return true;
  return (
    hasTime && !/^(?:have|see|get) (?:\w+ )?(?:to|no|access|questions?|problems?|trouble|plenty|time)\b/i.test(words)
  );
}

/** The verb after the head and those joined to it by "and", each with the words that follow it. */
function deedsOf(head: PromiseHead, sentence: Sentence, end: number, hasTime: boolean): Deed[] {
  const tokens = sentence.tokens.filter((token) => token.start >= head.verbStart && token.start < end);
  const verbs = tokens.filter((token, index) => index === 0 || isJoinedVerb(token, tokens[index - 1]));
  return verbs.map((verb, index) => {
    const stop = verbs[index + 1]?.start ?? end;
    const after = textOf(sentence, verb.end, stop)
      .replace(/\s+(?:and|,)\s*$/, '')
      .replace(/[.,;:!?]+$/, '');
    return {
      verb: baseForm(verb),
      after: after.toLowerCase().replaceAll('’', "'").trim(),
      hasTime,
    };
  });
}

function isJoinedVerb(token: Token, previous: Token | undefined): boolean {
  return (
    (previous?.lower === 'and' || previous?.lower === 'then') &&
    token.pos === 'VERB' &&
    !/(?:ed|ing)$/.test(token.lower)
  );
}

/** Base form of the verb; the model's lemma, but for words it takes for something else. */
function baseForm(token: Token): string {
  return token.pos === 'VERB' || token.pos === 'AUX' ? token.lemma : token.lower;
}

const PREPARING =
  /^(?:ask|talk|speak|check|look|find|pull|get|have|draft|prepare|write|put|meet|raise|take|discuss|dig|verify|confirm)\b/i;

const HELPER = new RegExp(`^(?:have|get) (${SPOKEN_NAME})(?:,[^,]+,| (?:from|in|on) [\\w ]+?)? (?:to )?\\p{Ll}`, 'u');

// "You'll get the login from Dana".
const GIVER = new RegExp(`\\bfrom (${SPOKEN_NAME})(?![\\p{L}'])`, 'u');

/** The colleague who will do it: "I'll have Ravi check" binds Ravi, while "I'll have our analyst check" binds the speaker. */
function findHelper(head: PromiseHead, sentence: Sentence, people: People): string | null {
  const words = textOf(sentence, head.verbStart, sentence.end);
  const named = (head.kind === 'receipt' ? GIVER : HELPER).exec(words)?.[1];
  return named === undefined ? null : people.resolve(named);
}

/** A speaker's promises in one turn are parts of one, unless they are said to be further or have days of their own. */
function joinPromises(promises: readonly Vow[]): Vow[] {
  const joined: Vow[] = [];
  for (const promise of promises) {
    const same = joined.findLast((earlier) => earlier.owner === promise.owner);
    if (same === undefined || promise.isFurther || isApart(same, promise)) {
      joined.push({ ...promise });
    } else {
      same.due ??= promise.due;
      same.isPart &&= promise.isPart;
      if (same.sentence === promise.sentence) same.end = Math.max(same.end, promise.end);
    }
  }
  return joined;
}

function isApart(earlier: Vow, later: Vow): boolean {
  if (earlier.isPart || later.isPart) return false;
  return earlier.due !== null && later.due !== null && earlier.due !== later.due;
}

/** End of the words before `end`, without closing marks and the "and" that leads on. */
function endOfWords(sentence: Sentence, end: number): number {
  const words = textOf(sentence, sentence.start, end);
  return sentence.start + words.replace(/[.!?…,;\s]+(?:(?:and|but|so|then)\s+)?$/, '').length;
}

function textOf(sentence: Sentence, start: number, end: number): string {
  return sentence.text.slice(start - sentence.start, end - sentence.start);
}
