/** Why a prototype network cannot be trained, edited or read. */
export type PrototypeErrorCode =
  'shape' | 'not-finite' | 'labels' | 'empty-class' | 'parameters' | 'diverged' | 'last-prototype' | 'file';

/** A problem with the data or the parameters of a prototype network; the message says what, `hint` what to do. */
export class PrototypeError extends Error {
  override readonly name = 'PrototypeError';

  constructor(
    readonly code: PrototypeErrorCode,
    message: string,
    readonly hint: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
