/** Where in the user's code something was called. */

/** The stack of the caller, without its first line and without frames of `skipped` functions on top. */
export function callStack(skipped: (...args: never[]) => unknown): string | undefined {
  const holder: { stack?: string } = {};
  // Only V8 can begin a stack at a chosen caller; elsewhere it begins here.
  if (Error.captureStackTrace === undefined) return new Error().stack;
  Error.captureStackTrace(holder, skipped);
  return holder.stack?.replace(/^Error\n/, '');
}
