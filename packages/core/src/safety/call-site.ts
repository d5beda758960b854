/** Where in the user's code something was called. */

/** The folder of this package: its own frames tell a user nothing. */
const OWN = new URL('..', import.meta.url).href;

/** The frames of the current stack that are not Sophia's own, innermost first. */
export function userFrames(): string[] {
  const frames = new Error('where').stack?.split('\n').slice(1) ?? [];
  return frames.filter((frame) => !frame.includes(OWN)).map((frame) => frame.trim());
}
