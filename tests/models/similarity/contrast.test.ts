import { describe, expect, it } from 'vitest';
import { NEVER } from '../../../models/similarity/contrast-graph.ts';
import { project, projectionGraph } from '../../../models/similarity/projection.ts';
import { Learner, type ContrastBatch } from '../../../models/similarity/train.ts';
import { Random } from '../../../models/numerics/random.ts';
import { InferenceSession, Tensor } from '../../../models/onnx/runtime.ts';

const settings = { temperature: 0.1, learningRate: 2e-3, weightDecay: 0 };

function batch(x: Float32Array, rows: number, hidden: readonly [number, number][] = []): ContrastBatch {
  const mask = new Float32Array(rows * rows);
  const partner = new Float32Array(rows * rows);
  for (let row = 0; row < rows; row++) {
    mask[row * rows + row] = NEVER;
    partner[row * rows + ((row + rows / 2) % rows)] = 1;
  }
  for (const [a, b] of hidden) mask[a * rows + b] = mask[b * rows + a] = NEVER;
  return { rows, x, mask, partner };
}

/** The formula, in float64 and without any matrix: the oracle of loss and gradients. */
function ntXent(
  { rows, x, mask }: ContrastBatch,
  layers: readonly number[],
  weights: readonly ArrayLike<number>[],
): number {
  const [dim = 0] = layers;
  const unit = Array.from({ length: rows }, (_, row) => {
    let values = Array.from(x.subarray(row * dim, (row + 1) * dim));
    weights.forEach((matrix, i) => {
      const width = layers[i + 1] ?? 0;
      const input = i === 0 ? values : values.map((value) => Math.max(0, value));
      values = Array.from({ length: width }, (_u, to) =>
        input.reduce((sum, value, from) => sum + value * (matrix[from * width + to] ?? NaN), 0),
      );
    });
    const length = Math.hypot(...values);
    return values.map((value) => value / length);
  });
  let loss = 0;
  for (let i = 0; i < rows; i++) {
    const s = (k: number): number =>
      (unit[i] ?? []).reduce((sum, value, d) => sum + value * (unit[k]?.[d] ?? NaN), 0) /
      settings.temperature;
    let others = 0;
    for (let k = 0; k < rows; k++) if (mask[i * rows + k] === 0) others += Math.exp(s(k));
    loss += (-s((i + rows / 2) % rows) + Math.log(others)) / rows;
  }
  return loss;
}

describe('NT-Xent', () => {
  it.each([8, 64])(
    'is log(2N − 1) where all are equal, and its other end where pairs are orthogonal, for %i pairs',
    async (pairs) => {
      const rows = 2 * pairs;
      const learner = await Learner.open([pairs, pairs], settings, new Random(1));
      const identity = Float64Array.from({ length: pairs * pairs }, (_, i) =>
        i % (pairs + 1) === 0 ? 1 : 0,
      );
      learner.weights[0]?.set(identity);
      const equal = await learner.gradients(batch(new Float32Array(rows * pairs).fill(1), rows));
      expect(equal.loss).toBeCloseTo(Math.log(rows - 1), 5);
      const apart = Float32Array.from({ length: rows * pairs }, (_, i) =>
        Math.floor(i / pairs) % pairs === i % pairs ? 1 : 0,
      );
      const orthogonal = await learner.gradients(batch(apart, rows));
      expect(orthogonal.loss).toBeCloseTo(Math.log(1 + (rows - 2) * Math.exp(-10)), 5);
      await learner.close();
    },
  );

  it.each([[[5, 3]], [[5, 9, 3]]])(
    'has the loss and the gradients of the formula, layers %j, with rows masked',
    async (layers) => {
      const random = new Random(7);
      const rows = 8;
      const learner = await Learner.open(layers, settings, random);
      const data = batch(random.normals(rows * 5), rows, [
        [0, 1],
        [2, 7],
      ]);
      const { loss, slopes } = await learner.gradients(data);
      expect(loss).toBeCloseTo(ntXent(data, layers, learner.weights), 5);
      slopes.forEach((slope, layer) => {
        const values = learner.weights[layer] ?? new Float64Array();
        slope.forEach((found, i) => {
          const kept = values[i] ?? NaN;
          const shifted = [1e-5, -1e-5].map((h) => {
            values[i] = kept + h;
            return ntXent(data, layers, learner.weights);
          });
          values[i] = kept;
          expect(found).toBeCloseTo(((shifted[0] ?? NaN) - (shifted[1] ?? NaN)) / 2e-5, 3);
        });
      });
      await learner.close();
    },
  );
});

it.each([[[6, 3]], [[6, 5, 3]]])(
  'projects in the graph of a pack as in the engine, layers %j',
  async (layers) => {
    const random = new Random(3);
    const weights = layers.slice(1).map((to, i) => random.normals((layers[i] ?? 0) * to));
    const projection = { layers, mean: random.normals(6), scale: random.normals(6), weights };
    const rows = random.normals(4 * 6);
    const session = await InferenceSession.create(projectionGraph(projection));
    const { z } = await session.run({ embedding: new Tensor('float32', rows, [4, 6]) });
    const own = await project(projection, rows);
    const inGraph = Array.from(z?.data as Float32Array);
    expect(inGraph).toHaveLength(12);
    own.forEach((value, i) => expect(value).toBeCloseTo(inGraph[i] ?? NaN, 5));
    for (let row = 0; row < 4; row++)
      expect(Math.hypot(...own.subarray(row * 3, row * 3 + 3))).toBeCloseTo(1, 5);
    expect(Buffer.from(projectionGraph(projection)).equals(projectionGraph(projection))).toBe(true);
  },
);
