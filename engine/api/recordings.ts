/** Sounds that were recorded from the microphone: to be classified, or to look for what sounds like them. */
import * as z from 'zod';
import { query } from '../wire/index.ts';
import { id, nothing } from './shared.ts';

/** One that is longer is ended. */
export const LONGEST_RECORDING_SECONDS = 120;
/** The window records at this rate, whatever the microphone does, Hz. */
export const RECORDING_RATE = 48_000;
/** Where nothing of a recording is louder, it holds no sound, dB re full scale. */
export const SILENT_RECORDING_DBFS = -60;

export interface Recording {
  /** Also the name of its file, without the ending. */
  id: string;
  path: string;
  durationSeconds: number;
  bytes: number;
  /** ISO 8601. */
  recordedAt: string;
}

const sampleBytes = 2;
const mostBase64 = Math.ceil((LONGEST_RECORDING_SECONDS * RECORDING_RATE * sampleBytes) / 3) * 4;

export const recordingsMethods = {
  /**
   * Keeps a recording as a WAV file in Archetone's own folder, where it stays until it is removed.
   * @throws EngineError `audio` for one that is too short or silent; `disk-full`
   */
  'recordings.keep': query<Recording>()(
    z.strictObject({
      /** Mono samples at {@link RECORDING_RATE}, 16 bits each, the lower byte first. */
      pcm: z.base64().min(1).max(mostBase64),
    }),
  ),
  /** What was recorded and not removed, the newest first. */
  'recordings.list': query<Recording[]>()(nothing),
  /** Deletes recordings; those that are not there any more are gone already. */
  'recordings.remove': query<null>()(z.strictObject({ ids: z.array(id).min(1).max(10_000) })),
};
