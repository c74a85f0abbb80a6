import { componentsPerStep, factBytes, rowsPerGroup } from '../../native/neighbours/index.ts';
import { at } from '../knn/vectors.ts';
import { centre, floatSlack, type Space } from './space.ts';

/** Largest magnitude of a row's codes (int8). */
const rowCode = 127;
/** Steps smaller than this would be denormal float32: such rows are all rounding error. */
const leastStep = 2 ** -100;

/** Components per row in memory: the dimension rounded up. */
export function paddedWidth(dim: number): number {
  return Math.ceil(dim / componentsPerStep) * componentsPerStep;
}

/** Rows in memory: the count rounded up to whole groups. */
export function paddedCount(count: number): number {
  return Math.ceil(count / rowsPerGroup) * rowsPerGroup;
}

/** Rounds rows to codes; one instance holds the scratch space for many rows. */
export class RowEncoder {
  readonly #space: Space;
  readonly #z: Float64Array;

  constructor(space: Space) {
    this.#space = space;
    this.#z = new Float64Array(space.mean.length);
  }

  /**
   * Encodes one row into its place among interleaved groups.
   * @param codes `[paddedCount, paddedWidth]` interleaved by {@link componentsPerStep} within groups of
   * {@link rowsPerGroup} · @param facts the groups' facts; both start at zero.
   */
  encode(source: Float32Array, row: number, codes: Int8Array, facts: Float32Array): void {
    const { mean, weight, unit, metric } = this.#space;
    const z = this.#z;
    const dim = z.length;
    centre(this.#space, source, row * dim, z);
    let [squared, along, weighted, largest] = [0, 0, 0, 0];
    for (let d = 0; d < dim; d++) {
      const value = at(z, d);
      squared += value * value;
      along += value * at(mean, d);
      const scaled = value / at(weight, d);
      z[d] = scaled;
      weighted += scaled * scaled;
      if (scaled > largest) largest = scaled;
      else if (-scaled > largest) largest = -scaled;
    }
    const step = largest / rowCode > leastStep ? roundUp(largest / rowCode) : 0;
    const group = Math.floor(row / rowsPerGroup) * rowsPerGroup * paddedWidth(dim);
    const lane = row % rowsPerGroup;
    const jump = (rowsPerGroup - 1) * componentsPerStep;
    let place = group + lane * componentsPerStep;
    let missed = 0;
    for (let d = 0; d < dim; d++) {
      const code = step > 0 ? Math.round(at(z, d) / step) : 0;
      codes[place++] = code;
      if (d % componentsPerStep === componentsPerStep - 1) place += jump;
      const rest = at(z, d) - step * code;
      missed += rest * rest;
    }
    const level = metric === 'euclidean' ? squared : (-2 * along) / unit;
    const length = roundUp(Math.sqrt(weighted) * (1 + floatSlack));
    const fact = Math.floor(row / rowsPerGroup) * (factBytes / 4) + lane;
    facts[fact] = level - Math.abs(level) * floatSlack;
    facts[fact + rowsPerGroup] = step;
    facts[fact + 2 * rowsPerGroup] = roundUp(Math.sqrt(missed) * (1 + floatSlack) + length * 2 * floatSlack);
    facts[fact + 3 * rowsPerGroup] = length;
  }
}

/** A query as integers, with the numbers that a record of the scan kernel takes. */
export interface QueryCode {
  /** `[dim]` whole numbers within ±`largestCode`. */
  codes: Int16Array;
  gain: number;
  spread: number;
  blur: number;
}

/**
 * Rounds a query's centred components. The more codes there are, the fewer rows remain in doubt.
 * @param largestCode at most 32767; with rows of 8 bits no sum of products can overflow 32 bits.
 * @returns null when a number does not fit float32: the query is too far from all rows to be told apart this way.
 */
export function encodeQuery(space: Space, p: Float64Array, largestCode: number): QueryCode | null {
  const { weight } = space;
  let [largest, squared] = [0, 0];
  for (let d = 0; d < p.length; d++) {
    const value = at(p, d) * at(weight, d);
    largest = Math.max(largest, Math.abs(value));
    squared += value * value;
  }
  // |g·c| ≤ |g| |c|, with |c| ≤ 127 √dim: kept below 2³⁰, so that rounding g cannot carry it over 2³¹.
  const overflow = (Math.sqrt(squared) * rowCode * Math.sqrt(p.length)) / 2 ** 30;
  const step = roundUp(Math.max(largest / largestCode, overflow));
  const codes = new Int16Array(p.length);
  let [length, missed] = [0, 0];
  for (let d = 0; d < p.length; d++) {
    const value = at(p, d) * at(weight, d);
    const code = step > leastStep ? Math.round(value / step) : 0;
    codes[d] = code;
    length += (step * code) ** 2;
    missed += (value - step * code) ** 2;
  }
  const gain = Math.fround(2 * step);
  const spread = roundUp(2 * Math.sqrt(length) * (1 + floatSlack));
  const blur = roundUp(2 * Math.sqrt(missed) * (1 + floatSlack));
  return [gain, spread, blur].every(Number.isFinite) ? { codes, gain, spread, blur } : null;
}

/** A float32 not below `value` (≥ 0). */
export function roundUp(value: number): number {
  return Math.fround(value * (1 + 2 ** -22) + 2 ** -120);
}
