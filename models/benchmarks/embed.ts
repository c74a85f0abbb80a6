import type { PackRuntime } from '../packs/runtime.ts';
import { oneHot, type LabelledWindows } from '../embeddings/labelled-vectors.ts';
import type { Describer } from './handcrafted.ts';

/** Which sound it is, without its samples. */
export interface SoundName {
  /** Name that tells it from all others of its collection, e.g. its path inside the folder. */
  name: string;
  class: string;
  /** Sounds of one group never stand on both sides of a split: the album; the sound itself where there is none. */
  group: string;
}

/** A labelled sound with its windows. */
export interface CutSound extends SoundName {
  /** Each of the pack's `windowSamples`. */
  windows: Float32Array[];
}

const BATCH = 4;

/** A collection through a pack's encoder. */
export async function embedCollection(
  runtime: PackRuntime,
  sounds: readonly CutSound[],
  { signal }: { signal: AbortSignal },
): Promise<LabelledWindows> {
  const { embeddingDim: dim, windowSamples } = runtime.pack.manifest;
  return labelled(sounds, dim, async (windows, out) => {
    for (let first = 0; first < windows.length; first += BATCH) {
      signal.throwIfAborted();
      const batch = windows.slice(first, first + BATCH);
      const waveforms = new Float32Array(batch.length * windowSamples);
      batch.forEach((window, i) => waveforms.set(window, i * windowSamples));
      out.set(await runtime.embed(waveforms, batch.length), first * dim);
    }
  });
}

/** A collection through the hand-made features. */
export async function describeCollection(
  features: Describer,
  sounds: readonly CutSound[],
  { signal }: { signal: AbortSignal },
): Promise<{ logMel: LabelledWindows; mfcc: LabelledWindows }> {
  const described: { logMel: Float32Array; mfcc: Float32Array }[] = [];
  for (const window of sounds.flatMap((sound) => sound.windows)) {
    signal.throwIfAborted();
    described.push(await features.describe(window));
  }
  const of = (kind: 'logMel' | 'mfcc'): Promise<LabelledWindows> => {
    const dim = described[0]?.[kind].length ?? 0;
    return labelled(sounds, dim, (_windows, out) => {
      described.forEach((entry, row) => out.set(entry[kind], row * dim));
      return Promise.resolve();
    });
  };
  return { logMel: await of('logMel'), mfcc: await of('mfcc') };
}

async function labelled(
  sounds: readonly CutSound[],
  dim: number,
  fill: (windows: Float32Array[], out: Float32Array) => Promise<void>,
): Promise<LabelledWindows> {
  const windows = sounds.flatMap((sound) => sound.windows);
  const out = new Float32Array(windows.length * dim);
  await fill(windows, out);
  const counts = sounds.map((sound) => sound.windows.length);
  return labelledRows(sounds, counts, out, dim);
}

/**
 * Vectors of sounds' windows as a labelled set; classes in alphabetical order.
 * @param counts windows of each sound
 * @param features `[sum of counts, dim]`
 */
export function labelledRows(
  sounds: readonly SoundName[],
  counts: readonly number[],
  features: Float32Array,
  dim: number,
): LabelledWindows {
  const labelNames = [...new Set(sounds.map((sound) => sound.class))].sort();
  const of = Int32Array.from(counts.flatMap((count, i) => Array<number>(count).fill(i)));
  const columns = Array.from(of, (i) => labelNames.indexOf(sounds[i]?.class ?? ''));
  return {
    ...{ features, count: of.length, dim, labels: oneHot(columns, labelNames.length), labelNames },
    tracks: { of, ids: sounds.map(({ name }) => name), groups: sounds.map(({ group }) => group) },
  };
}
