/** A refusal the user can act on: `message` says what is wrong with notes or their file, `hint` what to do next. */
export class MelodyError extends Error {
  override readonly name: string = 'MelodyError';
  readonly hint: string;

  constructor(message: string, hint: string, options?: ErrorOptions) {
    super(message, options);
    this.hint = hint;
  }
}
