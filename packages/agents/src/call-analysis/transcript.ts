// The text form of a call: headers, then one line per turn.
import { InputProblem } from '../input-problem.ts';
import type { Side, TurnInput } from './input.ts';
import { MAX_TURNS } from './input.ts';

export interface Transcript {
  title: string | null;
  date: string | null;
  turns: TurnInput[];
}

const HEADER = /^(Call|Date|Language):\s*(.*)$/;
// Speaker, then a side in round and a time in square brackets, both optional.
const TURN = /^(?<speaker>[^:()[\]]{1,80}?)\s*(?:\((?<side>[^)]*)\))?\s*(?:\[(?<time>[^\]]*)\])?\s*:\s?(?<text>.*)$/;
const TIME = /^(?:(\d{1,2}):)?(\d{1,3}):(\d{2})(?:\.\d+)?$/;
const FORM =
  'Write one line per turn in the form "Name (rep) [00:00]: text"; the side (rep or customer) and the time are optional.';

/** Parses the text of a transcript. Throws `InputProblem` with the number of the line that cannot be read. */
export function parseTranscript(text: string): Transcript {
  const transcript: Transcript = { title: null, date: null, turns: [] };
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  for (const [index, raw] of lines.entries()) {
    const line = raw.trim();
    if (line === '') continue;
    if (transcript.turns.length === 0 && readHeader(line, transcript)) continue;
    if (transcript.turns.length === MAX_TURNS) {
      throw new InputProblem(
        `The transcript has more than ${MAX_TURNS} turns. Split the call and send the parts one by one.`,
        'transcript',
      );
    }
    transcript.turns.push(parseTurn(line, index + 1));
  }
  if (transcript.turns.length === 0) {
    throw new InputProblem(`The transcript has no turns. ${FORM}`, 'transcript');
  }
  return transcript;
}

function readHeader(line: string, transcript: Transcript): boolean {
  const [, name, value = ''] = HEADER.exec(line) ?? [];
  if (name === undefined) return false;
  if (name === 'Call') transcript.title = value;
  if (name === 'Date') transcript.date = value;
  if (name === 'Language' && !/^en\b/i.test(value)) {
    throw new InputProblem(
      `The transcript's language is "${value}", but only English (en) can be analysed. Send a translation.`,
      'transcript',
    );
  }
  return true;
}

function parseTurn(line: string, lineNumber: number): TurnInput {
  const parts = TURN.exec(line)?.groups;
  if (parts === undefined) {
    throw new InputProblem(`Line ${lineNumber} names no speaker: "${excerpt(line)}". ${FORM}`, 'transcript');
  }
  const { speaker = '', side, time, text = '' } = parts;
  return {
    speaker,
    side: parseSide(side, lineNumber),
    startMs: parseTime(time, lineNumber),
    text,
  };
}

function parseSide(side: string | undefined, lineNumber: number): Side | undefined {
  const known = side?.trim().toLowerCase();
  if (known === undefined || known === 'rep' || known === 'customer') return known;
  throw new InputProblem(
    `Line ${lineNumber} gives the side "${side}". Use (rep) for the seller and (customer) for the buyer, or leave it out.`,
    'transcript',
  );
}

function parseTime(time: string | undefined, lineNumber: number): number | undefined {
  if (time === undefined) return undefined;
  const [, hours = '0', minutes = '', seconds = ''] = TIME.exec(time.trim()) ?? [];
  if (minutes === '' || Number(seconds) > 59) {
    throw new InputProblem(
      `Line ${lineNumber} has the time "[${time}]". Write it as [mm:ss] or [h:mm:ss], or leave it out.`,
      'transcript',
    );
  }
  return (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000;
}

function excerpt(line: string): string {
  return line.length > 60 ? `${line.slice(0, 60)}…` : line;
}
