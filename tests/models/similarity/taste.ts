import { Random } from '../../../models/numerics/random.ts';
import type { SimilarityData } from '../../../models/similarity/assess.ts';

/**
 * A toy: tracks have a taste in a few dimensions, hidden in their vectors under louder ones that say nothing;
 * playlists gather tracks of like taste. Artists are dealt at random, so that they say nothing of taste.
 */
export function tasteData(
  seed: number,
  { tracks = 240, lists = 40, perList = 18, noise = 1.5 } = {},
): SimilarityData {
  const random = new Random(seed);
  const [tasteDim, noiseDim] = [4, 20];
  const dim = tasteDim + noiseDim;
  const taste = Array.from({ length: tracks }, () => Array.from({ length: tasteDim }, () => random.normal()));
  const mixing = Array.from({ length: dim }, () =>
    Array.from({ length: dim }, () => random.normal() / Math.sqrt(dim)),
  );
  const windows = 2;
  const vectors = new Float32Array(tracks * windows * dim);
  for (let row = 0; row < tracks * windows; row++) {
    const track = Math.floor(row / windows);
    const inner = [
      ...(taste[track] ?? []).map((value) => value + 0.1 * random.normal()),
      ...Array.from({ length: noiseDim }, () => noise * random.normal()),
    ];
    mixing.forEach((weights, d) => {
      vectors[row * dim + d] = weights.reduce((sum, weight, i) => sum + weight * (inner[i] ?? 0), 0);
    });
  }
  const chosen = Array.from({ length: lists }, () => {
    const centre = Array.from({ length: tasteDim }, () => random.normal());
    const away = (track: number): number =>
      Math.hypot(...centre.map((value, d) => value - (taste[track]?.[d] ?? 0))) + 0.2 * random.normal();
    return Array.from({ length: tracks }, (_, track) => ({ track, far: away(track) }))
      .sort((a, b) => a.far - b.far)
      .slice(0, perList)
      .map(({ track }) => track);
  });
  return {
    vectors: { dim, vectors, starts: Int32Array.from({ length: tracks + 1 }, (_, i) => i * windows) },
    lists: chosen,
    artists: Array.from({ length: tracks }, () => `artist ${random.integer(40)}`),
    groups: Array.from({ length: tracks }, (_, i) => `g${i}`),
  };
}
