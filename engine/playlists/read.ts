import { EngineError } from '../api/errors.ts';
import { labelContract, type PlaylistAnswer } from '../taxonomies/label-protocol.ts';
import type { AskThread } from '../threads/ask.ts';
import { ThreadFailure, type ThreadLimits } from '../threads/call-thread.ts';

/** A thread takes longer to start than most playlists to read. */
const TOGETHER = 64;

/**
 * Reads the playlists of files in threads of their own, which are ended when they need too much time or memory. Files that
 * are read together when that happens are read again one by one, so that only the one to blame is given up.
 * @returns an answer for each file, in order · @throws the signal's reason on abort
 */
export async function readPlaylistFiles(
  ask: AskThread,
  paths: readonly string[],
  signal: AbortSignal,
  limits: ThreadLimits = { stallMs: 60_000, memoryMb: 1536 },
): Promise<PlaylistAnswer[]> {
  const answers: PlaylistAnswer[] = [];
  const read = (some: readonly string[]): Promise<PlaylistAnswer[]> =>
    ask('label', labelContract, 'playlists', { paths: [...some] }, { limits, signal });
  for (let first = 0; first < paths.length; first += TOGETHER) {
    signal.throwIfAborted();
    const batch = paths.slice(first, first + TOGETHER);
    try {
      answers.push(...(await read(batch)));
    } catch (thrown) {
      if (!(thrown instanceof ThreadFailure)) throw thrown;
      for (const path of batch) answers.push(...(await read([path]).catch(givenUp(path))));
    }
  }
  return answers;
}

const givenUp =
  (path: string) =>
  (thrown: unknown): PlaylistAnswer[] => {
    if (!(thrown instanceof ThreadFailure)) throw thrown;
    const error = new EngineError(
      'unreadable',
      `${path} cannot be read: ${thrown.message}.`,
      'Is it a playlist? Check its drive, or export fewer playlists at once.',
    );
    return [{ problem: error.toData() }];
  };
