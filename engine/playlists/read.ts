import type { Playlist } from '../../models/playlists/playlist.ts';
import { EngineError } from '../api/errors.ts';
import type { AskThread } from '../threads/ask.ts';
import { ThreadFailure, type ThreadLimits } from '../threads/call-thread.ts';
import { labelContract } from '../taxonomies/label-protocol.ts';

/**
 * Reads the playlists of a file in a thread of its own, which is ended when it needs too much time or memory.
 * @throws EngineError `not-found`, `unreadable`, `bad-input`; the signal's reason on abort
 */
export async function readPlaylistFile(
  ask: AskThread,
  path: string,
  signal: AbortSignal,
  limits: ThreadLimits = { stallMs: 60_000, memoryMb: 1536 },
): Promise<Playlist[]> {
  try {
    return await ask('label', labelContract, 'playlists', { path }, { limits, signal });
  } catch (error) {
    if (!(error instanceof ThreadFailure)) throw error;
    throw new EngineError(
      'unreadable',
      `${path} cannot be read: ${error.message}.`,
      'Is it a playlist? Check its drive, or export fewer playlists at once.',
    );
  }
}
