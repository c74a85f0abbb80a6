import { melBank } from '../audio/mel-bank.ts';
import { powerSpectra } from '../handmade/spectra.ts';
import { GraphBuilder } from '../onnx/builder.ts';
import { InferenceSession, Tensor } from '../onnx/runtime.ts';

/** Rate at which onsets and tempo are looked for, and the frames: librosa’s own. */
export const ONSET_RATE = 22_050;
export const ONSET_HOP = 512;
const SIZE = 2048;
const BANDS = 128;
/** Frames that are worked on at once. */
const BLOCK = 256;
const BLOCK_SAMPLES = (BLOCK - 1) * ONSET_HOP + SIZE;
/** dB below the loudest band that still count. */
const RANGE_DB = 80;
const SILENT_DB = -100;
/** Mean rise in dB from which anything begins at all: below it a steady sound has no onsets, only rounding. */
const LEAST_RISE = 0.5;

let session: Promise<InferenceSession> | null = null;

/** Mel bands in dB of sound that comes in pieces, and from them how much begins in every frame. */
export class OnsetEnvelope {
  /** Half a frame of silence stands before the first sample. */
  #waiting = new Float32Array(SIZE / 2);
  #samples = 0;
  readonly #blocks: Float32Array[] = [];

  /** @param samples at 22,050 Hz */
  async push(samples: Float32Array): Promise<void> {
    this.#samples += samples.length;
    await this.#take(samples);
  }

  /** `[frames]`: mean rise of the bands from the frame before, dB; how librosa’s `onset_strength` defines it. */
  async result(): Promise<Float32Array> {
    const frames = 1 + Math.floor(this.#samples / ONSET_HOP);
    // The rest and half a frame of silence, and as much of it as fills the last block.
    await this.#take(new Float32Array(SIZE / 2));
    if (this.#blocks.length * BLOCK < frames)
      await this.#take(new Float32Array(BLOCK_SAMPLES - this.#waiting.length));
    const at = (frame: number): Float32Array => {
      const block = this.#blocks[Math.floor(frame / BLOCK)] ?? new Float32Array(BLOCK * BANDS);
      const row = frame % BLOCK;
      return block.subarray(row * BANDS, (row + 1) * BANDS);
    };
    let loudest = SILENT_DB;
    for (let t = 0; t < frames; t++) for (const level of at(t)) loudest = Math.max(loudest, level);
    const floor = loudest - RANGE_DB;
    const rises = new Float32Array(frames);
    for (let t = 1; t < frames; t++) {
      const [now, before] = [at(t), at(t - 1)];
      let sum = 0;
      for (let b = 0; b < BANDS; b++)
        sum += Math.max(0, Math.max(floor, now[b] ?? floor) - Math.max(floor, before[b] ?? floor));
      rises[t] = sum / BANDS;
    }
    return rises;
  }

  async #take(samples: Float32Array): Promise<void> {
    const all = new Float32Array(this.#waiting.length + samples.length);
    all.set(this.#waiting);
    all.set(samples, this.#waiting.length);
    let from = 0;
    for (; from + BLOCK_SAMPLES <= all.length; from += BLOCK * ONSET_HOP)
      this.#blocks.push(await levelsOf(all.subarray(from, from + BLOCK_SAMPLES)));
    this.#waiting = all.slice(from);
  }
}

/** dB `[BLOCK, BANDS]` of a block. */
async function levelsOf(samples: Float32Array): Promise<Float32Array> {
  session ??= InferenceSession.create(graph(), { intraOpNumThreads: 1, interOpNumThreads: 1 }).catch(
    (thrown: unknown) => {
      // Memory may be free again next time.
      session = null;
      throw thrown;
    },
  );
  const waveform = new Tensor('float32', Float32Array.from(samples), [1, BLOCK_SAMPLES]);
  const { power } = await (await session).run({ waveform });
  if (!(power?.data instanceof Float32Array)) throw new Error('the mel bands are no numbers');
  return power.data.map((value) => Math.max(SILENT_DB, 10 * Math.log10(Math.max(value, 1e-30))));
}

function graph(): Uint8Array {
  const g = new GraphBuilder('mel-power');
  const waveform = g.input('waveform', 'float32', ['batch', BLOCK_SAMPLES]);
  const spectra = powerSpectra(g, waveform, BLOCK_SAMPLES, { size: SIZE, hop: ONSET_HOP, centred: false });
  const { bins, weights } = melBank(BANDS, SIZE, ONSET_RATE, [0, ONSET_RATE / 2]);
  const bank = g.transpose(g.weight('bank', [BANDS, bins], weights), [1, 0]);
  g.output('power', g.matMul(spectra, bank), ['batch', BLOCK, BANDS]);
  return g.build();
}

/** Frames from one to the next of which both may be onsets, and over which the largest and the mean are taken. */
const [BEFORE_MAX, BEFORE_MEAN, AFTER_MEAN, WAIT] = [1, 4, 4, 1];
const ABOVE_MEAN = 0.07;

/** Frames in which something begins (S. Böck et al. 2012, with librosa’s settings). */
export function onsetsOf(envelope: Float32Array): number[] {
  const [low, high] = bounds(envelope);
  if (!(high - low >= LEAST_RISE)) return [];
  const scaled = envelope.map((value) => (value - low) / (high - low));
  const onsets: number[] = [];
  let last = -Infinity;
  scaled.forEach((value, t) => {
    const earlier = scaled.subarray(Math.max(0, t - BEFORE_MAX), t);
    if (earlier.some((other) => other > value)) return;
    const around = scaled.subarray(Math.max(0, t - BEFORE_MEAN), t + AFTER_MEAN + 1);
    const mean = around.reduce((a, b) => a + b, 0) / around.length;
    if (value < mean + ABOVE_MEAN || t - last <= WAIT) return;
    onsets.push(t);
    last = t;
  });
  return onsets;
}

function bounds(values: Float32Array): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
  return [low, high];
}
