import { AudioError } from '../../models/audio/index.ts';
import { EngineError } from '../api/errors.ts';
import type { EngineErrorData } from '../api/errors.ts';

/** The reason for people, and the decoder's own name for it. */
export function describeFailure(thrown: unknown): { problem: EngineErrorData; detail: string } {
  if (thrown instanceof AudioError) {
    const code = thrown.code === 'missing' || thrown.code === 'unreadable' ? 'unreadable' : 'audio';
    return { problem: { code, message: thrown.message, hint: thrown.hint }, detail: thrown.code };
  }
  const error = EngineError.from(thrown);
  return { problem: error.toData(), detail: error.code };
}
