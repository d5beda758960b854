import assert from 'node:assert/strict';
import test from 'node:test';
import { analyseCall } from '../src/call-analysis/analyse-call.ts';
import { callAnalysis, type CallAnalysis } from '../src/call-analysis/analysis.ts';
import { loadEnglish } from '../src/language/english.ts';

const english = loadEnglish();

/** Analyses lines of a call held on Tuesday, 2026-03-10; rep and customer speak in turn. */
function analyse(...lines: string[]): CallAnalysis {
  const turns = lines.map((text, index) =>
    index % 2 === 0
      ? { speaker: 'Ann', side: 'rep' as const, text }
      : { speaker: 'Tom', side: 'customer' as const, text },
  );
  return analyseCall(english, { turns, date: '2026-03-10' });
}

const promises = (...lines: string[]): [string, string | null][] =>
  analyse(...lines).commitments.map(({ owner, due }) => [owner, due]);
const dates = (line: string): string[] => analyse(line).dates.map(({ date }) => date);
const money = (...lines: string[]): [number, string][] =>
  analyse(...lines).money.map(({ amount, currency }) => [amount, currency]);

test('a promise binds its speaker and falls due on the day it names', () => {
  assert.deepEqual(promises("I'll send you the quote by Friday."), [['Ann', '2026-03-13']]);
  assert.deepEqual(promises("We're going to migrate the files for you on the 21st."), [['Ann', '2026-03-21']]);
  assert.deepEqual(promises('Let me check with legal and come back to you tomorrow.'), [['Ann', '2026-03-11']]);
  assert.deepEqual(promises("I see her on Friday, I'll raise it there."), [['Ann', '2026-03-13']]);
  assert.deepEqual(promises("You'll have the signed copy on Monday."), [['Ann', '2026-03-16']]);
  assert.deepEqual(promises("Then I'll return it."), [['Ann', null]]);
});

test('a promise for a named colleague binds the colleague, for an unnamed one the speaker', () => {
  assert.deepEqual(promises("I'll have Ravi, our integration lead, check it by Thursday."), [['Ravi', '2026-03-12']]);
  assert.deepEqual(promises('Hannah will send you the template next Wednesday.'), [['Hannah', '2026-03-18']]);
  assert.deepEqual(promises("Our field tech does it. His name's Arlo. He'll give you a call on the 16th."), [
    ['Arlo', '2026-03-16'],
  ]);
  assert.deepEqual(promises('My assistant will send you the papers tomorrow.'), [['Ann', '2026-03-11']]);
  assert.deepEqual(promises("I'll send the deck, and Priya will call you on Friday."), [
    ['Ann', null],
    ['Priya', '2026-03-13'],
  ]);
});

test('accepting a request is a promise, agreeing with an opinion is none', () => {
  assert.deepEqual(promises('Could you send me the form?', 'Sure, will do.'), [['Tom', null]]);
  assert.deepEqual(promises('Can you itemise it?', 'Yes, I can do that.'), [['Tom', null]]);
  assert.deepEqual(promises('Just let me know.', 'Will do.'), []);
  assert.deepEqual(promises('That sounds like a fair plan.', 'Sure.'), []);
});

test('what is conditional, vague, past, refused, a figure of speech or a product promise binds nobody', () => {
  for (const line of [
    "If you sign by Friday, I'll add training.",
    "I'd send it if I could.",
    "I'll think about it.",
    "We'll see how it goes.",
    "I'll try to get it done by Wednesday.",
    "I told him he'd get it on Monday.",
    "I won't send it before Friday.",
    "I'll be honest, it is late.",
    "I'll give you that.",
    "I'll talk to you on Thursday.",
    "I'll share my screen.",
    'Shall I send you the deck?',
    'The system will send you an alert tomorrow.',
    "We'll have eighty users by the end of June.",
  ]) {
    assert.deepEqual(promises(line), [], line);
  }
});

test('of two days the corrected one is due, and the day of a meeting is not the day of its invite', () => {
  assert.deepEqual(promises("I'll send it to you Monday, no, sorry, Tuesday."), [['Ann', '2026-03-17']]);
  assert.deepEqual(promises("I'll send the invite for the 18th."), [['Ann', null]]);
  assert.deepEqual(promises("I'll ask him on Monday and call you on Tuesday."), [['Ann', '2026-03-17']]);
});

test('a promise quotes the exact words of its turn', () => {
  const text = "Fair enough. I'll send you the quote by Friday, and Priya will call you.";
  const { commitments } = analyse(text);
  assert.deepEqual(
    commitments.map(({ quote }) => quote),
    ["I'll send you the quote by Friday", 'Priya will call you'],
  );
  assert.ok(commitments.every(({ quote }) => text.includes(quote)));
});

test('weekdays count from the call: bare ones lie ahead, next ones in the next week, last ones in the last', () => {
  assert.deepEqual(dates('Monday'), ['2026-03-16']);
  assert.deepEqual(dates('Tuesday'), ['2026-03-17']);
  assert.deepEqual(dates('next Wednesday'), ['2026-03-18']);
  assert.deepEqual(dates('this Friday'), ['2026-03-13']);
  assert.deepEqual(dates('last Friday'), ['2026-03-06']);
  assert.deepEqual(dates('We shipped it on Thursday.'), ['2026-03-05']);
  assert.deepEqual(dates('a week from Monday'), ['2026-03-23']);
  assert.deepEqual(dates('next Wednesday, the 18th'), ['2026-03-18']);
});

test('days of the month without a year lie ahead unless the sentence is past', () => {
  assert.deepEqual(dates('on the 21st'), ['2026-03-21']);
  assert.deepEqual(dates('by the 5th'), ['2026-04-05']);
  assert.deepEqual(dates('I sent it to you on the 5th.'), ['2026-03-05']);
  assert.deepEqual(dates('It starts on January 12th.'), ['2027-01-12']);
  assert.deepEqual(dates('We signed on February 2nd.'), ['2026-02-02']);
  assert.deepEqual(dates('June 3rd and 4th'), ['2026-06-03', '2026-06-04']);
  assert.deepEqual(dates('the 31st of December 2027'), ['2027-12-31']);
});

test('ends of periods and counted days resolve; spans, times of day and recurring days do not', () => {
  assert.deepEqual(dates('by the end of the week'), ['2026-03-13']);
  assert.deepEqual(dates('by the end of the month'), ['2026-03-31']);
  assert.deepEqual(dates('the end of June'), ['2026-06-30']);
  assert.deepEqual(dates('in two weeks'), ['2026-03-24']);
  assert.deepEqual(dates('ten days ago'), ['2026-02-28']);
  assert.deepEqual(dates('the day after tomorrow'), ['2026-03-12']);
  for (const line of [
    'next week',
    'in June',
    'tonight',
    'on Fridays',
    'a typical Tuesday',
    'Monday through Friday',
    'for six days',
    'on the second floor',
    'version 8',
    '24/7',
    'what do you use today?',
  ]) {
    assert.deepEqual(dates(line), [], line);
  }
});

test('without a day of the call only dates with a year are found, and nothing falls due', () => {
  const {
    dates: found,
    commitments,
    date,
  } = analyseCall(english, {
    transcript: "Ann: I'll send it by Friday.\nTom: The term ends on June 30, 2027.",
  });
  assert.equal(date, null);
  assert.deepEqual(
    found.map((each) => each.date),
    ['2027-06-30'],
  );
  assert.equal(commitments[0]?.due, null);
});

test('money is read from figures and words, with scales, ranges and small coins', () => {
  assert.deepEqual(money('$1,500 and $1.8 million'), [
    [1500, 'USD'],
    [1_800_000, 'USD'],
  ]);
  assert.deepEqual(money('forty-six hundred dollars'), [[4600, 'USD']]);
  assert.deepEqual(money('two and a half million euros'), [[2_500_000, 'EUR']]);
  assert.deepEqual(money('three hundred and fifty thousand pounds'), [[350_000, 'GBP']]);
  assert.deepEqual(money('between 40 and 45 thousand dollars'), [
    [40_000, 'USD'],
    [45_000, 'USD'],
  ]);
  assert.deepEqual(money('three dollars and fifty cents'), [[3.5, 'USD']]);
  assert.deepEqual(money('CAD 3,000 or 500€'), [
    [3000, 'CAD'],
    [500, 'EUR'],
  ]);
});

test('bare k, grand and cents take the currency of the call, and only where a price is spoken of', () => {
  assert.deepEqual(money('It was €95,000.', 'I could do ninety grand, or 80k in a good year for that price.'), [
    [95_000, 'EUR'],
    [90_000, 'EUR'],
    [80_000, 'EUR'],
  ]);
  assert.deepEqual(money('We pay 9 cents a unit, £4 in all.'), [
    [0.09, 'GBP'],
    [4, 'GBP'],
  ]);
  assert.deepEqual(money('We have 400k records and 12 trucks.'), []);
  assert.deepEqual(money('Around 300 a month, a few hundred bucks.'), []);
  const { money: found } = analyseCall(
    english,
    { turns: [{ speaker: 'Ann', text: 'It costs ten grand.' }] },
    { defaultCurrency: 'CHF' },
  );
  assert.deepEqual(
    found.map(({ amount, currency }) => [amount, currency]),
    [[10_000, 'CHF']],
  );
});

test('questions are genuine ones: not rhetorical, not reported', () => {
  const asked = (line: string): number => analyse(line).questions.length;
  assert.equal(asked('Does that work for you?'), 1);
  assert.equal(asked("It's the new form, right?"), 1);
  assert.equal(asked('Can I ask, what did you use it for?'), 1);
  assert.equal(asked('My boss asked me, why do we pay for this?'), 0);
  assert.equal(asked('Who knows?'), 0);
});

test('a transcript without any question mark is read by the order of its words', () => {
  const { questions } = analyse(
    'What are you using today',
    'we use a spreadsheet',
    'what I need is time',
    'do you have one',
  );
  assert.deepEqual(
    questions.map(({ turn }) => turn),
    [0, 3],
  );
});

test('objections are sorted by kind, only where the customer speaks', () => {
  const kinds = (line: string): string[] => analyse('Go on.', line).objections.map(({ kind }) => kind);
  assert.deepEqual(kinds("That's too expensive for us."), ['price']);
  assert.deepEqual(kinds('Anything over five thousand dollars goes to the board.'), ['authority']);
  assert.deepEqual(kinds("We can't switch anything before the holidays."), ['timing']);
  assert.deepEqual(kinds("I don't see why we need a second system."), ['need']);
  assert.deepEqual(kinds('We have heard that before.'), ['trust']);
  assert.deepEqual(kinds('Haulwise came in at half of that.'), ['competitor']);
  assert.deepEqual(kinds("Who's going to enter all of that?"), ['effort']);
  assert.deepEqual(kinds('Thursday works, thank you.'), []);
  assert.deepEqual(analyse("That's too expensive for us.").objections, []);
});

test('shares of talk, questions and fillers are counted for each speaker', () => {
  const { speakers, sides, interactivity, longestMonologue } = analyse(
    'How many, um, sites do you have?',
    'Four sites, you know, and nine dentists in all of them.',
    'Okay.',
  );
  assert.deepEqual(
    speakers.map(({ speaker, turnCount, wordCount, questionCount, fillerCount }) => [
      speaker,
      turnCount,
      wordCount,
      questionCount,
      fillerCount,
    ]),
    [
      ['Ann', 2, 8, 1, 1],
      ['Tom', 1, 11, 0, 1],
    ],
  );
  assert.deepEqual(
    sides.map(({ side, talkRatio }) => [side, talkRatio]),
    [
      ['rep', 0.421],
      ['customer', 0.579],
    ],
  );
  assert.equal(interactivity.switchCount, 2);
  assert.equal(interactivity.switchesPerMinute, null);
  assert.equal(longestMonologue?.speaker, 'Tom');
});

test('times of the turns give durations, the pace of exchange and the silences', () => {
  const words = (count: number): string => 'word '.repeat(count).trim();
  const analysis = analyseCall(english, {
    turns: [
      { speaker: 'Ann', startMs: 0, text: words(10) },
      { speaker: 'Tom', startMs: 4000, text: words(10) },
      { speaker: 'Ann', startMs: 8000, text: words(10) },
      { speaker: 'Tom', startMs: 15_000, text: words(10) },
    ],
  });
  assert.equal(analysis.durationMs, 19_000);
  assert.equal(analysis.interactivity.switchesPerMinute, 9.474);
  assert.deepEqual(analysis.responseGaps, { count: 3, medianMs: 0, p90Ms: 0, longestMs: 3000, longestBeforeTurn: 3 });
  assert.deepEqual(
    analysis.speakers.map(({ talkMs }) => talkMs),
    [8000, 8000],
  );
});

test('sentiment follows the words, and negation turns them round', () => {
  const mood = (line: string): number => analyse(line).sentiment;
  assert.ok(mood('This is great, I love it.') > 0.3);
  assert.ok(mood('It is terrible and slow, we are frustrated.') < -0.3);
  assert.ok(mood("It's not great.") < 0);
  assert.ok(mood("It isn't bad.") > 0);
  assert.equal(mood('We have four sites.'), 0);
});

test('topics name what was spoken of, with the turns and the best quote', () => {
  const { topics } = analyse(
    'The price is $40, what is your budget?',
    'The contract ends in June. Who pays the invoice?',
  );
  assert.equal(topics[0]?.topic, 'pricing');
  assert.deepEqual(topics[0]?.turns, [0, 1]);
  assert.equal(topics[0]?.best.turn, 0);
});

test('every finding quotes an exact substring of its turn, typographic marks included', () => {
  const lines = [
    'Sure — I’ll send the £1,200 quote by Friday… “really”. Right?',
    'It’s too expensive, um, honestly. Dana will call you on the 20th!',
  ];
  const analysis = analyse(...lines);
  const findings = [
    ...analysis.commitments,
    ...analysis.money,
    ...analysis.dates,
    ...analysis.objections,
    ...analysis.questions,
    ...analysis.fillers,
    ...analysis.topics.map(({ best }) => best),
  ];
  assert.equal(analysis.commitments.length, 2);
  assert.equal(analysis.objections.length, 1);
  for (const { turn, quote } of findings) assert.ok(lines[turn]?.includes(quote), quote);
});

test('the result matches its own schema and survives JSON', () => {
  const analysis = analyse("I'll send the $5 quote by Friday.", 'Too expensive, um, no? Sure.');
  assert.deepEqual(callAnalysis.parse(JSON.parse(JSON.stringify(analysis))), analysis);
});

test('headers, sides and times of a transcript are read', () => {
  const analysis = analyseCall(english, {
    transcript:
      '\uFEFFCall: Intro\r\nDate: 2026-03-10\r\nLanguage: en\r\n\r\nDr. Osei (customer) [1:00:05]: Hello: again.\r\nAnn [1:00:09]: Hi.\r\n',
  });
  assert.equal(analysis.title, 'Intro');
  assert.equal(analysis.date, '2026-03-10');
  assert.deepEqual(
    analysis.speakers.map(({ speaker, side }) => [speaker, side]),
    [
      ['Dr. Osei', 'customer'],
      ['Ann', null],
    ],
  );
});

test('time grows in step with the text, even where it never ends a sentence or a word', () => {
  const cpuMs = (text: string): number => {
    const before = process.cpuUsage();
    analyseCall(english, { turns: [{ speaker: 'Ann', text }], date: '2026-03-10' });
    return process.cpuUsage(before).user / 1000;
  };
  cpuMs('warm up '.repeat(1000));
  for (const piece of ['the 5th ', 'I will, ', 'he said, ', 'a', 'five ']) {
    const small = cpuMs(piece.repeat(20_000 / piece.length));
    const large = cpuMs(piece.repeat(160_000 / piece.length));
    // Eight times the text: square growth would take 64 times as long.
    assert.ok(large < 24 * Math.max(small, 20), `${JSON.stringify(piece)}: ${small} ms, then ${large} ms`);
  }
});
