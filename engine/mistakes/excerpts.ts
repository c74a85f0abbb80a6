import { AudioError } from '../../models/audio/index.ts';
import {
  agreementOf,
  HEARD_RATE,
  HEARD_SECONDS,
  outlineAgreement,
  SAME_RECORDING,
} from '../../models/mistakes/same-recording.ts';
import type { Peaks } from '../api/tracks.ts';
import { cutSamples } from '../decode/cut.ts';
import type { AudioDecoder } from '../decode/index.ts';

/** Of excerpts that are kept: those of some thousand one-shots, or of eight hundred longer sounds. */
const MOST_BYTES = 64 * 2 ** 20;
/** The loudest moment is looked for in so many seconds from the start: what lies before it has to be decoded as well. */
const SOUGHT_SECONDS = 20;
/** Outlines that agree less are of two recordings, and nothing need be decoded. */
const LEAST_OUTLINE = 0.8;

/** What is known of a track before it is heard. */
export interface SoundToHear {
  path: string;
  peaks: Pick<Peaks, 'values' | 'perSecond'> | null;
}

/** Short parts of tracks, decoded to be compared. */
export class Excerpts {
  readonly #soundOf: (trackId: string) => SoundToHear | null;
  readonly #decoder: Pick<AudioDecoder, 'decode'>;
  readonly #signal: AbortSignal;
  readonly #kept = new Map<string, Float32Array | null>();
  #bytes = 0;

  constructor(
    soundOf: (trackId: string) => SoundToHear | null,
    decoder: Pick<AudioDecoder, 'decode'>,
    signal: AbortSignal,
  ) {
    this.#soundOf = soundOf;
    this.#decoder = decoder;
    this.#signal = signal;
  }

  /** Null where one of them cannot be read. @throws the signal's reason */
  async same(trackId: string, other: string): Promise<boolean | null> {
    const [own, its] = [this.#soundOf(trackId), this.#soundOf(other)];
    if (!own || !its) return null;
    if (own.peaks && its.peaks) {
      const agreement = outlineAgreement(own.peaks.values, its.peaks.values);
      if (agreement !== null && agreement < LEAST_OUTLINE) return false;
    }
    const start = own.peaks ? startOf(own.peaks) : 0;
    const a = await this.#excerpt(own.path, start);
    const b = a && (await this.#excerpt(its.path, start));
    return a && b && agreementOf(a, b) >= SAME_RECORDING;
  }

  async #excerpt(path: string, startSeconds: number): Promise<Float32Array | null> {
    const key = `${String(startSeconds)} ${path}`;
    const known = this.#kept.get(key);
    if (known !== undefined) return known;
    const samples = await this.#decode(path, startSeconds);
    this.#kept.set(key, samples);
    this.#bytes += samples?.byteLength ?? 0;
    for (const [old, its] of this.#kept) {
      if (this.#bytes <= MOST_BYTES || old === key) break;
      this.#kept.delete(old);
      this.#bytes -= its?.byteLength ?? 0;
    }
    return samples;
  }

  async #decode(path: string, startSeconds: number): Promise<Float32Array | null> {
    try {
      const samples = await cutSamples(
        this.#decoder,
        path,
        { startSeconds, seconds: HEARD_SECONDS },
        { sampleRate: HEARD_RATE, signal: this.#signal },
      );
      // A copy, so that no more is kept than was heard.
      return samples.length === 0 ? null : samples.slice();
    } catch (thrown) {
      this.#signal.throwIfAborted();
      // A file that is gone or damaged is no fault of looking for mistakes: the list of damaged ones names it.
      if (thrown instanceof AudioError) return null;
      throw thrown;
    }
  }
}

/** Where to listen, seconds: a little before the loudest moment; a short sound is heard whole, and decoded once for all its pairs. */
function startOf({ values, perSecond }: Pick<Peaks, 'values' | 'perSecond'>): number {
  if (values.length >> 1 <= HEARD_SECONDS * perSecond) return 0;
  let [at, most] = [0, -1];
  for (let slice = 0; slice < Math.min(values.length >> 1, SOUGHT_SECONDS * perSecond); slice++) {
    const height = (values[2 * slice + 1] ?? 0) - (values[2 * slice] ?? 0);
    if (height > most) [at, most] = [slice, height];
  }
  return Math.max(0, at / perSecond - HEARD_SECONDS / 5);
}
