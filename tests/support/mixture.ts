import type { LabelledWindows } from '../../models/embeddings/labelled-vectors.ts';
import { Random } from '../../models/numerics/random.ts';

export const DIM = 12;
export const CLASSES = ['bass', 'drum', 'flute'];

export type Tracks = LabelledWindows & { truth: number[] };

/** Two modes per class, two windows per track; everything lies off the origin, as real embeddings do. */
export function mixture(seed: number, tracksPerClass: number, spread = 1): Tracks {
  const world = new Random(17);
  const centres = Array.from({ length: 2 * CLASSES.length }, () => world.normals(DIM).map((v) => 3 * v + 5));
  const random = new Random(seed);
  const count = 2 * CLASSES.length * tracksPerClass;
  const features = new Float32Array(count * DIM);
  const labels = new Uint8Array(count * CLASSES.length);
  const truth = Array.from({ length: CLASSES.length * tracksPerClass }, (_, t) => t % CLASSES.length);
  const of = Int32Array.from({ length: count }, (_, row) => row >> 1);
  of.forEach((track, row) => {
    const c = truth[track] ?? 0;
    const centre = centres[2 * c + (Math.floor(track / CLASSES.length) % 2)];
    features.set(centre?.map((v) => v + spread * random.normal()) ?? [], row * DIM);
    labels[row * CLASSES.length + c] = 1;
  });
  const ids = truth.map((_, track) => `track ${track}`);
  const set = { features, count, dim: DIM, labels, labelNames: CLASSES, truth };
  return { ...set, tracks: { of, ids, groups: ids } };
}
