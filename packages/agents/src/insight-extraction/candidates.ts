// Candidate phrases of a sentence: runs of nouns with the adjectives before them, folded to one form.
import type { Sentence, Token } from '../language/english.ts';

export interface Candidate {
  /** The form that counts as the same phrase: lower case, last word in the singular. */
  readonly key: string;
  readonly text: string;
  readonly wordCount: number;
}

const LONGEST = 4;
// Nouns and adjectives of every text, which name nothing by themselves.
const EMPTY = new Set(
  `thing things something anything nothing everything way ways lot lots kind sort bit one ones time times day days week weeks month months
   year years today tomorrow yesterday morning afternoon evening night hour hours minute minutes monday tuesday wednesday thursday friday
   saturday sunday january february march april may june july august september october november december people person man men woman women
   guy guys everybody somebody anybody nobody part parts place places case cases point points number numbers side end fact idea reason
   question questions answer problem problems matter example instance course sense rest half couple number amount many much more most
   other others such same own few several last next first second third new old good great big small little long short high low able
   sure right wrong certain different whole full true real better best worse worst possible available important okay ok yeah yes no
   thanks thank please hello hi hey bye mr mrs ms dr um uh hm mm ha oh well just also even still now then here there today's`.split(
    /\s+/,
  ),
);
// "I'm" and "Tollgate's" are no names of anything.
const CONTRACTION = /['’](?:m|s|d|t|ll|re|ve)$/i;
const WORD = /^\p{L}[\p{L}\p{N}]*(?:['’&.-][\p{L}\p{N}]+)*$/u;

/** Every candidate of a sentence, longer ones and the shorter ones inside them. */
export function findCandidates(sentence: Sentence): Candidate[] {
  return runs(sentence.tokens).flatMap((run) => {
    const found: Candidate[] = [];
    for (let from = 0; from < run.length; from += 1) {
      for (let to = from + 1; to <= Math.min(run.length, from + LONGEST); to += 1) {
        const words = run.slice(from, to);
        if (isPhrase(words)) found.push(toCandidate(words));
      }
    }
    return found;
  });
}

/** Unbroken runs of words that may stand in a phrase. */
function runs(tokens: readonly Token[]): Token[][] {
  const found: Token[][] = [];
  let run: Token[] = [];
  let last: Token | undefined;
  for (const token of tokens) {
    // "Seventy-seventh Congress": half a hyphenated word names nothing.
    const isHalf = last?.text === '-' && last.end === token.start;
    const fits =
      !isHalf &&
      ['NOUN', 'PROPN', 'ADJ'].includes(token.pos) &&
      WORD.test(token.text) &&
      !CONTRACTION.test(token.text) &&
      token.text.length <= 40;
    // Only a space may stand between two words of a phrase.
    if (!fits || token.start > (last?.end ?? -1) + 1) {
      if (run.length > 0) found.push(run);
      run = [];
    }
    if (fits) run.push(token);
    last = token;
  }
  if (run.length > 0) found.push(run);
  return found;
}

function isPhrase(words: readonly Token[]): boolean {
  const [first, last] = [words[0], words.at(-1)];
  if (first === undefined || last === undefined || last.pos === 'ADJ') return false;
  if (words.some((word) => word.isStopWord || EMPTY.has(word.lower))) return false;
  return words.length > 1 || (last.text.length >= 3 && !EMPTY.has(last.lemma));
}

function toCandidate(words: readonly Token[]): Candidate {
  const last = words.at(-1)!;
  const key = [
    ...words.slice(0, -1).map((word) => word.lower),
    last.pos === 'NOUN' ? last.lemma : singular(last.lower),
  ].join(' ');
  return { key, text: words.map((word) => word.text).join(' '), wordCount: words.length };
}

function singular(word: string): string {
  return /[^s]s$/.test(word) && word.length > 3 ? word.slice(0, -1) : word;
}
