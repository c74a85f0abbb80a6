import { componentsPerStep, factBytes, rowsPerGroup } from '../../native/neighbours/index.ts';
import { centre, floatSlack, type Space } from './space.ts';

/** Largest magnitude of a row's codes (int8). */
const rowCode = 127;
/** A rest is at most half a step: in these parts of a step, it fits a byte too. */
const restParts = 2 * rowCode;
/** Relative allowance for float64 arithmetic, generous for any dimension. */
const doubleSlack = 2 ** -40;
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

/** Where rows are encoded to; all start at zero. */
export interface RowCodes {
  /** `[paddedCount, paddedWidth]` interleaved by `componentsPerStep` within groups of `rowsPerGroup`. */
  codes: Int8Array;
  /** `[paddedCount, paddedWidth]`: what the codes left over, in {@link restParts} of the row's step. */
  rests: Int8Array;
  /** The groups' facts. */
  facts: Float32Array;
  /** `[paddedCount]`: length of what codes and rests together miss. */
  narrow: Float32Array;
}

/** Rounds rows to codes; one instance holds the scratch space for many rows. */
export class RowEncoder {
  readonly #space: Space;
  readonly #z: Float64Array;

  constructor(space: Space) {
    this.#space = space;
    this.#z = new Float64Array(space.mean.length);
  }

  /** Encodes the row at `offset` of `source` into the places of row number `row`. */
  encode(source: Float32Array, offset: number, row: number, { codes, rests, facts, narrow }: RowCodes): void {
    const { mean, weight, unit, metric } = this.#space;
    const z = this.#z;
    const dim = z.length;
    centre(this.#space, source, offset, z);
    let [squared, along, weighted, largest] = [0, 0, 0, 0];
    for (let d = 0; d < dim; d++) {
      const value = z[d] as number;
      squared += value * value;
      along += value * (mean[d] as number);
      const scaled = value / (weight[d] as number);
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
    const restStep = step / restParts;
    const restPlace = row * paddedWidth(dim);
    let [missed, stillMissed] = [0, 0];
    for (let d = 0; d < dim; d++) {
      const value = z[d] as number;
      const code = step > 0 ? Math.round(value / step) : 0;
      codes[place++] = code;
      if (d % componentsPerStep === componentsPerStep - 1) place += jump;
      const rest = value - step * code;
      missed += rest * rest;
      const restCode = step > 0 ? Math.round(rest / restStep) : 0;
      rests[restPlace + d] = restCode;
      const last = rest - restStep * restCode;
      stillMissed += last * last;
    }
    const level = metric === 'euclidean' ? squared : (-2 * along) / unit;
    const length = roundUp(Math.sqrt(weighted) * (1 + floatSlack));
    const fact = Math.floor(row / rowsPerGroup) * (factBytes / 4) + lane;
    facts[fact] = level - Math.abs(level) * floatSlack;
    facts[fact + rowsPerGroup] = step;
    facts[fact + 2 * rowsPerGroup] = roundUp(Math.sqrt(missed) * (1 + floatSlack) + length * 2 * floatSlack);
    facts[fact + 3 * rowsPerGroup] = length;
    narrow[row] = roundUp(Math.sqrt(stillMissed) * (1 + floatSlack) + length * doubleSlack);
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
    const value = (p[d] as number) * (weight[d] as number);
    largest = Math.max(largest, Math.abs(value));
    squared += value * value;
  }
  // |g·c| ≤ |g| |c|, with |c| ≤ 127 √dim: kept below 2³⁰, so that rounding g cannot carry it over 2³¹.
  const overflow = (Math.sqrt(squared) * rowCode * Math.sqrt(p.length)) / 2 ** 30;
  const step = roundUp(Math.max(largest / largestCode, overflow));
  const codes = new Int16Array(p.length);
  let [length, missed] = [0, 0];
  for (let d = 0; d < p.length; d++) {
    const value = (p[d] as number) * (weight[d] as number);
    const code = step > leastStep ? Math.round(value / step) : 0;
    codes[d] = code;
    // Products, not powers: `**` calls a function, and this runs for every query.
    const kept = step * code;
    const lost = value - kept;
    length += kept * kept;
    missed += lost * lost;
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
