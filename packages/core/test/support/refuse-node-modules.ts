/** Preloaded into a process of its own: refuses every Node module that our sources ask for. */

import { builtinModules, registerHooks } from 'node:module';

const builtin = new Set(builtinModules);

registerHooks({
  resolve(specifier, context, nextResolve) {
    const isOurs = context.parentURL?.includes('/core/src/') === true;
    if (isOurs && (specifier.startsWith('node:') || builtin.has(specifier))) {
      throw new Error(`${specifier} was asked for by ${context.parentURL}`);
    }
    return nextResolve(specifier, context);
  },
});
