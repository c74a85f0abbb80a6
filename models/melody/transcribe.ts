import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { InferenceSession, Tensor } from '../onnx/runtime.ts';
import { MelodyError } from './errors.ts';
import { PITCHES, type Posteriors } from './posteriors.ts';

/** Hz, of what Basic Pitch listens to. */
export const TRANSCRIBED_RATE = 22_050;
const HOP = 256;
const WINDOW = 2 * TRANSCRIBED_RATE - HOP;
/** Frames at either side of a window that are another's. */
const SIDE = 15;
const STEP = WINDOW - 2 * SIDE * HOP;
const FILE = 'basic-pitch.onnx';
const [NOTES, ONSETS] = ['Identity_1', 'Identity_2'] as const;

/**
 * The converted network, in this order: in the resources of the packaged application, in the repository.
 * @throws MelodyError where it is not installed
 */
export function basicPitchFile(): string {
  // Only Electron has it; types of Node know nothing of it.
  const { resourcesPath } = process as { resourcesPath?: string };
  const here = import.meta.dirname;
  const places = [
    ...(resourcesPath === undefined ? [] : [join(resourcesPath, 'basic-pitch', FILE)]),
    join(here, 'basic-pitch', FILE),
    resolve(here, '../../models/melody/basic-pitch', FILE),
  ];
  const found = places.find((place) => existsSync(place));
  if (found === undefined)
    throw new MelodyError(
      `The network that hears notes is not in ${places.join(' or ')}.`,
      'Install Archetone again.',
    );
  return found;
}

/**
 * What sounds and what begins in a recording, by Basic Pitch (Bittner and others, ICASSP 2022), in windows of two seconds.
 * @param samples mono, at {@link TRANSCRIBED_RATE}
 * @param onWindow how many windows are done, of how many
 * @throws the signal's reason
 */
export async function posteriorsOf(
  samples: Float32Array,
  { signal, onWindow }: { signal?: AbortSignal; onWindow?: (done: number, total: number) => void } = {},
): Promise<Posteriors> {
  const session = await InferenceSession.create(basicPitchFile(), { graphOptimizationLevel: 'all' });
  try {
    const [input = ''] = session.inputNames;
    const total = Math.max(1, Math.ceil(samples.length / STEP));
    const [notes, onsets, seconds]: [Float32Array[], Float32Array[], number[]] = [[], [], []];
    for (let w = 0; w < total; w++) {
      signal?.throwIfAborted();
      const window = new Float32Array(WINDOW);
      // What comes before the beginning is silence: its first frames are cut off.
      const from = w * STEP - SIDE * HOP;
      const part = samples.subarray(Math.max(0, from), from + WINDOW);
      window.set(part, Math.max(0, -from));
      const out = await session.run({ [input]: new Tensor('float32', window, [1, WINDOW, 1]) });
      const [own, begins] = [out[NOTES]?.data, out[ONSETS]?.data];
      if (!(own instanceof Float32Array) || !(begins instanceof Float32Array))
        throw new Error('Basic Pitch gave no notes');
      // As many frames as are this window's alone: the next one begins where they end.
      const frames = Math.min(own.length / PITCHES - 2 * SIDE, Math.ceil(STEP / HOP));
      let count = 0;
      for (let frame = 0; frame < frames; frame++) {
        const sample = w * STEP + frame * HOP;
        if (sample >= Math.min(samples.length, (w + 1) * STEP)) break;
        seconds.push(sample / TRANSCRIBED_RATE);
        count++;
      }
      const [first, last] = [SIDE * PITCHES, (SIDE + count) * PITCHES];
      notes.push(own.slice(first, last));
      onsets.push(begins.slice(first, last));
      onWindow?.(w + 1, total);
    }
    return { notes: joined(notes), onsets: joined(onsets), seconds: Float64Array.from(seconds) };
  } finally {
    await session.release();
  }
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
