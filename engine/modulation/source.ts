import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileToOpen } from '../../models/audio/index.ts';
import { FRAME, SAMPLE_RATE } from '../../models/modulation/spectra.ts';
import { EngineError } from '../api/errors.ts';
import { MOST_MODULATION_SECONDS, type ParsedModulationSource } from '../api/modulation.ts';
import type { EngineContext } from '../context.ts';
import { cutSamples, type AudioPart } from '../decode/cut.ts';
import type { Library } from '../library/library.ts';

/**
 * What is looked at, mono, 16 kHz.
 * @throws EngineError `not-found`; `unreadable` for a file that is gone; `bad-input` for a part with nothing in it, and for a
 * track or a sound without its library. AudioError for a file that cannot be decoded; the signal's reason
 */
export async function samplesOf(
  context: EngineContext,
  libraryId: string | null,
  of: ParsedModulationSource,
  signal: AbortSignal,
): Promise<Float32Array> {
  const path = pathOf(context, libraryId, of);
  const part = partOf(of);
  if (part.seconds <= 0)
    throw new EngineError('bad-input', 'The part ends before it begins.', 'Select another part.');
  const samples = await readPart(context, path, part, signal);
  if (samples.length < FRAME)
    throw new EngineError(
      'bad-input',
      'There is no sound in that part.',
      'Select a part that begins before the sound ends, and that is not shorter than 16 ms.',
    );
  return samples;
}

/** @throws EngineError `unreadable`; AudioError; the signal's reason */
export function readPart(
  context: EngineContext,
  path: string,
  part: AudioPart,
  signal: AbortSignal,
): Promise<Float32Array> {
  if (!existsSync(fileToOpen(path)))
    throw new EngineError('unreadable', `${path} is not there.`, 'Connect its drive, or rescan the library.');
  return cutSamples(context.readers, path, part, { sampleRate: SAMPLE_RATE, signal });
}

function pathOf(context: EngineContext, libraryId: string | null, of: ParsedModulationSource): string {
  if (of.kind === 'file') return resolve(of.path);
  if (libraryId === null)
    throw new EngineError('bad-input', 'Of which library?', 'Name the library that the sound is of.');
  const library = context.libraries.get(libraryId);
  return of.kind === 'track'
    ? library.absolutePath(library.tracks.file(of.trackId).path)
    : pathOfSound(context, library, of.soundId);
}

function pathOfSound(context: EngineContext, library: Library, soundId: string): string {
  if (!library.sonifications.find(context.media, soundId))
    throw new EngineError('not-found', 'That sound is not there any more.', 'Make it again.');
  return library.sonifications.path(soundId);
}

function partOf(of: ParsedModulationSource): AudioPart {
  if (of.kind === 'sound') return { startSeconds: 0, seconds: MOST_MODULATION_SECONDS };
  const { startSeconds, endSeconds } = of;
  const wanted = endSeconds === null ? MOST_MODULATION_SECONDS : endSeconds - startSeconds;
  return { startSeconds, seconds: Math.min(MOST_MODULATION_SECONDS, wanted) };
}
