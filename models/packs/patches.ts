import type { NetworkDescription } from './network.ts';
import type { GraphSession } from './session.ts';

/** Patches that are given to a network at once, where it takes any number. */
const MOST_AT_ONCE = 64;

/** What a network gave for the patches of some windows. */
export interface PatchOutputs {
  /** `[windows · patches, D]` */
  embeddings: Float32Array;
  /** `[windows · patches, classes]`; empty without tags. */
  tags: Float32Array;
}

/**
 * Runs a network on every patch of some windows.
 * @param rows `[windows, length, width]`: frames of bands, or samples with a width of 1
 * @param dim D: numbers per embedding
 * @throws PackError when the graph fails
 */
export async function runPatches(
  session: GraphSession,
  network: NetworkDescription,
  rows: Float32Array,
  { windows, width, dim }: { windows: number; width: number; dim: number },
): Promise<PatchOutputs> {
  const { patches, patch, batch, embedding, tags } = network;
  const classes = tags?.classes.length ?? 0;
  const all = windows * patches;
  const length = rows.length / windows / width;
  const result = { embeddings: new Float32Array(all * dim), tags: new Float32Array(all * classes) };
  const atOnce = batch ?? Math.min(MOST_AT_ONCE, all);
  const size = patch * width;
  for (let from = 0; from < all; from += atOnce) {
    const count = Math.min(atOnce, all - from);
    // A network of a fixed batch is given silence for what is missing.
    const input = new Float32Array((batch ?? count) * size);
    for (let i = 0; i < count; i++) {
      const [window, index] = [Math.floor((from + i) / patches), (from + i) % patches];
      const start = (window * length + index * network.hop) * width;
      input.set(arranged(rows.subarray(start, start + size), width, network), i * size);
    }
    const [vectors = input, probabilities] = await session.run([input], batch ?? count);
    const each = vectors.length / (batch ?? count);
    for (let i = 0; i < count; i++)
      result.embeddings.set(
        tokens[embedding.tokens](vectors.subarray(i * each, (i + 1) * each), lastOf(embedding.dims)),
        (from + i) * dim,
      );
    if (probabilities) result.tags.set(probabilities.subarray(0, count * classes), from * classes);
  }
  return result;
}

/** Means `[groups, width]` of as many rows for each group. */
export function meansOf(rows: Float32Array, groups: number, width: number): Float32Array {
  const means = new Float32Array(groups * width);
  const each = rows.length / width / groups;
  for (let group = 0; group < groups; group++)
    means.set(meanRow(rows.subarray(group * each * width, (group + 1) * each * width), width), group * width);
  return means;
}

/** A patch `[time, band]` in the order that the network wants. */
function arranged(patch: Float32Array, width: number, { input }: NetworkDescription): Float32Array {
  if (width === 1 || input.axes.indexOf('time') < input.axes.indexOf('band')) return patch;
  const frames = patch.length / width;
  return Float32Array.from(patch, (_, i) => patch[(i % frames) * width + Math.floor(i / frames)] ?? 0);
}

const tokens: Record<
  NetworkDescription['embedding']['tokens'],
  (rows: Float32Array, width: number) => Float32Array
> = {
  mean: meanRow,
  cls: (rows, width) => rows.subarray(0, width),
  dist: (rows, width) => rows.subarray(width, 2 * width),
  stack: (rows, width) => {
    const stacked = new Float32Array(3 * width);
    stacked.set(rows.subarray(0, 2 * width));
    stacked.set(meanRow(rows.subarray(2 * width), width), 2 * width);
    return stacked;
  },
};

function meanRow(rows: Float32Array, width: number): Float32Array {
  const count = rows.length / width;
  const sums = new Float64Array(width);
  for (let i = 0; i < rows.length; i++) sums[i % width] = (sums[i % width] ?? 0) + (rows[i] ?? 0);
  return Float32Array.from(sums, (sum) => sum / count);
}

const lastOf = (dims: readonly (number | null)[]): number => dims.at(-1) ?? 1;
