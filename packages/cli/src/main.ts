#!/usr/bin/env node
/** The command `sophia`: reads the command line, runs one command, ends with its exit code. */

import { Command as Commander, CommanderError, Option } from 'commander';
import { CliError, explain } from './cli-error.ts';
import type { CliErrorCode } from './cli-error.ts';
import { COMMANDS } from './commands.ts';
import type { Command, Flag } from './commands.ts';
import { EXIT, exitCodesHelp } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';

/** What the parser calls its findings, and what we do. */
const PARSER_CODES: Readonly<Record<string, CliErrorCode>> = {
  'commander.excessArguments': 'ARGUMENT_UNEXPECTED',
  'commander.missingMandatoryOptionValue': 'FLAG_MISSING',
  'commander.optionMissingArgument': 'FLAG_INVALID',
  'commander.unknownCommand': 'COMMAND_UNKNOWN',
  'commander.unknownOption': 'FLAG_UNKNOWN',
};

async function run(argv: readonly string[]): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.ok;
  const program = quiet(new Commander('sophia'))
    .description('Keeps AI agents warm, hands one out in about a microsecond, and shows how they perform.')
    .helpCommand('help [command]', 'show the help of a command')
    .addHelpText('after', `\n${exitCodesHelp()}`);
  for (const command of COMMANDS) {
    program.addCommand(
      toCommander(command, (code) => {
        exitCode = code;
      }),
    );
  }
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    return ended(error);
  }
  return exitCode;
}

function toCommander(command: Command, onEnd: (code: ExitCode) => void): Commander {
  const commander = quiet(new Commander(command.name))
    .description(command.description)
    .allowExcessArguments(false)
    .addHelpText('after', `\n${exitCodesHelp()}`)
    .action(async (flags: object) => onEnd(await command.run(flags as never)));
  for (const flag of command.flags) commander.addOption(toOption(flag));
  return commander;
}

function toOption({ flags, description, parse, defaultValue, required }: Flag): Option {
  const option = new Option(flags, description);
  if (parse !== undefined) option.argParser((text) => parse(text, flags.split(' ')[0] as string));
  if (defaultValue !== undefined) option.default(defaultValue.value, defaultValue.shown);
  return option.makeOptionMandatory(required === true);
}

/** The parser throws instead of ending the process, and leaves the words to us. */
function quiet(commander: Commander): Commander {
  return commander.exitOverride().configureOutput({ outputError: () => undefined });
}

function ended(error: unknown): ExitCode {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return EXIT.ok;
    // Without a command there is nothing to correct: the help has been shown.
    if (error.code === 'commander.help') return EXIT.usage;
    const code = PARSER_CODES[error.code] ?? 'FLAG_INVALID';
    const said = error.message
      .replace(/^error: /, '')
      .replaceAll(/\s*\n\s*/g, ' ')
      .replace(/\.$/, '');
    return told(
      new CliError(
        code,
        `${said.charAt(0).toUpperCase()}${said.slice(1)}. See \`sophia --help\` and \`sophia help <command>\`.`,
      ),
    );
  }
  return told(error);
}

function told(error: unknown): ExitCode {
  const { line, exitCode } = explain(error);
  process.stderr.write(`sophia: ${line}\n`);
  return exitCode;
}

// Everything that was opened has been closed; what a dependency may have left must not hold the process.
process.exit(await run(process.argv.slice(2)));
