import { componentsPerStep, factBytes, rowsPerGroup } from '../../native/neighbours/index.ts';
import type { SievedQuery } from '../../models/neighbours/sieve.ts';
import { roundUp } from '../../models/neighbours/codes.ts';

const f = Math.fround;

/** What the scan kernel (native/neighbours/scan.as) offers for one query, computed operation for operation alike. */
export function scanTwin(
  codes: Int8Array,
  facts: Float32Array,
  count: number,
  width: number,
  { code, gauge }: SievedQuery,
  k: number,
  room: number,
): { row: number; lowest: number }[] | null {
  if (code === null) return null;
  const heap: number[] = [];
  let limit = Infinity;
  let offers: { row: number; lowest: number }[] = [];
  for (let row = 0; row < count; row++) {
    const lane = row % rowsPerGroup;
    const group = row - lane;
    let product = 0;
    for (let d = 0; d < code.codes.length; d++) {
      const step = Math.floor(d / componentsPerStep);
      const place =
        group * width + (step * rowsPerGroup + lane) * componentsPerStep + (d % componentsPerStep);
      product += (codes[place] ?? NaN) * (code.codes[d] ?? NaN);
    }
    const fact = (group / rowsPerGroup) * (factBytes / 4) + lane;
    const [level = NaN, step = NaN, rounding = NaN, length = NaN] = [0, 1, 2, 3].map(
      (i) => facts[fact + i * rowsPerGroup],
    );
    const { gain, spread, blur } = code;
    const middle = f(level - f(gain * f(step * f(product))));
    const lowest = f(f(middle - f(spread * rounding)) - f(blur * length));
    if (lowest > limit) continue;
    if (offers.length === room) {
      const bound = limit;
      offers = offers.filter((offer) => !(offer.lowest > bound));
      if (offers.length > room - (room >> 3)) return null;
    }
    offers.push({ row, lowest });
    const highest =
      level + Math.abs(level) * 2 ** -19 - gain * (step * product) + (spread * rounding + blur * length);
    heap.push(highest);
    heap.sort((a, b) => a - b);
    heap.length = Math.min(heap.length, k);
    const top = heap[k - 1];
    if (top !== undefined) limit = f(top + Math.abs(top) * 2 ** -22 + 2 * roundUp(gauge.slack));
  }
  return offers.filter((offer) => !(offer.lowest > limit)).sort((a, b) => a.lowest - b.lowest);
}
