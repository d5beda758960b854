import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLI_ERROR_CODES, CliError, explain } from '../src/cli-error.ts';
import { EXIT, exitCodesHelp } from '../src/exit-codes.ts';
import { concurrency, duration, port, portOfEnvironment, serverUrl, text, waitMs } from '../src/values.ts';
import type { Parse } from '../src/values.ts';

const ALLOWED: readonly [Parse<unknown>, [given: string, value: unknown][]][] = [
  [
    port,
    [
      ['0', 0],
      ['8787', 8_787],
      ['65535', 65_535],
    ],
  ],
  [
    concurrency,
    [
      ['1', 1],
      ['10000', 10_000],
    ],
  ],
  [
    waitMs,
    [
      ['1', 1],
      ['3600000', 3_600_000],
    ],
  ],
  [
    duration,
    [
      ['500ms', 500],
      ['30s', 30_000],
      ['2m', 120_000],
      ['24h', 86_400_000],
    ],
  ],
  [
    serverUrl,
    [
      ['http://127.0.0.1:8787', 'http://127.0.0.1:8787'],
      ['http://localhost/', 'http://localhost'],
      ['https://[::1]:1', 'https://[::1]:1'],
    ],
  ],
  [text, [['call-analysis', 'call-analysis']]],
];

const REFUSED: readonly [Parse<unknown>, string[]][] = [
  [port, ['-1', '65536', '80.5', '0x50', '', ' 80', 'http', '1e3', '99999999999']],
  [concurrency, ['0', '10001', 'many', '2.5']],
  [waitMs, ['0', '3600001', '1s']],
  [duration, ['30', '0s', '1.5s', '-1s', 's', '30 s', '25h', '1d', '999999999h']],
  [
    serverUrl,
    ['127.0.0.1:8787', 'ftp://localhost', 'http://', 'http://x/path', 'http://x?q', 'http://user@x', 'localhost'],
  ],
  [text, ['', ' ']],
];

test('values at both limits are read', () => {
  for (const [parse, cases] of ALLOWED)
    for (const [given, value] of cases) assert.equal(parse(given, '--flag'), value, given);
});

test('values beyond the limits are refused with the flag, what was given and what is allowed', () => {
  for (const [parse, cases] of REFUSED) {
    for (const given of cases) {
      assert.throws(
        () => parse(given, '--flag'),
        (error) => {
          assert.ok(error instanceof CliError, given);
          assert.equal(error.code, 'FLAG_INVALID');
          assert.match(error.message, /^--flag was given as ".*"; allowed: .+\.$/);
          return true;
        },
      );
    }
  }
});

test('the port of the environment is read, none if empty, refused by name if bad', () => {
  assert.equal(portOfEnvironment({}), undefined);
  assert.equal(portOfEnvironment({ SOPHIA_PORT: '' }), undefined);
  assert.equal(portOfEnvironment({ SOPHIA_PORT: '9000' }), 9_000);
  assert.throws(() => portOfEnvironment({ SOPHIA_PORT: 'http' }), {
    code: 'ENVIRONMENT_INVALID',
    message: /SOPHIA_PORT is "http"/,
  });
});

test('every code of the command explains itself in one line and ends with a documented exit code', () => {
  const documented = new Set(Object.values(EXIT).map(String));
  for (const code of Object.keys(CLI_ERROR_CODES) as (keyof typeof CLI_ERROR_CODES)[]) {
    const { line, exitCode } = explain(new CliError(code, 'Said.'));
    assert.equal(line, `${code}: Said.`);
    assert.ok(documented.has(String(exitCode)));
  }
  for (const exitCode of documented) assert.match(exitCodesHelp(), new RegExp(`^ {2}${exitCode} `, 'm'));
});
