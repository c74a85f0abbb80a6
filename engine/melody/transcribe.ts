import type * as z from 'zod';
import { checkLimits } from '../../models/melody/midi.ts';
import { notesOf, oneVoice } from '../../models/melody/posteriors.ts';
import { pulseOf } from '../../models/melody/pulse.ts';
import { posteriorsOf, TRANSCRIBED_RATE } from '../../models/melody/transcribe.ts';
import { EngineError } from '../api/errors.ts';
import { melodyMethods, possibleTempo, type HeardMelody } from '../api/melody.ts';
import type { EngineContext } from '../context.ts';
import { cutSamples } from '../decode/cut.ts';
import type { JobHandle } from '../jobs/queue.ts';
import type { Library } from '../library/library.ts';
import { limits } from './play.ts';

/** What a job that hears notes is told. */
export const transcribeSpecSchema = melodyMethods['melody.transcribe'].input;

/**
 * The notes of a part of a track, counted from its beginning, and the tempo on whose grid all that is heard begins.
 * @throws EngineError `not-found`; `bad-input` where none is heard; AudioError; MelodyError for too many; the signal's reason
 */
export async function transcribeTrack(
  context: EngineContext,
  library: Library,
  request: Omit<z.output<typeof transcribeSpecSchema>, 'libraryId'>,
  job: JobHandle,
): Promise<HeardMelody> {
  const { trackId, startSeconds, seconds } = request;
  const path = library.absolutePath(library.tracks.file(trackId).path);
  const part = { startSeconds, seconds };
  const samples = await cutSamples(context.readers, path, part, {
    ...{ sampleRate: TRANSCRIBED_RATE, signal: job.signal },
  });
  const posteriors = await posteriorsOf(samples, {
    signal: job.signal,
    onWindow: (done, total) => job.report({ done, total, unit: 'windows' }),
  });
  const heard = notesOf(posteriors);
  const notes = request.oneVoice ? oneVoice(heard) : heard;
  if (notes.length === 0)
    throw new EngineError(
      'bad-input',
      'No note is heard in this part of the track.',
      'Choose another part in the player, or another track.',
    );
  checkLimits(notes, limits);
  // Of all voices, since most of the pulse is often in the others.
  const pulse = await pulseOf(heard, job.signal);
  return { notes, beatsPerMinute: pulse && possibleTempo(pulse.beatsPerMinute) };
}
