/** How the command ends, for scripts. Values above 63 are those of sysexits(3); 130 is 128 + SIGINT. */

export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  unavailable: 69,
  internal: 70,
  noPermission: 77,
  config: 78,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const MEANINGS: Readonly<Record<keyof typeof EXIT, string>> = {
  ok: 'done; for serve and start: stopped by a signal, with every run finished',
  failed: 'the work failed: runs failed, none succeeded, or a second signal cut it short',
  usage: 'a command, flag, argument or environment variable is not known or not allowed',
  unavailable: 'the port is taken, or the server of --url does not answer as one of ours',
  internal: 'a fault of sophia itself; please report it',
  noPermission: 'this user may not listen on the port',
  config: 'refused: a host that other machines can reach, or an agent class that breaks its contract',
  interrupted: 'load was ended early with Ctrl-C; its table shows what was done',
};

/** The table at the end of `--help`. */
export function exitCodesHelp(): string {
  const names = Object.keys(EXIT) as (keyof typeof EXIT)[];
  return ['Exit codes:', ...names.map((name) => `  ${String(EXIT[name]).padEnd(5)}${MEANINGS[name]}`)].join('\n');
}
