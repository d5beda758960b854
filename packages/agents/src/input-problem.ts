/**
 * What is wrong with an input, said so that the sender can mend it: what happened, why, what to do.
 * The slices throw it, in a worker or not; the agents turn it into core's `InputError`.
 */
export class InputProblem extends Error {
  override readonly name: string = 'InputProblem';
  /** Path of the offending part of the input, such as `turns.3.text`. */
  readonly field: string | undefined;

  constructor(message: string, field?: string) {
    super(message);
    this.field = field;
  }
}
