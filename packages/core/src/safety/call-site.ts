/** Where in the user's code something was called. */

/** The folder of this package: its own frames tell a user nothing. Unknown in runtimes that hide where modules are. */
const OWN: string | undefined =
  typeof import.meta.url === 'string' && URL.canParse('..', import.meta.url)
    ? new URL('..', import.meta.url).href
    : undefined;

/** Remembers the current stack. Cheap: it becomes text only when it is read. */
export function here(): Error {
  return new Error('here');
}

/** The frames of a remembered stack that are not Sophia's own, innermost first. */
export function userFrames({ stack }: Error): string[] {
  const frames = (stack?.split('\n').slice(1) ?? []).map((frame) => frame.trim());
  const others = frames.filter((frame) => OWN === undefined || !frame.includes(OWN));
  // In a bundle everything stands in one folder: then all frames are better than none.
  return others.length > 0 ? others : frames;
}
