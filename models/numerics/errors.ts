/** Why numbers cannot be computed with. */
export type NumericErrorCode =
  'empty' | 'no-labels' | 'shape' | 'not-finite' | 'bad-label' | 'bad-parameter' | 'unknown-method';

/** A refusal the user can act on: `message` says what is wrong with data or parameters, `hint` what to do next. */
export class NumericError extends Error {
  override readonly name: string = 'NumericError';
  readonly code: NumericErrorCode;
  readonly hint: string;

  constructor(code: NumericErrorCode, message: string, hint: string) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}
