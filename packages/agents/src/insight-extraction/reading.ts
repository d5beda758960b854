// Documents read once: their sentences with the phrases in each, and nothing else kept, so that 5 MB of text stay small.
import type { English } from '../language/english.ts';
import { sentimentOf } from '../language/sentiment.ts';
import { assertPlainText } from '../text-limits.ts';
import { findCandidates } from './candidates.ts';
import type { DocumentInput } from './input.ts';

export interface ReadSentence {
  readonly document: number;
  readonly text: string;
  readonly wordCount: number;
  readonly sentiment: number;
  /** Keys of the candidate phrases, one for each occurrence. */
  readonly keys: readonly string[];
}

export interface PhraseCount {
  readonly key: string;
  readonly wordCount: number;
  count: number;
  readonly documents: Set<number>;
  /** Spellings and how often each occurs. */
  readonly spellings: Map<string, number>;
}

export interface Reading {
  readonly sentences: readonly ReadSentence[];
  readonly phrases: ReadonlyMap<string, PhraseCount>;
  readonly wordCount: number;
}

/** Reads the documents of one list. Throws `InputProblem` for binary text. */
export function readDocuments(english: English, documents: readonly DocumentInput[], field: string): Reading {
  const sentences: ReadSentence[] = [];
  const phrases = new Map<string, PhraseCount>();
  const seen = new Set<string>();
  let wordCount = 0;
  for (const [document, { text }] of documents.entries()) {
    assertPlainText(text, `${field}.${document}.text`);
    for (const sentence of paragraphs(text).flatMap((paragraph) => english.read(paragraph))) {
      // Signatures and footers come again and again word for word; they are evidence once.
      const candidates = seen.has(sentence.text) ? [] : findCandidates(sentence);
      seen.add(sentence.text);
      for (const candidate of candidates) count(phrases, candidate, document);
      const words = sentence.tokens.filter((token) => token.isWord).length;
      wordCount += words;
      sentences.push({
        document,
        text: sentence.text,
        wordCount: words,
        sentiment: sentimentOf(sentence),
        keys: candidates.map((candidate) => candidate.key),
      });
    }
  }
  return { sentences, phrases, wordCount };
}

/** Blank lines always end a sentence; long texts are also read in pieces the model can hold. */
function paragraphs(text: string): string[] {
  return text.split(/\r?\n\s*\r?\n/).filter((paragraph) => paragraph.trim() !== '');
}

function count(
  phrases: Map<string, PhraseCount>,
  candidate: ReturnType<typeof findCandidates>[number],
  document: number,
): void {
  let phrase = phrases.get(candidate.key);
  if (phrase === undefined) {
    phrase = {
      key: candidate.key,
      wordCount: candidate.wordCount,
      count: 0,
      documents: new Set(),
      spellings: new Map(),
    };
    phrases.set(candidate.key, phrase);
  }
  phrase.count += 1;
  phrase.documents.add(document);
  phrase.spellings.set(candidate.text, (phrase.spellings.get(candidate.text) ?? 0) + 1);
}

/** The commonest spelling; among equals the first one read. */
export function spellingOf(phrase: PhraseCount): string {
  let best = '';
  for (const [spelling, times] of phrase.spellings) if (times > (phrase.spellings.get(best) ?? 0)) best = spelling;
  return best;
}
