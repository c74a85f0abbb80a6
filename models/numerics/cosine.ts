/** Cosine of the angle between two vectors, −1…1; 0 when one of them is zero. */
export function cosine(a: Float32Array, b: Float32Array): number {
  let [ab, aa, bb] = [0, 0, 0];
  a.forEach((x, i) => {
    const y = b[i] ?? 0;
    ab += x * y;
    aa += x * x;
    bb += y * y;
  });
  const norm = Math.sqrt(aa * bb);
  return norm === 0 ? 0 : Math.max(-1, Math.min(1, ab / norm));
}
