import type { LabelledWindows } from '../embeddings/labelled-vectors.ts';
import { NumericError } from '../numerics/errors.ts';
import { Pacer } from '../numerics/pacer.ts';
import { standardOf } from './standard.ts';

/** Ridge regression: from frozen embeddings to numbers. */
export interface RidgeSettings {
  kind: 'ridge';
  /** Weight of the penalty; null: the best of `STRENGTHS` over folds of the training tracks, for each target. */
  strength: number | null;
}

export const ridgeTitle = ({ strength }: RidgeSettings): string =>
  `ridge${strength === null ? '' : ` (${strength})`}`;

const STRENGTHS = [1e-3, 1e-2, 1e-1, 1, 1e1, 1e2, 1e3, 1e4] as const;
const INNER_FOLDS = 5;
/** Fewer training tracks say nothing of a target. */
const LEAST_ROWS = 5;

/** `[tracks, targets]`, row by row; NaN where a target is not known of a track. */
export interface Targets {
  names: readonly string[];
  values: Float64Array;
}

interface RidgeInput {
  train: LabelledWindows;
  /** Of the training tracks, in their order. */
  targets: Targets;
  signal: AbortSignal;
  pace?: () => Promise<void>;
}

/** Lets others go on after so many operations. @throws the signal's reason */
type Step = (operations: number) => Promise<void>;

/** Predictions `[tracks, targets]`; NaN for targets that nothing is known of. */
export type FittedRidge = (test: LabelledWindows) => Float64Array;

/**
 * Minimises ‖y − Xw − b‖² + α‖w‖² for every target, on means of tracks in units of the training tracks' deviation. α is
 * chosen by cross-validation over whole groups of training tracks.
 * @throws NumericError `empty` where no target has enough tracks; the signal's reason
 */
export async function fitRidge({ strength }: RidgeSettings, input: RidgeInput): Promise<FittedRidge> {
  const { train, targets, signal } = input;
  const scale = standardOf(train);
  const { features, dim, tracks } = scale(train);
  const width = targets.names.length;
  const models: (Linear | null)[] = targets.names.map(() => null);
  const pacer = new Pacer(signal);
  const step: Step = async (operations) => {
    if (!pacer.due(operations)) return;
    await pacer.pause();
    await input.pace?.();
  };
  for (const { rows, columns } of byKnown(targets, tracks.ids.length)) {
    if (rows.length < LEAST_ROWS) continue;
    const problem: Problem = {
      x: (row, d) => features[row * dim + d] ?? 0,
      y: (row, column) => targets.values[row * width + column] ?? 0,
      dim,
    };
    const chosen =
      strength === null
        ? await bestStrengths(problem, rows, columns, foldsOf(rows, tracks.groups), step)
        : columns.map(() => strength);
    for (const alpha of new Set(chosen)) {
      const own = columns.filter((_, i) => chosen[i] === alpha);
      const [found] = await solve(problem, rows, own, [alpha], step);
      own.forEach((column, i) => (models[column] = found?.[i] ?? null));
    }
  }
  if (models.every((model) => model === null))
    throw new NumericError(
      'empty',
      `No target is known of ${LEAST_ROWS} training tracks.`,
      'Use more tracks, or fewer folds.',
    );
  return (test) => {
    const pooled = scale(test);
    const count = test.tracks.ids.length;
    const out = new Float64Array(count * width).fill(NaN);
    models.forEach((model, column) => {
      if (!model) return;
      for (let row = 0; row < count; row++)
        out[row * width + column] = predict(model, (d) => pooled.features[row * dim + d] ?? 0);
    });
    return out;
  };
}

/** Targets that are known of the same tracks are solved together. */
function byKnown({ names, values }: Targets, count: number): { rows: number[]; columns: number[] }[] {
  const groups = new Map<string, { rows: number[]; columns: number[] }>();
  names.forEach((_, column) => {
    const rows = [...Array(count).keys()].filter((row) =>
      Number.isFinite(values[row * names.length + column]),
    );
    const key = rows.join(' ');
    const group = groups.get(key) ?? { rows, columns: [] };
    group.columns.push(column);
    groups.set(key, group);
  });
  return [...groups.values()];
}

interface Problem {
  x: (row: number, d: number) => number;
  y: (row: number, column: number) => number;
  dim: number;
}

interface Linear {
  weights: Float64Array;
  intercept: number;
}

const predict = ({ weights, intercept }: Linear, x: (d: number) => number): number =>
  weights.reduce((sum, weight, d) => sum + weight * x(d), intercept);

/** Groups dealt out in turn: the rows that each fold holds out. */
function foldsOf(rows: readonly number[], groups: readonly string[]): number[][] {
  const names = [...new Set(rows.map((row) => groups[row] ?? ''))];
  const count = Math.min(INNER_FOLDS, names.length);
  const foldOf = new Map(names.map((name, i) => [name, i % Math.max(1, count)]));
  return Array.from({ length: count }, (_, fold) =>
    rows.filter((row) => foldOf.get(groups[row] ?? '') === fold),
  );
}

/** For each target the strength with the least squared error over the folds; the strongest where nothing can be held out. */
async function bestStrengths(
  problem: Problem,
  rows: readonly number[],
  columns: readonly number[],
  folds: readonly (readonly number[])[],
  step: Step,
): Promise<number[]> {
  const errors = columns.map(() => STRENGTHS.map(() => 0));
  if (folds.length < 2) return columns.map(() => STRENGTHS[STRENGTHS.length - 1] ?? 1);
  for (const held of folds) {
    const out = new Set(held);
    const kept = rows.filter((row) => !out.has(row));
    const found = await solve(problem, kept, columns, STRENGTHS, step);
    for (const [s, models] of found.entries()) {
      await step(models.length * held.length * problem.dim);
      models.forEach((model, i) => {
        const own = errors[i];
        if (!own) return;
        for (const row of held)
          own[s] =
            (own[s] ?? 0) + (problem.y(row, columns[i] ?? 0) - predict(model, (d) => problem.x(row, d))) ** 2;
      });
    }
  }
  // Of equal ones the stronger: it comes last.
  return errors.map((own) => STRENGTHS[own.lastIndexOf(Math.min(...own))] ?? 1);
}

/** For each strength the model of each target. Solved in whichever of rows and dimensions is fewer. */
async function solve(
  { x, y, dim }: Problem,
  rows: readonly number[],
  columns: readonly number[],
  strengths: readonly number[],
  step: Step,
): Promise<Linear[][]> {
  const n = rows.length;
  const means = Float64Array.from(
    { length: dim },
    (_, d) => rows.reduce((sum, row) => sum + x(row, d), 0) / n,
  );
  const centred = new Float64Array(n * dim);
  rows.forEach((row, i) => {
    for (let d = 0; d < dim; d++) centred[i * dim + d] = x(row, d) - (means[d] ?? 0);
  });
  const averages = columns.map((column) => rows.reduce((sum, row) => sum + y(row, column), 0) / n);
  const aims = columns.map((column, c) =>
    Float64Array.from(rows, (row) => y(row, column) - (averages[c] ?? 0)),
  );
  const dual = n < dim;
  const size = dual ? n : dim;
  const gram = await gramOf(centred, n, dim, dual, step);
  // Of the dual the aims themselves, of the primal XᵀY.
  const sides = dual ? aims : aims.map((aim) => transposeTimes(centred, aim, n, dim));
  const found: Linear[][] = [];
  for (const alpha of strengths) {
    const factor = await cholesky(gram, size, alpha, step);
    const models: Linear[] = [];
    for (const [c, side] of sides.entries()) {
      await step(size * size + n * dim);
      const solution = backSubstitute(factor, size, side);
      const weights = dual ? transposeTimes(centred, solution, n, dim) : solution;
      const shift = weights.reduce((sum, weight, d) => sum + weight * (means[d] ?? 0), 0);
      models.push({ weights, intercept: (averages[c] ?? 0) - shift });
    }
    found.push(models);
  }
  return found;
}

/** XXᵀ `[n, n]`, or XᵀX `[D, D]`. */
async function gramOf(
  x: Float64Array,
  n: number,
  dim: number,
  dual: boolean,
  step: Step,
): Promise<Float64Array> {
  const size = dual ? n : dim;
  const gram = new Float64Array(size * size);
  if (dual)
    for (let i = 0; i < n; i++) {
      await step(i * dim);
      for (let j = 0; j <= i; j++) {
        let sum = 0;
        for (let d = 0; d < dim; d++) sum += (x[i * dim + d] as number) * (x[j * dim + d] as number);
        gram[i * n + j] = gram[j * n + i] = sum;
      }
    }
  else {
    for (let row = 0; row < n; row++) {
      await step((dim * dim) / 2);
      for (let i = 0; i < dim; i++) {
        const value = x[row * dim + i] as number;
        for (let j = 0; j <= i; j++)
          gram[i * dim + j] = (gram[i * dim + j] as number) + value * (x[row * dim + j] as number);
      }
    }
    for (let i = 0; i < dim; i++)
      for (let j = i + 1; j < dim; j++) gram[i * dim + j] = gram[j * dim + i] as number;
  }
  return gram;
}

/** `Xᵀv`, `[D]`. */
function transposeTimes(x: Float64Array, v: Float64Array, n: number, dim: number): Float64Array {
  const out = new Float64Array(dim);
  for (let i = 0; i < n; i++) {
    const weight = v[i] as number;
    for (let d = 0; d < dim; d++) out[d] = (out[d] as number) + weight * (x[i * dim + d] as number);
  }
  return out;
}

/** Lower factor of `A + αI`. */
async function cholesky(a: Float64Array, size: number, alpha: number, step: Step): Promise<Float64Array> {
  const l = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    await step((i * i) / 2);
    for (let j = 0; j <= i; j++) {
      let sum = (a[i * size + j] as number) + (i === j ? alpha : 0);
      for (let k = 0; k < j; k++) sum -= (l[i * size + k] as number) * (l[j * size + k] as number);
      // Rounding may eat a small α.
      l[i * size + j] = i === j ? Math.sqrt(Math.max(sum, 1e-12)) : sum / (l[j * size + j] as number);
    }
  }
  return l;
}

/** Solves `LLᵀ w = b`. */
function backSubstitute(l: Float64Array, size: number, b: Float64Array): Float64Array {
  const w = Float64Array.from(b);
  for (let i = 0; i < size; i++) {
    let sum = w[i] as number;
    for (let k = 0; k < i; k++) sum -= (l[i * size + k] as number) * (w[k] as number);
    w[i] = sum / (l[i * size + i] as number);
  }
  for (let i = size - 1; i >= 0; i--) {
    let sum = w[i] as number;
    for (let k = i + 1; k < size; k++) sum -= (l[k * size + i] as number) * (w[k] as number);
    w[i] = sum / (l[i * size + i] as number);
  }
  return w;
}
