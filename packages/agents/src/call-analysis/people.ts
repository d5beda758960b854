// Who is a person in this call: the speakers, and colleagues the speakers name.
import type { Turn } from './conversation.ts';
import { FIRST_NAMES } from './first-names.ts';

const NAME = String.raw`\p{Lu}\p{Ll}+(?:-\p{Lu}\p{Ll}+)?`;
/** Source of a regular expression for a name as it is spoken: "Priya", "Priya Shah", "Dr. Osei". */
export const SPOKEN_NAME: string = String.raw`(?:(?:Mrs?|Ms|Dr|Prof)\.? )?${NAME}(?: ${NAME})?`;

/** Source of a regular expression for what people are at work. */
export const ROLE: string =
  'lead|engineer|manager|architect|director|colleague|analyst|specialist|consultant|developer|designer|counsel|lawyer|attorney|accountant|controller|boss|assistant|coordinator|technician|tech|trainer|partner|founder|owner|officer|head|rep|planner|buyer|supervisor|administrator|bookkeeper|CEO|CFO|CTO|COO|CIO|VP';
const SIGNS = [
  // "Ravi, our integration lead"; "Tamsin, who does hospitals only"
  new RegExp(`(${NAME}),? (?:our|my|who|she|he|their|her|his)\\b`, 'gu'),
  // "our deployment engineer, Tamsin"; "my colleague Priya"
  new RegExp(`\\b(?:${ROLE}),? (${NAME})`, 'gu'),
  // "Luis from our team"; "Dana in support"
  new RegExp(
    `(${NAME}) (?:from|in|on|over in) (?:our|my|the|support|legal|finance|sales|accounting|engineering|security|IT|operations|onboarding|procurement)\\b`,
    'gu',
  ),
  // "His name's Arlo"; "a guy named Bo"
  new RegExp(`\\b(?:name's|name is|named|called) (${NAME})`, 'gu'),
  // "tell Marcus", "loop in Priya"
  new RegExp(
    `\\b(?:tell|ask|cc|copy|loop in|bring in|introduce you to|check with|talk to|speak to|let) (${NAME})`,
    'gu',
  ),
  // "Hannah will send you …, and she …"
  new RegExp(`(${NAME})(?:'s| is| will|'ll)[^.?!]{0,200}\\b(?:he|she|him|her)\\b`, 'gu'),
  new RegExp(`\\b(?:Mr|Mrs|Ms|Dr)\\.? (${NAME})`, 'gu'),
];
const NOT_NAMES = new Set(
  `monday tuesday wednesday thursday friday saturday sunday january february march april may june july august september october november
  december i we you he she it they the this that these those there here who what when where why how yes no okay sure thanks great
  and but so or if my our your his her their let just also then once after before because everybody everyone somebody someone nobody
  mr mrs ms dr`.split(/\s+/),
);

export interface People {
  /** The name to report for a spoken one: the speaker's as it stands in the call, or itself; null when it is no person. */
  resolve(spoken: string): string | null;
}

export function findPeople(turns: readonly Turn[]): People {
  const speakers = new Map<string, string>();
  for (const { speaker } of turns) {
    speakers.set(speaker.toLowerCase(), speaker);
    for (const part of speaker.split(/[ .]+/)) if (part.length > 2) speakers.set(part.toLowerCase(), speaker);
  }
  const named = new Set<string>();
  for (const { text } of turns) {
    for (const sign of SIGNS) for (const match of text.matchAll(sign)) named.add(match[1]!.toLowerCase());
  }

  function resolve(spoken: string): string | null {
    const parts = spoken
      .replace(/^(?:Mrs?|Ms|Dr|Prof)\.? /, '')
      .toLowerCase()
      .split(' ');
    const [first = '', last = ''] = parts;
    const speaker = speakers.get(spoken.toLowerCase()) ?? speakers.get(first);
    if (speaker !== undefined) return speaker;
    if (NOT_NAMES.has(first) || NOT_NAMES.has(last)) return null;
    return /^(?:Mr|Mrs|Ms|Dr|Prof)\b/.test(spoken) || named.has(first) || FIRST_NAMES.has(first) ? spoken : null;
  }

  return { resolve };
}
