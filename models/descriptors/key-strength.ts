/** How well each pitch class fits C major and C minor (Krumhansl and Kessler 1982). */
const PROFILES = [
  [6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88],
  [6.33, 2.68, 3.52, 5.38, 2.6, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17],
] as const;

/**
 * How clearly sound is in one key: the largest correlation of its chroma with the 24 key profiles, −1…1.
 * @param chroma `[12]`, C first
 * @returns null where all pitch classes are alike, as in silence
 */
export function keyStrength(chroma: ArrayLike<number>): number | null {
  let best: number | null = null;
  for (const profile of PROFILES)
    for (let tonic = 0; tonic < 12; tonic++) {
      const fit = correlation(
        Array.from({ length: 12 }, (_, c) => chroma[c] ?? 0),
        Array.from({ length: 12 }, (_, c) => profile[(c - tonic + 12) % 12] ?? 0),
      );
      if (fit !== null && (best === null || fit > best)) best = fit;
    }
  return best;
}

function correlation(a: readonly number[], b: readonly number[]): number | null {
  const mean = (values: readonly number[]): number => values.reduce((x, y) => x + y, 0) / values.length;
  const [ma, mb] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  a.forEach((value, i) => {
    const [x, y] = [value - ma, (b[i] ?? 0) - mb];
    ab += x * y;
    aa += x * x;
    bb += y * y;
  });
  return aa > 1e-12 && bb > 1e-12 ? ab / Math.sqrt(aa * bb) : null;
}
