// Money in what was said: amounts with a currency, in figures or words, normalised to one number and an ISO code.
import type { ReadTurn } from './conversation.ts';
import type { MoneyMention } from './analysis.ts';
import { findNumbers, scaleOf, type NumberMention } from './number-words.ts';

/** Dollars of no named country; which they are shows in the rest of the call. */
const SOME_DOLLAR = '$';
/** Cents of whatever the call is priced in. */
const OF_THE_CALL = null;

const SYMBOLS: Readonly<Record<string, string>> = {
  $: SOME_DOLLAR,
  us$: 'USD',
  c$: 'CAD',
  ca$: 'CAD',
  a$: 'AUD',
  au$: 'AUD',
  nz$: 'NZD',
  s$: 'SGD',
  hk$: 'HKD',
  '€': 'EUR',
  '£': 'GBP',
  '¥': 'JPY',
  '₹': 'INR',
};
const CODES = [
  'usd',
  'eur',
  'gbp',
  'chf',
  'cad',
  'aud',
  'nzd',
  'jpy',
  'inr',
  'sek',
  'nok',
  'dkk',
  'pln',
  'sgd',
  'hkd',
  'zar',
];
const WORDS: Readonly<Record<string, string>> = {
  dollar: SOME_DOLLAR,
  buck: SOME_DOLLAR,
  euro: 'EUR',
  pound: 'GBP',
  quid: 'GBP',
  yen: 'JPY',
  rupee: 'INR',
  franc: 'CHF',
  krona: 'SEK',
  kronor: 'SEK',
  rand: 'ZAR',
  zloty: 'PLN',
};
const NATIONS: Readonly<Record<string, string>> = {
  us: 'USD',
  american: 'USD',
  canadian: 'CAD',
  australian: 'AUD',
  'new zealand': 'NZD',
  singapore: 'SGD',
  'hong kong': 'HKD',
};
const SMALL: Readonly<Record<string, string | null>> = { cent: OF_THE_CALL, penny: 'GBP', pence: 'GBP', p: 'GBP' };

const BEFORE = new RegExp(`((?:us|ca|c|au|a|nz|s|hk)?\\$ ?|[€£¥₹] ?|(?<![a-z])(?:${CODES.join('|')}) ?)$`, 'i');
const AFTER_CODE = new RegExp(`^[ -]?(€|£|(?:${CODES.join('|')})(?![a-z]))`, 'i');
const AFTER_WORD = new RegExp(
  `^[ -](?:(${Object.keys(NATIONS).join('|')}) )?(${Object.keys(WORDS).join('|')})s?(?![a-z])(?! of )`,
  'i',
);
const AFTER_SMALL = /^(?:[ -](cent|penny|pence)s?|(p))(?![a-z])/i;
const RANGE = /^ ?(?:to|or|-|–|—|and) ?(?:(?:us|ca|c|au|a|nz)?[$€£¥₹])?$/i;

const PRICE_WORDS =
  /\b(pay|pays|paid|paying|costs?|price[ds]?|pricing|budget|quote[ds]?|quoting|spend|spent|fees?|charge[ds]?|worth|savings?|saves?|deal|contract|invoiced?|revenue|discount|offer|cheaper|expensive|salary|bill|billed|licen[cs]e|per seat|per user)\b/i;
// What may follow a bare "12k" when it is a price: a rate, a preposition, punctuation, but no counted thing.
const AFTER_PRICE =
  /^(?:\s*(?:[.,;:?!)/—–-]|$)|\s+(?:a|an|per|each|all|in|for|is|was|would|to|or|and|plus|total|discount|budget|deal|contract|fee|credit|invoice|quote|range|limit|line|by|up|upfront|annually|monthly|yearly|over|under|on|off|more|less|right|if|but|which|that|with|from|at)\b)/i;

interface Found {
  start: number;
  end: number;
  amount: number;
  currency: string | null;
  number: NumberMention;
}

/**
 * Every amount of money in the call. Bare "k", "grand" and "cents" take the currency the call names most, and plain
 * dollars the country it names; the default decides where it names none.
 */
export function findMoney(turns: readonly ReadTurn[], defaultCurrency: string): MoneyMention[] {
  const found = turns.flatMap((turn, index) => {
    // "What's your budget?" — "Around 40k.": the question makes it a price.
    const isAboutPrice = PRICE_WORDS.test(turn.text) || PRICE_WORDS.test(turns[index - 1]?.text ?? '');
    return turn.sentences.map((sentence) => ({ turn, sentence, amounts: findAmounts(sentence.text, isAboutPrice) }));
  });
  const named = found.flatMap(({ amounts }) => amounts.flatMap(({ currency }) => currency ?? []));
  const dollar = dollarOf(named, defaultCurrency);
  const resolve = (currency: string): string => (currency === SOME_DOLLAR ? dollar : currency);
  const usual = commonest(named.map(resolve)) ?? defaultCurrency;
  return found.flatMap(({ turn, sentence, amounts }) =>
    amounts.map(({ start, end, amount, currency }) => ({
      turn: turn.index,
      text: sentence.text.slice(start, end),
      amount,
      currency: currency === null ? usual : resolve(currency),
      quote: sentence.text,
    })),
  );
}

const DOLLARS = new Set(['USD', 'CAD', 'AUD', 'NZD', 'SGD', 'HKD']);

/** Which dollar a plain "$" means: the only one the call names by country, else the default's, else the American. */
function dollarOf(named: readonly string[], defaultCurrency: string): string {
  const countries = new Set(named.filter((currency) => DOLLARS.has(currency)));
  const [only] = countries;
  if (only !== undefined && countries.size === 1) return only;
  return DOLLARS.has(defaultCurrency) ? defaultCurrency : 'USD';
}

/** Amounts of one sentence; `currency` is null where the call's own is meant. */
function findAmounts(text: string, isAboutPrice: boolean): Found[] {
  const numbers = findNumbers(text);
  const found = numbers.map((number) => withCurrency(text, number, isAboutPrice));
  shareAcrossRanges(text, numbers, found);
  return joinSmallCoins(
    text,
    found.filter((amount) => amount !== null),
  );
}

function withCurrency(text: string, number: NumberMention, isAboutPrice: boolean): Found | null {
  const before = BEFORE.exec(text.slice(Math.max(0, number.start - 5), number.start))?.[1];
  const rest = text.slice(number.end);
  const make = (currency: string | null, start: number, end: number, factor = 1): Found => ({
    start,
    end,
    amount: Math.round(number.value * factor * 1e4) / 1e4,
    currency,
    number,
  });
  if (before !== undefined) {
    const key = before.trim().toLowerCase();
    return make(SYMBOLS[key] ?? key.toUpperCase(), number.start - before.length, number.end);
  }
  const code = AFTER_CODE.exec(rest);
  if (code !== null)
    return make(SYMBOLS[code[1]!] ?? code[1]!.toUpperCase(), number.start, number.end + code[0].length);
  const word = AFTER_WORD.exec(rest);
  if (word !== null) {
    const currency = NATIONS[word[1]?.toLowerCase() ?? ''] ?? WORDS[word[2]!.toLowerCase()] ?? null;
    return make(currency, number.start, number.end + word[0].length);
  }
  const small = AFTER_SMALL.exec(rest);
  if (small !== null)
    return make(SMALL[(small[1] ?? small[2])!.toLowerCase()] ?? null, number.start, number.end + small[0].length, 0.01);
  if (number.scale === 'grand') return make(null, number.start, number.end);
  if (number.scale === 'k' && isAboutPrice && AFTER_PRICE.test(rest)) return make(null, number.start, number.end);
  return null;
}

/** "$40 to 50k" and "40 to 50 thousand euros": each end of a range takes what only the other one says. */
function shareAcrossRanges(text: string, numbers: readonly NumberMention[], found: (Found | null)[]): void {
  for (let index = 0; index + 1 < numbers.length; index += 1) {
    const [low, high] = [numbers[index]!, numbers[index + 1]!];
    const [first, second] = [found[index], found[index + 1]];
    const between = text.slice(first?.end ?? low.end, high.start);
    if (!RANGE.test(between) || (!first && !second)) continue;
    const isAnd = /^ ?and/i.test(between);
    if (isAnd && !/\bbetween\b[^.]*$/i.test(text.slice(0, low.start))) continue;
    const source = (first ?? second)!;
    found[index] = first ?? {
      ...source,
      start: low.start,
      end: low.end,
      amount: low.value * smallCoin(source),
      number: low,
    };
    found[index + 1] = second ?? {
      ...source,
      start: high.start,
      end: high.end,
      amount: high.value * smallCoin(source),
      number: high,
    };
    // "40 to 50k" means 40k, but "$900 to 1.2k" means 900.
    const mantissa = high.value / scaleOf(high.scale);
    if (low.scale === null && high.scale !== null && low.value < mantissa)
      found[index]!.amount = low.value * scaleOf(high.scale);
  }
}

function smallCoin(found: Found): number {
  return found.amount === 0 ? 1 : found.amount / found.number.value;
}

/** "three dollars and fifty cents" is one amount. */
function joinSmallCoins(text: string, found: readonly Found[]): Found[] {
  const joined: Found[] = [];
  for (const amount of found) {
    const previous = joined.at(-1);
    const isSmall = AFTER_SMALL.test(text.slice(amount.number.end));
    if (previous !== undefined && isSmall && /^,? and $/.test(text.slice(previous.end, amount.start))) {
      previous.amount += amount.amount;
      previous.end = amount.end;
    } else {
      joined.push({ ...amount });
    }
  }
  return joined;
}

function commonest(currencies: readonly string[]): string | undefined {
  const counts = new Map<string, number>();
  for (const currency of currencies) counts.set(currency, (counts.get(currency) ?? 0) + 1);
  return [...counts].toSorted((left, right) => right[1] - left[1])[0]?.[0];
}
