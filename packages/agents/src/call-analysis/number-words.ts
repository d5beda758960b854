// Numbers as people write and say them: "1,500", "12k", "forty-six hundred", "two and a half million".

const UNITS: Readonly<Record<string, number>> = {
  zero: 0,
  one: 1,
  two: 2,
  three: 3,
  four: 4,
  five: 5,
  six: 6,
  seven: 7,
  eight: 8,
  nine: 9,
  ten: 10,
  eleven: 11,
  twelve: 12,
  thirteen: 13,
  fourteen: 14,
  fifteen: 15,
  sixteen: 16,
  seventeen: 17,
  eighteen: 18,
  nineteen: 19,
  twenty: 20,
  thirty: 30,
  forty: 40,
  fifty: 50,
  sixty: 60,
  seventy: 70,
  eighty: 80,
  ninety: 90,
};

const SCALES: Readonly<Record<string, number>> = {
  thousand: 1e3,
  grand: 1e3,
  million: 1e6,
  mil: 1e6,
  mio: 1e6,
  billion: 1e9,
  lakh: 1e5,
  crore: 1e7,
  // These count only when glued to digits.
  k: 1e3,
  m: 1e6,
  bn: 1e9,
  b: 1e9,
};
const GLUED = new Set(['k', 'm', 'bn', 'b']);
const PARTS: Readonly<Record<string, number>> = { half: 0.5, quarter: 0.25 };

// Scales that may open a number, unless a vague word before them makes it "a few hundred".
const WHOLE = new Set(['hundred', 'thousand', 'million']);
const VAGUE = new Set('few several couple many some of odd various'.split(' '));

export interface NumberMention {
  readonly start: number;
  readonly end: number;
  readonly value: number;
  /** The last scale word, such as `k` or `million`; null without one. */
  readonly scale: string | null;
}

interface Word {
  text: string;
  start: number;
  end: number;
}

/** Every number of a text, in order; numbers inside words such as "v2" or "p95" are none. */
export function findNumbers(text: string): NumberMention[] {
  const words = [...text.matchAll(/\d+(?:,\d{3})*(?:\.\d+)?|\p{L}+/gu)].map((match): Word => ({
    text: match[0].toLowerCase(),
    start: match.index,
    end: match.index + match[0].length,
  }));
  const numbers: NumberMention[] = [];
  for (let at = 0; at < words.length;) {
    const reader = new NumberReader(text, words, at);
    const mention = reader.read();
    if (mention !== null) numbers.push(mention);
    at = Math.max(reader.next, at + 1);
  }
  return numbers;
}

/** Scale of a word such as "k" or "million"; 1 for null. */
export function scaleOf(word: string | null): number {
  return word === null ? 1 : (SCALES[word] ?? 1);
}

/** Reads one number that begins at a given word. */
class NumberReader {
  next: number;
  #total = 0;
  #current: number | null = null;
  /** "half a million" halves what follows. */
  #fraction = 1;
  #scale: string | null = null;
  readonly #text: string;
  readonly #words: readonly Word[];
  readonly #at: number;

  constructor(text: string, words: readonly Word[], at: number) {
    this.#text = text;
    this.#words = words;
    this.#at = at;
    this.next = at;
  }

  read(): NumberMention | null {
    const first = this.#words[this.#at];
    if (first === undefined || this.#isInsideWord(first)) return null;
    this.#readOpening();
    while (this.#readWord());
    const last = this.#words[this.next - 1];
    if (last === undefined || (this.#current === null && this.#total === 0)) return null;
    const value = (this.#total + (this.#current ?? 0)) * this.#fraction;
    // Rounding takes back the noise of decimal fractions, as in 1.1 × 1,000,000.
    return { start: first.start, end: last.end, value: Math.round(value * 1e4) / 1e4, scale: this.#scale };
  }

  /** "a hundred", "half a million": openings that count only before a scale. */
  #readOpening(): void {
    const texts = [0, 1, 2].map((offset) => this.#words[this.#at + offset]?.text ?? '');
    const part = PARTS[texts[0] ?? ''];
    if (part !== undefined && texts[1] === 'a' && isScale(texts[2])) {
      this.#fraction = part;
      this.next = this.#at + 2;
    } else if (texts[0] === 'a' && isScale(texts[1])) {
      this.next = this.#at + 1;
    } else if (texts[0] !== undefined && WHOLE.has(texts[0]) && !VAGUE.has(this.#words[this.#at - 1]?.text ?? '')) {
      // "hundred bucks"
      this.#current = 1;
    }
  }

  #readWord(): boolean {
    const word = this.#words[this.next];
    const previous = this.#words[this.next - 1];
    if (word === undefined) return false;
    if (this.next > this.#at && !this.#isAdjacent(previous!, word)) return false;
    const isTaken =
      this.#readDigits(word) ||
      this.#readUnit(word) ||
      this.#readScale(word, previous) ||
      this.#readPoint(word) ||
      this.#readAnd(word);
    if (isTaken && this.next === this.#words.indexOf(word, this.next)) this.next += 1;
    return isTaken;
  }

  #readDigits(word: Word): boolean {
    if (!/^\d/.test(word.text) || this.#current !== null) return false;
    this.#current = Number(word.text.replaceAll(',', ''));
    return true;
  }

  #readUnit(word: Word): boolean {
    const unit = UNITS[word.text];
    if (unit === undefined) return false;
    const current = this.#current;
    const fits =
      current === null ||
      (current >= 100 && current % 100 === 0 && unit > 0) ||
      (current % 10 === 0 && current % 100 >= 20 && unit > 0 && unit < 10);
    if (fits) this.#current = (current ?? 0) + unit;
    return fits;
  }

  #readScale(word: Word, previous: Word | undefined): boolean {
    const isOpen = this.next > this.#at;
    if (word.text === 'hundred' && (isOpen || this.#current !== null)) {
      this.#current = (this.#current ?? 1) * 100;
      return true;
    }
    const scale = SCALES[word.text];
    if (scale === undefined || (!isOpen && this.#current === null)) return false;
    if (GLUED.has(word.text) && !this.#isGlued(word, previous)) return false;
    this.#total += (this.#current ?? 1) * scale;
    this.#current = null;
    this.#scale = word.text;
    return true;
  }

  #isGlued(word: Word, previous: Word | undefined): boolean {
    if (previous === undefined) return false;
    // "12k", "18 k" and "fifty k".
    const isNumber = /^\d/.test(previous.text);
    if (previous.end === word.start) return isNumber;
    return word.text === 'k' && previous.end + 1 === word.start && (isNumber || previous.text in UNITS);
  }

  /** "one point five million". */
  #readPoint(word: Word): boolean {
    const digits = /^\d/.test(this.#words[this.next + 1]?.text ?? '')
      ? undefined
      : UNITS[this.#words[this.next + 1]?.text ?? ''];
    if (word.text !== 'point' || this.#current === null || digits === undefined) return false;
    this.#current += digits >= 10 ? digits / 100 : digits / 10;
    this.next += 2;
    return true;
  }

  /** "two and a half", "a hundred and twenty"; not "five hundred and six hundred", which is two numbers. */
  #readAnd(word: Word): boolean {
    if (word.text !== 'and' || this.next === this.#at) return false;
    const [first, second] = [this.#words[this.next + 1], this.#words[this.next + 2]];
    const part = PARTS[second?.text ?? ''];
    if (first?.text === 'a' && part !== undefined) {
      const last = this.#total > 0 && this.#current === null ? scaleOf(this.#scale) : 1;
      if (last === 1) this.#current = (this.#current ?? 0) + part;
      else this.#total += part * last;
      this.next += 3;
      return true;
    }
    if (first === undefined || UNITS[first.text] === undefined) return false;
    const isAfterHundred = this.#current === null ? this.#total > 0 : this.#current % 100 === 0 && this.#current > 0;
    const rest = new NumberReader(this.#text, this.#words, this.next + 1);
    const tail = rest.read();
    const scale = scaleOf(tail?.scale ?? null);
    if (!isAfterHundred || tail === null || tail.value / scale >= 100) return false;
    // "three hundred and fifty thousand": the scale belongs to both.
    if (scale > 1 && this.#current === null) return false;
    this.#current = (this.#current ?? 0) + tail.value / scale;
    this.next = rest.next;
    if (scale > 1) {
      this.#total += this.#current * scale;
      this.#current = null;
      this.#scale = tail.scale;
    }
    return true;
  }

  #isAdjacent(left: Word, right: Word): boolean {
    return /^[ \u00a0-]?$/.test(this.#text.slice(left.end, right.start));
  }

  #isInsideWord(word: Word): boolean {
    return word.start > 0 && /[\p{L}\d]/u.test(this.#text[word.start - 1] ?? '');
  }
}

function isScale(word: string | undefined): boolean {
  return word !== undefined && (word === 'hundred' || (word in SCALES && !GLUED.has(word)));
}

const ORDINALS: Readonly<Record<string, number>> = {
  first: 1,
  second: 2,
  third: 3,
  fourth: 4,
  fifth: 5,
  sixth: 6,
  seventh: 7,
  eighth: 8,
  ninth: 9,
  tenth: 10,
  eleventh: 11,
  twelfth: 12,
  thirteenth: 13,
  fourteenth: 14,
  fifteenth: 15,
  sixteenth: 16,
  seventeenth: 17,
  eighteenth: 18,
  nineteenth: 19,
  twentieth: 20,
  thirtieth: 30,
};

/** Source of a regular expression for an ordinal in figures or words, for texts in lower case. */
export const ORDINAL: string = `(?:\\d{1,2}(?:st|nd|rd|th)|(?:(?:twenty|thirty)[- ])?(?:${Object.keys(ORDINALS).join('|')}))(?![a-z-])`;

/** Value of an ordinal such as "21st" or "twenty-first", or null. */
export function parseOrdinal(text: string): number | null {
  const digits = /^\d+/.exec(text);
  if (digits !== null) return Number(digits[0]);
  const words = text.toLowerCase().split(/[- ]/);
  const last = ORDINALS[words.at(-1) ?? ''];
  if (last === undefined) return null;
  return last + (words.length > 1 ? (UNITS[words[0] ?? ''] ?? 0) : 0);
}
