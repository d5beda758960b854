// Mood of a sentence: the model's own score, mixed with words of business talk that it does not know, negation reversing them.
import type { Sentence } from './english.ts';

const POSITIVE = new Set(
  `great good perfect excellent fantastic awesome amazing wonderful lovely brilliant super love like enjoy happy glad pleased impressed
   excited comfortable confident easy simple smooth quick fast reliable helpful useful clear clean fair reasonable affordable worth win
   benefit save improve better best solid strong thank thanks appreciate welcome agree works valuable`.split(/\s+/),
);
const NEGATIVE = new Set(
  `bad poor terrible awful horrible worst worse hate dislike unhappy disappointed frustrated frustrating annoying annoyed angry upset worried
   worry concern concerned nervous afraid scared expensive steep pricey overpriced costly slow broken crash bug buggy error fail failure
   failed problem issue trouble difficult hard painful pain complicated confusing confused clunky messy mess nightmare useless waste wasted
   lose lost loss missing late delay delayed stuck cancel cancelled churn complaint complain unreliable unacceptable impossible tight
   sorry unfortunately risk risky doubt ridiculous wrong hurt leak outage down`.split(/\s+/),
);
const STRONG = new Set('very really so extremely incredibly absolutely totally completely super too'.split(' '));
// Polite uses that carry no mood.
const IDIOM =
  /\b(?:no problem|not a problem|no worries|hard to say|good (?:morning|afternoon|evening)|sounds? like|like to|would like|'d like|feels? like|looks? like|something like|is there any (?:issue|problem)|good (?:luck|question))\b/gi;

/** Mood of one sentence, −1 to 1; 0 when nothing in it carries one. */
export function sentimentOf(sentence: Sentence): number {
  const idioms = [...sentence.text.matchAll(IDIOM)].map((match) => ({
    start: sentence.start + match.index,
    end: sentence.start + match.index + match[0].length,
  }));
  let score = 0;
  for (const [index, token] of sentence.tokens.entries()) {
    const value =
      POSITIVE.has(token.lower) || POSITIVE.has(token.lemma)
        ? 1
        : NEGATIVE.has(token.lower) || NEGATIVE.has(token.lemma)
          ? -1
          : 0;
    if (value === 0 || idioms.some(({ start, end }) => token.start >= start && token.end <= end)) continue;
    // "like" as a preposition compares; only the verb is warm.
    if (token.lower === 'like' && token.pos !== 'VERB') continue;
    const weight = STRONG.has(sentence.tokens[index - 1]?.lower ?? '') ? 1.5 : 1;
    // "not great" is milder than "bad", "not bad" milder than "good".
    score += token.isNegated ? -0.6 * value * weight : value * weight;
  }
  // tanh keeps a pile of strong words within −1 to 1.
  const lexical = Math.tanh(score / 2);
  if (idioms.length > 0) return lexical;
  return score === 0 ? 0.5 * sentence.sentiment : 0.7 * lexical + 0.3 * sentence.sentiment;
}

/** Mood of several sentences, each weighing by its length; 0 for none. */
export function sentimentOfAll(sentences: readonly Sentence[]): number {
  let sum = 0;
  let length = 0;
  for (const sentence of sentences) {
    const mood = sentimentOf(sentence);
    // A sentence without mood dilutes the others only a little: most of any call is plain matter.
    const weight = mood === 0 ? 0.25 * sentence.tokens.length : sentence.tokens.length;
    sum += mood * weight;
    length += weight;
  }
  return length === 0 ? 0 : sum / length;
}
