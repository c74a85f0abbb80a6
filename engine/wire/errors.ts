import * as z from 'zod';

/** Everything that can go wrong at the engine's boundary. The code decides what a shell does; the text is for people. */
const engineErrorCodes = [
  'bad-input',
  'not-found',
  'not-permitted',
  'missing-folder',
  'unreadable',
  'empty-folder',
  'disk-full',
  'database',
  'database-newer',
  'library-busy',
  'other-space',
  'several-views',
  'busy',
  'pack',
  'audio',
  'queue',
  'store',
  'too-few-labels',
  'training',
  'reduction',
  'cancelled',
  'engine-restarted',
  'other-version',
  'internal',
] as const;

export const engineErrorSchema = z.object({
  code: z.enum(engineErrorCodes),
  /** What happened, in one sentence. */
  message: z.string(),
  /** What the person can do next; empty where nothing can be done. */
  hint: z.string(),
  /** What the code of an error of the models was, for those who turn it back into one; nothing for people. */
  detail: z.record(z.string(), z.union([z.string(), z.number(), z.null()])).optional(),
});

export type EngineErrorCode = (typeof engineErrorCodes)[number];
export type EngineErrorData = z.infer<typeof engineErrorSchema>;
export type EngineErrorDetail = NonNullable<EngineErrorData['detail']>;

/** A typed error that survives every boundary (processes, threads, command line, job records). */
export class EngineError extends Error {
  readonly code: EngineErrorCode;
  readonly hint: string;
  readonly detail: EngineErrorDetail | undefined;

  constructor(
    code: EngineErrorCode,
    message: string,
    hint = '',
    options: ErrorOptions & { detail?: EngineErrorDetail | undefined } = {},
  ) {
    super(message, options);
    this.name = 'EngineError';
    this.code = code;
    this.hint = hint;
    this.detail = options.detail;
  }

  toData(): EngineErrorData {
    const { code, message, hint, detail } = this;
    return { code, message, hint, ...(detail === undefined ? {} : { detail }) };
  }

  static fromData({ code, message, hint, detail }: EngineErrorData): EngineError {
    return new EngineError(code, message, hint, { detail });
  }

  /** Wraps anything thrown into a typed error; what is already typed, or an abort, keeps its meaning. */
  static from(thrown: unknown): EngineError {
    if (thrown instanceof EngineError) return thrown;
    if (thrown instanceof Error && thrown.name === 'AbortError') {
      return new EngineError('cancelled', 'Cancelled.', '', { cause: thrown });
    }
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    return new EngineError('internal', message, 'Please report this with the log file.', { cause: thrown });
  }
}
