/** Rows of several matrices beside each other: parts of widths `widths`, each `[n, width]`. @returns `[n, Σ width]` */
export function joinedColumns(
  parts: readonly ArrayLike<number>[],
  widths: readonly number[],
  count: number,
): Float32Array {
  const total = widths.reduce((a, b) => a + b, 0);
  const out = new Float32Array(count * total);
  let start = 0;
  parts.forEach((part, p) => {
    const width = widths[p] ?? 0;
    for (let row = 0; row < count; row++)
      for (let d = 0; d < width; d++) out[row * total + start + d] = part[row * width + d] ?? 0;
    start += width;
  });
  return out;
}

/** Some rows of a matrix `[n, width]`. */
export function pickRows(values: Float32Array, width: number, rows: readonly number[]): Float32Array {
  const out = new Float32Array(rows.length * width);
  rows.forEach((row, i) => out.set(values.subarray(row * width, (row + 1) * width), i * width));
  return out;
}

/** Of `count` rows all, or `most` evenly spread ones. */
export function spreadRows(count: number, most: number): number[] {
  const taken = Math.min(count, most);
  return Array.from({ length: taken }, (_, i) => Math.floor((i * count) / taken));
}

/** Mean classification loss of logits `[n, C]` over the temperature against labels `[n, C]` of 0 and 1. */
export function meanLoss(
  logits: Float32Array,
  labels: Float32Array,
  classes: number,
  { task, temperature }: { task: 'single' | 'multi'; temperature: number },
): number {
  const count = logits.length / classes;
  let total = 0;
  for (let row = 0; row < count; row++) {
    const scores = Array.from(logits.subarray(row * classes, (row + 1) * classes), (s) => s / temperature);
    const bears = (c: number): number => labels[row * classes + c] ?? 0;
    if (task === 'multi')
      scores.forEach((s, c) => {
        total += (Math.max(s, 0) + Math.log1p(Math.exp(-Math.abs(s))) - bears(c) * s) / classes;
      });
    else {
      const top = Math.max(...scores);
      const whole = top + Math.log(scores.reduce((sum, s) => sum + Math.exp(s - top), 0));
      scores.forEach((s, c) => (total += bears(c) * (whole - s)));
    }
  }
  return total / count;
}
