import type { LabelledWindows } from './labelled-vectors.ts';

/** The same rows, of each only some of its numbers. @param dims which, each below `dim` */
export function selectDimensions(set: LabelledWindows, dims: readonly number[]): LabelledWindows {
  const { features, count, dim } = set;
  const selected = new Float32Array(count * dims.length);
  for (let row = 0; row < count; row++)
    dims.forEach((from, to) => (selected[row * dims.length + to] = features[row * dim + from] ?? NaN));
  return { ...set, features: selected, dim: dims.length };
}
