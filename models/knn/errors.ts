/** Why a reduction, a kNN prediction or a neighbour search was refused. */
export type ReductionErrorCode =
  'empty' | 'no-labels' | 'shape' | 'not-finite' | 'bad-label' | 'bad-parameter' | 'unknown-method';

/** A refusal the user can act on: `message` says what is wrong, `hint` what to do next. */
export class ReductionError extends Error {
  override readonly name = 'ReductionError';
  readonly code: ReductionErrorCode;
  readonly hint: string;

  constructor(code: ReductionErrorCode, message: string, hint: string) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}
