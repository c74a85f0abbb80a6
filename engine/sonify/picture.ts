import { existsSync } from 'node:fs';
import { fileToOpen } from '../../models/audio/index.ts';
import { melPicture, MOST_SECONDS } from '../../models/audio/mel-picture.ts';
import { EngineError } from '../api/errors.ts';
import type { MelPicture, PictureOf } from '../api/sonify.ts';
import type { EngineContext } from '../context.ts';
import { cutSamples } from '../decode/cut.ts';
import type { Library } from '../library/library.ts';
import { packOfSpace } from '../packs/of-space.ts';

/** Hz: up to 11 kHz is looked at. */
const SAMPLE_RATE = 22_050;

/**
 * What a sound, or a window of a recording, looks like.
 * @throws EngineError `not-found`; `unreadable` for a file that is gone; `pack` where the pack that says how long windows
 * are is gone. AudioError for one that cannot be decoded; the signal's reason
 */
export async function pictureOf(
  context: EngineContext,
  library: Library,
  of: PictureOf,
  signal: AbortSignal,
): Promise<MelPicture> {
  const { path, start, seconds } = partOf(context, library, of);
  if (!existsSync(fileToOpen(path)))
    throw new EngineError('unreadable', `${path} is not there.`, 'Connect its drive, or rescan the library.');
  const part = { startSeconds: start, seconds };
  const heard = await cutSamples(context.readers, path, part, { sampleRate: SAMPLE_RATE, signal });
  return { ...melPicture(heard, SAMPLE_RATE), durationSeconds: heard.length / SAMPLE_RATE };
}

function partOf(
  context: EngineContext,
  library: Library,
  of: PictureOf,
): { path: string; start: number; seconds: number } {
  if (of.kind === 'sound') {
    if (!library.sonifications.find(context.media, of.soundId))
      throw new EngineError('not-found', 'That sound is not there any more.', 'Make it again.');
    return { path: library.sonifications.path(of.soundId), start: 0, seconds: MOST_SECONDS };
  }
  const { space, windowIndex, startSeconds } = library.embeddings.ofTrack(of.trackId);
  const row = windowIndex.indexOf(of.windowIndex);
  if (row < 0) throw new EngineError('not-found', 'There is no such window.');
  const { windowSamples, sampleRate } = packOfSpace(context, space, 'this window was embedded with').manifest;
  const path = library.absolutePath(library.tracks.file(of.trackId).path);
  return { path, start: startSeconds[row] ?? 0, seconds: windowSamples / sampleRate };
}
