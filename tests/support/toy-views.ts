import type { LabelledWindows } from '../../models/embeddings/labelled-vectors.ts';
import { Random } from '../../models/numerics/random.ts';

/** How a view is made of the class: numbers per vector, and how far classes lie apart in units of the noise. */
const views = [
  // Small and telling.
  { dim: 12, apart: 0.9 },
  // Large, and nearly all noise: what a joint network learns by heart.
  { dim: 400, apart: 0.08 },
  // Small and weak.
  { dim: 20, apart: 0.25 },
] as const;

export const TOY_CLASSES = ['a', 'b', 'c', 'd', 'e', 'f'];

/**
 * Windows in three views of which one tells the class, one is large and noisy and one is weak: what blending is for.
 * @param draw other windows of the same classes for another number
 */
export function toyViews(seed: number, draw: number, count: number): LabelledWindows[] {
  const classes = TOY_CLASSES.length;
  const ofClasses = new Random(seed);
  const centres = views.map(({ dim, apart }) =>
    Float32Array.from({ length: classes * dim }, () => apart * ofClasses.normal()),
  );
  const random = new Random(seed * 1000 + draw);
  const labels = new Uint8Array(count * classes);
  for (let row = 0; row < count; row++) labels[row * classes + (row % classes)] = 1;
  const ids = Array.from({ length: count }, (_, row) => `${draw}-${row}`);
  const tracks = { of: Int32Array.from(ids.keys()), ids, groups: ids };
  return views.map(({ dim }, v) => {
    const features = Float32Array.from(
      { length: count * dim },
      (_, i) => (centres[v]?.[(Math.floor(i / dim) % classes) * dim + (i % dim)] ?? 0) + random.normal(),
    );
    return { features, count, dim, labels, labelNames: TOY_CLASSES, tracks };
  });
}
