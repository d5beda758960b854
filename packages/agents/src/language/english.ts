// One reading of English text: sentences, tokens with part of speech, negation and offsets. Only workers and tests load it.
import winkNLP, { type ItsFunction } from 'wink-nlp';
import { Vocabulary } from './vocabulary.ts';

/** One token of a text; `start` and `end` are UTF-16 offsets into the text that was read. */
export interface Token {
  readonly text: string;
  /** Lower case, with typographic apostrophes made plain. */
  readonly lower: string;
  readonly lemma: string;
  /** Universal part-of-speech tag, such as `VERB` or `PROPN`. */
  readonly pos: string;
  readonly start: number;
  readonly end: number;
  /** True when a negation governs the token ("not great"). */
  readonly isNegated: boolean;
  /** True for words, false for punctuation, numbers and symbols. */
  readonly isWord: boolean;
  readonly isStopWord: boolean;
}

export interface Sentence {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly tokens: readonly Token[];
  /** The model's own sentiment of the sentence, −1 to 1. */
  readonly sentiment: number;
}

export interface English {
  /** Reads a text; offsets of the result refer to exactly this text. */
  read(text: string): Sentence[];
  /**
   * Makes the reader what it was after loading.
   * Unknown words are learnt from text to text, and change how the next one is read: call it between two callers.
   */
  forget(): void;
}

/** The readers of wink that are used here, as the plain functions they are; its own types take them for methods. */
interface Its {
  readonly value: ItsFunction<string>;
  readonly lemma: ItsFunction<string>;
  readonly pos: ItsFunction<string>;
  readonly type: ItsFunction<string>;
  readonly negationFlag: ItsFunction<boolean>;
  readonly stopWordFlag: ItsFunction<boolean>;
  readonly span: ItsFunction<[number, number]>;
  readonly sentiment: ItsFunction<number>;
}

/** Loads the model, which takes about 200 ms and 30 MB: call it in a worker thread, once. */
export function loadEnglish(): English {
  const vocabulary = new Vocabulary();
  const nlp = winkNLP(vocabulary.model, ['sbd', 'pos', 'negation', 'sentiment']);
  const its = nlp.its as unknown as Its;

  function readPiece(text: string, offset: number): Sentence[] {
    const document = nlp.readDoc(masked(text));
    const all = document.tokens();
    const values = all.out(its.value);
    const lemmas = all.out(its.lemma);
    const tags = all.out(its.pos);
    const types = all.out(its.type);
    const negations = all.out(its.negationFlag);
    const stops = all.out(its.stopWordFlag);

    let cursor = 0;
    const tokens = values.map((value, index): Token => {
      const start = text.indexOf(value, cursor);
      cursor = start + value.length;
      return {
        text: value,
        lower: value.toLowerCase().replaceAll('’', "'"),
        lemma: String(lemmas[index]).toLowerCase(),
        pos: String(tags[index]),
        start: offset + start,
        end: offset + cursor,
        isNegated: negations[index] === true,
        isWord: types[index] === 'word',
        isStopWord: stops[index] === true,
      };
    });

    const moods = document.sentences().out(its.sentiment) as number[];
    const spans = document.sentences().out(its.span) as [number, number][];
    return spans.flatMap(([first, last], index) =>
      inBearableParts(tokens.slice(first, last + 1)).map((own): Sentence => {
        const start = own[0]?.start ?? offset;
        const end = own.at(-1)?.end ?? start;
        return {
          text: text.slice(start - offset, end - offset),
          start,
          end,
          tokens: own,
          sentiment: moods[index] ?? 0,
        };
      }),
    );
  }

  return {
    read: (text) => pieces(text).flatMap(([start, end]) => readPiece(text.slice(start, end), start)),
    forget: () => {
      // The tokenizer holds the last document, and the engine the text of the last match.
      nlp.readDoc(NEUTRAL);
      vocabulary.forget();
    },
  };
}

/** Of known words, the last of them such that only the last resort of the tokenizer takes it apart. */
const NEUTRAL = 'It is what it is, neither/nor.';
/** No English word is longer; wink's time for one grows with the square of its length. */
const LONGEST_WORD = 100;
/** Sentences of real text are shorter; longer ones would let the rules' time grow with the square of their length. */
const MOST_TOKENS = 300;
/** Longer texts are read piece by piece, to keep memory flat. */
const PIECE_LENGTH = 50_000;

/** The text with the ends of endless words blanked out, at the same offsets. */
function masked(text: string): string {
  return text.replace(/\S{101,}/g, (word) => word.slice(0, LONGEST_WORD).padEnd(word.length));
}

function inBearableParts(tokens: readonly Token[]): (readonly Token[])[] {
  if (tokens.length <= MOST_TOKENS) return [tokens];
  const count = Math.ceil(tokens.length / MOST_TOKENS);
  return Array.from({ length: count }, (_, part) => tokens.slice(part * MOST_TOKENS, (part + 1) * MOST_TOKENS));
}

/** Offsets of the pieces of a text, each ending after a sentence or at least a word where there is one. */
function pieces(text: string): [number, number][] {
  const found: [number, number][] = [];
  let start = 0;
  do {
    const end = pieceEnd(text, start);
    found.push([start, end]);
    start = end;
  } while (start < text.length);
  return found;
}

function pieceEnd(text: string, start: number): number {
  const limit = start + PIECE_LENGTH;
  if (limit >= text.length) return text.length;
  const piece = text.slice(start, limit);
  const sentenceEnd = Math.max(piece.lastIndexOf('. '), piece.lastIndexOf('\n')) + 1;
  const cut = sentenceEnd === 0 ? piece.lastIndexOf(' ') + 1 : sentenceEnd;
  return cut === 0 ? limit : start + cut;
}
