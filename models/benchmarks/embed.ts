import type { PackRuntime } from '../packs/runtime.ts';
import type { LabelledSound, Represented } from './collection.ts';
import type { HandcraftedFeatures } from './handcrafted.ts';

/** A labelled sound with its windows, each of the pack's `windowSamples`. */
export interface CutSound extends LabelledSound {
  windows: Float32Array[];
}

const BATCH = 4;

/** A collection through a pack's encoder. */
export async function embedCollection(
  runtime: PackRuntime,
  sounds: readonly CutSound[],
  { signal }: { signal: AbortSignal },
): Promise<Represented> {
  const { embeddingDim: dim, windowSamples } = runtime.pack.manifest;
  return represent(sounds, dim, async (windows, out) => {
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
  features: HandcraftedFeatures,
  sounds: readonly CutSound[],
  { signal }: { signal: AbortSignal },
): Promise<{ logMel: Represented; mfcc: Represented }> {
  const described: { logMel: Float32Array; mfcc: Float32Array }[] = [];
  for (const window of sounds.flatMap((sound) => sound.windows)) {
    signal.throwIfAborted();
    described.push(await features.describe(window));
  }
  const of = (kind: 'logMel' | 'mfcc'): Promise<Represented> => {
    const dim = described[0]?.[kind].length ?? 0;
    return represent(sounds, dim, (_windows, out) => {
      described.forEach((entry, row) => out.set(entry[kind], row * dim));
      return Promise.resolve();
    });
  };
  return { logMel: await of('logMel'), mfcc: await of('mfcc') };
}

async function represent(
  sounds: readonly CutSound[],
  dim: number,
  fill: (windows: Float32Array[], out: Float32Array) => Promise<void>,
): Promise<Represented> {
  const windows = sounds.flatMap((sound) => sound.windows);
  const out = new Float32Array(windows.length * dim);
  await fill(windows, out);
  const soundOf = Int32Array.from(sounds.flatMap((sound, i) => sound.windows.map(() => i)));
  const plain = sounds.map(({ name, class: label, group }) => ({ name, class: label, group }));
  return { sounds: plain, dim, windows: out, soundOf };
}
