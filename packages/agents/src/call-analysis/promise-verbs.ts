// Which verbs after "I'll" bind the speaker to a deed. Most do; these rules name those that do not, or only in some company.

/** The words around a verb of promise. */
export interface Deed {
  /** Lemma of the verb. */
  readonly verb: string;
  /** The words after it, in lower case, to the end of its clause. */
  readonly after: string;
  /** A day or a time is stated for it. */
  readonly hasTime: boolean;
}

type Rule = (deed: Deed) => boolean;

const never: Rule = () => false;
const timed: Rule = ({ hasTime }) => hasTime;
const except =
  (pattern: RegExp): Rule =>
  ({ after }) =>
    !pattern.test(after);
const only =
  (pattern: RegExp): Rule =>
  ({ after }) =>
    pattern.test(after);
const onlyOrTimed =
  (pattern: RegExp): Rule =>
  ({ after, hasTime }) =>
    hasTime || pattern.test(after);

/** Delivered to somebody: "to you", "in your inbox". */
const TO_SOMEBODY = /\b(?:to|for|with|over to|back to|in|on) (?:you|your|him|her|them|both|everyone|everybody)\b/;

const HANDED_OVER = new RegExp(
  `${TO_SOMEBODY.source}|\\b(?:ready|sent|done|over|back)\\b|^(?:a (?:look|word|chat)|my|our|the|them|him|her|it|somebody|someone) \\w`,
);
// "We'll have eighty users by June" tells of growth.
const COUNTED =
  /^(?:\d|(?:about|around|over|at least|some|more|twice|\w+teen|\w+ty|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|hundred) )/;

const RULES: ReadonlyMap<string, Rule> = new Map([
  // States, thoughts and figures of speech.
  ...each(
    `be need want know see think say admit guess assume suppose like love hate hope wish feel believe understand remember forget
     agree miss lose grow mean wait try consider bet quote confess survive regret appreciate end live die stop quit stay stick keep
     depend decide cost spend save fail win mind bear stand watch enjoy wonder imagine expect sleep become belong prefer owe own seem
     listen notice realize worry doubt argue shut sound spare level pretend bother complain refuse grant`,
    never,
  ),
  // Acts within the call, unless a time is named for them.
  ...each(
    `start begin go come show explain describe mention answer repeat rephrase recap clarify focus skip jump move finish read list click
     zoom scroll walk pause turn use pay buy play leave work rely count switch lean hop hang head continue open close`,
    timed,
  ),
  ['have', ({ after, hasTime }) => HANDED_OVER.test(after) || (hasTime && !COUNTED.test(after))],
  [
    'give',
    except(
      /^(?:you|him|her|them|it|\w+)(?: \w+)? (?:that|this|credit|(?:an?|the|one|some) (?:try|shot|go|chance|break|benefit|example|idea|hint|sense|minute|moment))\b|^(?:up|in)\b/,
    ),
  ],
  [
    'take',
    except(
      /\bas\b|^(?:it|that|this|them)$|^(?:your|his|her|my|a|the) (?:word|break|hit|chance|seat|while|blame|risk|win|lead)\b|^(?:advantage|part|over|off$|you|us|care$)/,
    ),
  ],
  ['tell', except(/^(?:you|ya|everyone here)\b/)],
  ['ask', except(/^you\b/)],
  ['do', onlyOrTimed(/^(?:that|it|this|so|both|these|those|all|the (?!best)|a )/)],
  ['make', except(/^(?:it|this|that) (?!to you)|^(?:do|sense|money|up)\b/)],
  [
    'get',
    except(
      /^(?:to|there|used|into|through|over|out|going|started|off|along|by|it|that|lost|stuck|better|tired)$|^(?:to|there|used|into|through|out|going|started|along|by|lost|stuck|better|tired) /,
    ),
  ],
  [
    'let',
    onlyOrTimed(
      /^(?:(?!you\b)\w+|\w+ \w+) know|^you know (?:what|if|when|whether|how|who|which|as soon|once|the|about)\b/,
    ),
  ],
  ['talk', only(/^(?:to|with) (?!you\b)/)],
  ['speak', only(/^(?:to|with) (?!you\b)/)],
  ['work', onlyOrTimed(/^(?:up|out)\b/)],
  ['call', except(/^(?:it|that|this)\b(?! in)/)],
  ['look', only(/^(?:into|up|at|it up|that up|for)\b/)],
  ['pull', except(/^up\b/)],
  ['share', except(/\bscreen\b/)],
  ['run', except(/^(?:you )?through (?!them|it|those)|^(?:out|into|late)\b/)],
  ['hold', except(/^(?:you|on|off|it against|that against|my)\b/)],
  ['pass', except(/^$|^on (?:it|that|this)$/)],
  ['put', except(/^(?:my name|it this way|up with|it like|you on hold)/)],
  ['find', except(/^(?:it|that) \w+$|^my way/)],
  ['raise', except(/^my\b/)],
  ['figure', timed],
  ['throw', except(/^(?:out|in)\b/)],
  ['turn', onlyOrTimed(/^(?:it|that|this|them)? ?(?:on|off)\b|^around\b/)],
  ['open', onlyOrTimed(/^(?:a|the) (?:ticket|case|account)/)],
  ['close', onlyOrTimed(/^(?:the|that|your) (?:ticket|case|account)/)],
  ['come', onlyOrTimed(/^back to you\b/)],
  ['switch', onlyOrTimed(/^(?:it|that|them|this) (?:on|off|over)\b/)],
  ['move', onlyOrTimed(/^(?:the|your|it|that|you) /)],
  ['pay', timed],
]);

/** True when the verb in this company is a concrete deed. */
export function isDeed(deed: Deed): boolean {
  return (RULES.get(deed.verb) ?? (() => true))(deed);
}

/** Verbs of handing over and arranging, which bind even after "I can" and "let me". */
const SERVICE = new Set(
  `send email mail forward share get put add introduce set write draft prepare have book schedule arrange connect drop ship upload bring
   print text bundle include invite provide deliver build create register order extend export hand post copy loop`.split(
    /\s+/,
  ),
);

/** True for "I can" with a verb of service towards somebody or on a day: "I can add you to the beta". */
export function isService({ verb, after, hasTime }: Deed): boolean {
  if (!SERVICE.has(verb) || /%|\bpercent\b|[$€£]\d|\bscreen\b|\bdiscount\b/.test(after)) return false;
  return hasTime || TO_SOMEBODY.test(after) || /^(?:you|your|that over|it over|them over|those over)\b/.test(after);
}

const AFTER_LET_ME = new RegExp(
  [
    '^(?:get|come|circle) back',
    '^follow up',
    '^look into',
    '^find out',
    '^confirm',
    '^(?:take|run|bring) (?:that|it|this|those|them) (?:to|by|past|up with)',
    '^(?:check|talk|speak|confirm|sync|consult|verify) (?:this |that |it )?with',
    '^(?:talk|speak) to',
    '^ask (?!you\\b|a\\b)',
    '^have (?:our|my|the|\\p{Lu})',
    '^get (?:you|that|it|them|this|those) ',
    '^(?:send|email|forward|draft|prepare|book|schedule|arrange|write)\\b',
    '^(?:put|set) \\w+(?: \\w+)? (?:together|up)',
    '^set up',
    '^put together',
    '^double[- ]check',
  ].join('|'),
  'u',
);

/** True for "let me" followed by work that goes on after the call, false for "let me see". */
export function isLaterWork(words: string): boolean {
  return AFTER_LET_ME.test(words);
}

function each(verbs: string, rule: Rule): [string, Rule][] {
  return verbs.split(/\s+/).map((verb) => [verb, rule]);
}
