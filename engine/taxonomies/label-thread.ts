import { EngineError } from '../api/errors.ts';
import type { AskThread } from '../threads/ask.ts';
import { ThreadFailure, type ThreadLimits } from '../threads/call-thread.ts';
import { labelContract, type LabelRequest } from './label-protocol.ts';
import type { LabelTable } from './label-table.ts';

/**
 * Reads a label file in a thread of its own, which is ended when it needs too much time or memory, or when the signal
 * aborts.
 * @throws EngineError `unreadable`, `bad-input`; the signal's reason on abort; Error when the worker does not start
 */
export async function readLabelTable(
  ask: AskThread,
  request: LabelRequest,
  signal: AbortSignal,
  limits: ThreadLimits = { stallMs: 30_000, memoryMb: 1024 },
): Promise<LabelTable> {
  try {
    return await ask('label', labelContract, 'read', request, { limits, signal });
  } catch (error) {
    if (!(error instanceof ThreadFailure)) throw error;
    throw new EngineError(
      'unreadable',
      `${request.path} cannot be read: ${error.message}.`,
      'Is it a table of paths and labels? Check its drive, or leave out rows of other music.',
    );
  }
}
