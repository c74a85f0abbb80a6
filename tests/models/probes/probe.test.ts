import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import type { LabelledWindows } from '../../../models/embeddings/labelled-vectors.ts';
import { Random } from '../../../models/numerics/random.ts';
import { fitLinear, hiddenSizes } from '../../../models/probes/fit.ts';
import { Perceptron } from '../../../models/probes/perceptron.ts';
import { fitProbe, type ProbeSettings } from '../../../models/probes/probe.ts';

const { signal } = new AbortController();
const mlp = {
  kind: 'mlp',
  hiddenUnits: ['infer'],
  weightDecay: 1e-5,
  learningRate: 1e-2,
  batchSize: 32,
  epochs: 60,
  patience: 10,
} as const;
const probes: ProbeSettings[] = [
  { kind: 'knn', k: 5 },
  { kind: 'mlknn', k: 5 },
  { kind: 'knn', k: 1, reduction: { method: 'MRSP3', parameters: {} } },
  { kind: 'linear', strength: 1 },
  mlp,
  { kind: 'prototypes', perClass: 1, steps: 200 },
];

/** Tracks of two windows around one centre per class; `spread` of centres decides how hard it is. */
function blobs(
  tracks: number,
  seed: number,
  { dim = 8, classes = 3, spread = 3, multi = false } = {},
): LabelledWindows {
  const centres = new Random(99).normals(classes * dim);
  const random = new Random(seed);
  const labels = new Uint8Array(2 * tracks * classes);
  const features = new Float32Array(2 * tracks * dim);
  for (let row = 0; row < 2 * tracks; row++) {
    const track = row >> 1;
    const own = multi ? [track % classes, (track + (track % 2)) % classes] : [track % classes];
    for (const c of own) labels[row * classes + c] = 1;
    for (let d = 0; d < dim; d++)
      features[row * dim + d] = own.reduce(
        (sum, c) => sum + spread * (centres[c * dim + d] ?? 0),
        random.normal(),
      );
  }
  return {
    ...{
      features,
      count: 2 * tracks,
      dim,
      labels,
      labelNames: Array.from({ length: classes }, (_, c) => `class ${c}`),
    },
    tracks: {
      of: Int32Array.from({ length: 2 * tracks }, (_, row) => row >> 1),
      ids: Array.from({ length: tracks }, (_, t) => `t${t}`),
      groups: Array.from({ length: tracks }, (_, t) => `t${t}`),
    },
  };
}

async function accuracy(probe: ProbeSettings, spread: number, multi = false): Promise<number> {
  const [train, test] = [blobs(90, 1, { spread, multi }), blobs(60, 2, { spread, multi })];
  const task = multi ? 'multi' : 'single';
  const fitted = await fitProbe(probe, { train, validation: null, task, seed: 1, signal });
  const { labels, scores } = await fitted(test);
  expect(scores).toHaveLength(60 * 3);
  let right = 0;
  labels.forEach((value, i) => {
    right += value === test.labels[2 * 3 * Math.floor(i / 3) + (i % 3)] ? 1 : 0;
  });
  return right / labels.length;
}

describe('probes', () => {
  it.each(probes.map((probe) => [probe.kind, probe] as const))(
    '%s learns what can be learned, and nothing else',
    async (_, probe) => {
      expect(await accuracy(probe, 3)).toBeGreaterThan(0.97);
      // One of three: two thirds of the decisions are right when it is chance.
      expect(Math.abs((await accuracy(probe, 0)) - 5 / 9)).toBeLessThan(0.18);
      expect(await accuracy(probe, 3, true)).toBeGreaterThan(0.85);
    },
  );

  it('give the same answers for the same seed', async () => {
    const [train, test] = [blobs(30, 1, { spread: 1 }), blobs(20, 2, { spread: 1 })];
    const once = async (): Promise<Float64Array> =>
      (await (await fitProbe(mlp, { train, validation: test, task: 'single', seed: 4, signal }))(test))
        .scores;
    expect(await once()).toEqual(await once());
  });

  it('mir_ref’s sizes of hidden layers', () => {
    expect(hiddenSizes(['infer'], 200, 10)).toEqual([106]);
    expect(hiddenSizes(['infer', 'infer'], 200, 10)).toEqual([136, 74]);
    expect(hiddenSizes([64], 200, 10)).toEqual([64]);
    expect(hiddenSizes([], 200, 10)).toEqual([]);
  });

  it.each(['single', 'multi'] as const)('gradients are those of the loss (%s)', async (task) => {
    const network = await Perceptron.open([3, 4, 2], task);
    const random = new Random(5);
    const rows = { x: random.normals(15), y: Float32Array.from([1, 0, 0, 1, 1, 0, 0, 1, 1, 0]), count: 5 };
    const at = network.initial(6).map((values) => values.map((value) => value + 0.1 * random.normal()));
    const { gradients } = await network.run(rows, at);
    for (const [p, values] of at.entries())
      for (let i = 0; i < values.length; i++) {
        const moved = async (by: number): Promise<number> =>
          (
            await network.run(
              rows,
              at.map((v, q) => (q === p ? v.map((x, j) => (j === i ? x + by : x)) : v)),
            )
          ).loss;
        const slope = ((await moved(1e-2)) - (await moved(-1e-2))) / 2e-2;
        expect(Math.abs(slope - (gradients[p]?.[i] ?? NaN))).toBeLessThan(2e-3);
      }
    await network.close();
  });

  it('linear finds the weights that scikit-learn finds, where it is there', async ({ skip }) => {
    const python = process.env['ARCHETONE_PYTHON'] ?? 'python3';
    try {
      execFileSync(python, ['-c', 'import sklearn'], { stdio: 'ignore' });
    } catch {
      skip('no Python with scikit-learn');
    }
    const random = new Random(8);
    const x = random.normals(60 * 5);
    const classes = Array.from({ length: 60 }, (_, row) =>
      (x[row * 5] ?? 0) + random.normal() > 0.4 ? 2 : (x[row * 5 + 1] ?? 0) > 0 ? 1 : 0,
    );
    const y = Float32Array.from({ length: 180 }, (_, i) => (classes[Math.floor(i / 3)] === i % 3 ? 1 : 0));
    const score = await fitLinear({ x, y, count: 60 }, 0.7, { dim: 5, labels: 3, task: 'single', signal });
    const ours = await score(x, 60);
    const script = [
      'import json, sys, numpy as np',
      'from sklearn.linear_model import LogisticRegression',
      'd = json.load(sys.stdin); x = np.array(d["x"]).reshape(60, 5)',
      'm = LogisticRegression(C=0.7, tol=1e-8, max_iter=5000).fit(x, d["y"])',
      'print(json.dumps(m.predict_proba(x).ravel().tolist()))',
    ].join('\n');
    const input = JSON.stringify({ x: Array.from(x), y: classes });
    const theirs = z
      .array(z.number())
      .parse(JSON.parse(execFileSync(python, ['-c', script], { input, encoding: 'utf8' })));
    theirs.forEach((value, i) => expect(Math.abs(value - (ours[i] ?? NaN))).toBeLessThan(1e-3));
  });
});
