import { readFileSync } from 'node:fs';
import { tensorSource, type TensorSource } from '../../models/checkpoint/source.ts';
import { Random } from '../../models/numerics/random.ts';
import { SharedFolder } from './shared-folder.ts';

/** Key lists of the published checkpoints, with shapes. */
export type FullSizeModel = 'encodec' | 'diff4s';

/**
 * A published checkpoint at its full size with random weights, made as they are asked for; the same seed gives the
 * same weights. Layers of a stack share their feed-forward part, as in the published files. Null where the key lists
 * are not there.
 */
export function fullSizeSource(model: FullSizeModel, seed = 1): TensorSource | null {
  const keys = new SharedFolder('golden/pecmae/keys', () => false);
  if (keys.missing) return null;
  const rows = JSON.parse(readFileSync(keys.path(`${model}.keys.json`), 'utf8')) as [
    name: string,
    shape: number[],
  ][];
  const shapes = new Map(rows.map(([name, shape]) => [name, shape]));
  const order = new Map(rows.map(([name], i) => [name, i]));
  const shape = (name: string): number[] => {
    const found = shapes.get(name);
    if (found === undefined) throw new Error(`no tensor ${name}`);
    return found;
  };
  const shared = (name: string) => name.replace(/encoder_layers\.\d+\.ff_layer/, 'encoder_layers.0.ff_layer');
  return tensorSource({
    names: () => [...shapes.keys()],
    has: (name) => shapes.has(name),
    shape,
    identity: shared,
    read: (name) => {
      const random = new Random(seed + 7919 * (order.get(shared(name)) ?? 0));
      return Promise.resolve(values(name, shape(name), random));
    },
  });
}

/** Norms and gains near one; everything else as PyTorch starts it, uniform within ±1/√(inputs). */
function values(name: string, shape: readonly number[], random: Random): Float32Array {
  const count = shape.reduce((a, b) => a * b, 1);
  const nearOne = /weight_g$|norm\d?\.weight$|final_norm\.weight$|scale$/.test(name);
  const inputs = shape.length > 1 ? count / (shape[0] ?? 1) : count;
  const [middle, reach] = nearOne ? [1, 0.1] : [0, 1 / Math.sqrt(Math.max(1, inputs))];
  return Float32Array.from({ length: count }, () => middle + reach * (2 * random.uniform() - 1));
}
