/** Why a checkpoint, or a file that claims to be one, cannot be used. */
export type CheckpointErrorCode =
  /** Not a checkpoint at all: text, a web page, an archive of something else, an empty file. */
  | 'not-a-checkpoint'
  /** A container that exists but that Archetone does not read, such as the tar files before torch 0.1.10. */
  | 'unsupported'
  /** It ends too early: an interrupted download. */
  | 'truncated'
  /** Contradicts itself: overlapping entries, views outside of their storage, cyclic memo, absurd shapes. */
  | 'malformed'
  /** Asks for code to be run where a tensor is needed. */
  | 'unsafe'
  /** A tensor that the caller needs is not in the file. */
  | 'missing-tensor'
  /** Tensors that are there, but of a shape that no known model has. */
  | 'shape'
  /** A readable checkpoint of a model that Archetone does not know. */
  | 'unknown-model'
  /** Good by itself, but a pack needs another file with it. */
  | 'incomplete'
  /** A configuration that is not gin, or whose values cannot be. */
  | 'bad-config'
  /** The file cannot be opened or read. */
  | 'io';

/** Where in the file the fault is. */
export interface CheckpointFault {
  /** Byte within the pickle or the file. */
  offset?: number;
  /** `module.name` of the global that the pickle asks for. */
  global?: string;
  cause?: unknown;
}

/** A checkpoint that cannot be used: what was found, and what to do about it. */
export class CheckpointError extends Error {
  override readonly name = 'CheckpointError';
  readonly code: CheckpointErrorCode;
  /** One sentence for the user: what was expected and what to do. */
  readonly hint: string;
  readonly offset: number | undefined;
  readonly global: string | undefined;

  constructor(code: CheckpointErrorCode, message: string, hint: string, fault: CheckpointFault = {}) {
    super(message, fault.cause === undefined ? {} : { cause: fault.cause });
    this.code = code;
    this.hint = hint;
    this.offset = fault.offset;
    this.global = fault.global;
  }
}
