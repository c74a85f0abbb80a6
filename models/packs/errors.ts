/** What is wrong with a pack, as one word that callers may switch on. */
export type PackErrorCode =
  | 'missing'
  | 'manifest'
  | 'hash'
  | 'size'
  | 'unsafe-path'
  | 'external-data'
  | 'graph'
  | 'not-generative'
  | 'limit';

const hints: Record<PackErrorCode, string> = {
  missing: 'Check the folder, or install the pack again.',
  manifest: 'The pack was made by another version or by hand: ask its maker for a valid pack.json.',
  hash: 'The file was changed or damaged after the pack was made: install the pack again.',
  size: 'The file is incomplete or too large: install the pack again.',
  'unsafe-path': 'Do not use this pack: its files must be plain regular files inside its own folder.',
  'external-data': 'Ask the maker of the pack to store all weights inside the ONNX files.',
  graph: 'The model does not do what the pack promises: install the pack again or choose another one.',
  'not-generative': 'Choose a generative pack to turn vectors into sound.',
  limit: 'Use another pack.',
};

/** A pack that cannot be used: the message says what happened, {@link PackError.hint} what to do next. */
export class PackError extends Error {
  readonly code: PackErrorCode;
  readonly hint: string;
  /** Name of the file inside the pack that is at fault. */
  readonly file?: string;

  constructor(
    code: PackErrorCode,
    message: string,
    options: { file?: string; hint?: string; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'PackError';
    this.code = code;
    this.hint = options.hint ?? hints[code];
    if (options.file !== undefined) this.file = options.file;
  }
}
