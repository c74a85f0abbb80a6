import { z } from 'zod';

/** Everything that can go wrong at the engine's boundary. The code decides what a shell does; the text is for people. */
export const engineErrorCodes = [
  'bad-input',
  'not-found',
  'missing-folder',
  'unreadable',
  'empty-folder',
  'disk-full',
  'database',
  'database-newer',
  'library-busy',
  'pack',
  'audio',
  'too-few-labels',
  'training',
  'reduction',
  'cancelled',
  'engine-restarted',
  'internal',
] as const;

export const engineErrorSchema = z.object({
  code: z.enum(engineErrorCodes),
  /** What happened, in one sentence. */
  message: z.string(),
  /** What the person can do next; empty where nothing can be done. */
  hint: z.string(),
});

export type EngineErrorCode = (typeof engineErrorCodes)[number];
export type EngineErrorData = z.infer<typeof engineErrorSchema>;

/** A typed error that survives every boundary (MessagePort, command line, job records). */
export class EngineError extends Error {
  readonly code: EngineErrorCode;
  readonly hint: string;

  constructor(code: EngineErrorCode, message: string, hint = '', options?: ErrorOptions) {
    super(message, options);
    this.name = 'EngineError';
    this.code = code;
    this.hint = hint;
  }

  toData(): EngineErrorData {
    return { code: this.code, message: this.message, hint: this.hint };
  }

  static fromData(data: EngineErrorData): EngineError {
    return new EngineError(data.code, data.message, data.hint);
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
