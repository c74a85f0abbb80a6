/** Errors of readers on their way through the wire. */
import { asAudioError, decodeErrorCoding } from '../decode/protocol.ts';
import { ThreadFailure } from '../threads/call-thread.ts';
import { EngineError } from '../wire/errors.ts';

/** What a reader threw, for the wire. */
export function readerErrorCoding(thrown: unknown): EngineError {
  if (thrown instanceof ThreadFailure)
    return new EngineError('unreadable', thrown.message, '', { detail: { code: 'thread' } });
  return decodeErrorCoding(thrown);
}

/** The inverse of {@link readerErrorCoding}; anything else stays as it is. */
export function fromReaderErrorCoding(thrown: unknown): unknown {
  if (thrown instanceof EngineError && thrown.code === 'unreadable' && thrown.detail?.['code'] === 'thread')
    return new ThreadFailure(thrown.message, { cause: thrown });
  return asAudioError(thrown);
}
