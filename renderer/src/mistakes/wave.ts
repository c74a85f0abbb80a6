/** Columns of a small picture. */
const COLUMNS = 50;
const [WIDTH, HEIGHT] = [100, 20];

/**
 * A closed outline of a waveform for a box of 100 × 20, the loudest part as high as the box.
 * @param values pairs of lowest and highest sample, −1 … 1
 */
export function waveOutline(values: ArrayLike<number>): string {
  const pairs = Math.floor(values.length / 2);
  const columns = Math.min(COLUMNS, pairs);
  const [low, high] = [new Float32Array(columns), new Float32Array(columns)];
  let loudest = 1e-6;
  for (let pair = 0; pair < pairs; pair++) {
    const column = Math.floor((pair * columns) / pairs);
    low[column] = Math.min(low[column] ?? 0, values[2 * pair] ?? 0);
    high[column] = Math.max(high[column] ?? 0, values[2 * pair + 1] ?? 0);
    loudest = Math.max(loudest, high[column] ?? 0, -(low[column] ?? 0));
  }
  const point = (column: number, value: number): string =>
    `${(((column + 0.5) * WIDTH) / columns).toFixed(1)} ${(HEIGHT / 2 - (value / loudest) * (HEIGHT / 2)).toFixed(1)}`;
  const above = Array.from(high, (value, column) => point(column, value));
  const below = Array.from(low, (value, column) => point(column, value)).reverse();
  return columns === 0 ? '' : `M${[...above, ...below].join('L')}Z`;
}
