// Between the slices, which know nothing of agents, and core, which judges a failed run by its error.
import { InputError } from '@sophia-ai/core';
import { InputProblem } from './input-problem.ts';

/** Runs the work; an `InputProblem` comes out as core's `InputError`, which leaves the agent clean. */
export async function asInputError<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof InputProblem)) throw error;
    throw new InputError(error.message, error.field === undefined ? {} : { field: error.field });
  }
}
