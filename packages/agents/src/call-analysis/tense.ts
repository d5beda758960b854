// Whether a date is spoken of as past: the verb that governs it decides, and it usually stands before it.
import type { Sentence, Token } from '../language/english.ts';

const PAST = new Set(
  `was were had did went came said told spoke met saw sent got happened started began opened closed bought sold paid signed
   gave took made left lost found heard read wrote called ran broke fell built brought kept knew shipped arrived launched
   installed failed crashed dropped moved joined ordered received asked submitted registered rejected filed promised`.split(
    /\s+/,
  ),
);
// Verbs of planning say nothing about when the planned thing is: "we talked about Monday" is about a Monday to come.
const PLANNING = new Set(
  'think thought talk talked plan planned hope hoped want wanted say said agree agreed discuss discussed mention mentioned aim aimed pencil penciled hear heard promise promised ask asked'.split(
    ' ',
  ),
);
const FUTURE = new Set(
  `will 'll wo shall going gonna would 'd should can ca need needs want wants must let might may have has is are 's 're 'm am
   meet meets run runs start starts begin begins end ends open opens close closes expire expires work works sit do does
   plan hope aim due until till`.split(/\s+/),
);
const PERFECT = new Set(["'ve", 'have', 'has', "'s"]);

// "Since March 2nd", "the invoice from January 31st".
const FROM_THE_PAST =
  /\b(?:since|(?:invoice|e?-?mail|ticket|letter|report|quote|offer|note|order|statement|message|outage|incident|bill|delivery|visit|post|article)s? (?:from|of|dated)) (?:the )?$/i;

export type Tense = 'past' | 'future';

/** Tense of the words around the offsets; null when they leave it open. "Future" includes the present. */
export function tenseAt(sentence: Sentence, start: number, end: number): Tense | null {
  if (/\b(last (week|month|year|quarter|time)|ago|back then|earlier this)\b/i.test(sentence.text)) return 'past';
  if (/\bby (the )?$/i.test(sentence.text.slice(0, start - sentence.start))) return 'future';
  if (FROM_THE_PAST.test(sentence.text.slice(0, start - sentence.start))) return 'past';
  const before = sentence.tokens.filter((token) => token.end <= start);
  const after = sentence.tokens.filter((token) => token.start >= end);
  return firstTense(before.toReversed(), sentence.tokens) ?? firstTense(after, sentence.tokens);
}

/** Tense of the first verb form on the way that has one. */
function firstTense(onTheWay: readonly Token[], all: readonly Token[]): Tense | null {
  for (const token of onTheWay) {
    if (PLANNING.has(token.lower) || isPlanningNext(token, all)) continue;
    if (FUTURE.has(token.lower)) {
      if (token.lower === "'d" && isParticipleNext(token, all)) continue;
      return 'future';
    }
    if (isPastForm(token, all)) return 'past';
  }
  return null;
}

function isPastForm(token: Token, all: readonly Token[]): boolean {
  const isKnown = PAST.has(token.lower);
  const isRegular = token.pos === 'VERB' && /[a-z]{2}ed$/.test(token.lower);
  if (!isKnown && !isRegular) return false;
  // "we've got", "get it signed", "will be started": a participle, its helper has the tense.
  const at = all.indexOf(token);
  const helpers = all.slice(Math.max(0, at - 3), at).map((helper) => helper.lower);
  if (token.lower === 'got' && PERFECT.has(helpers.at(-1) ?? '')) return false;
  return isKnown
    ? !helpers.some((helper) => ['get', 'be', 'will', "'ll", 'to'].includes(helper))
    : !helpers.some((helper) =>
        ['get', 'have', 'need', 'want', 'be', 'to', 'will', "'ll", 'is', 'are'].includes(helper),
      );
}

/** "I was thinking Thursday" is about a Thursday to come. */
function isPlanningNext(token: Token, all: readonly Token[]): boolean {
  const next = all[all.indexOf(token) + 1]?.lower ?? '';
  return (
    (token.lower === 'was' || token.lower === 'were') &&
    /^(?:thinking|hoping|planning|aiming|wondering|going)$/.test(next)
  );
}

function isParticipleNext(token: Token, all: readonly Token[]): boolean {
  return /(?:ed|en|been|had|gone)$/.test(all[all.indexOf(token) + 1]?.lower ?? '');
}
