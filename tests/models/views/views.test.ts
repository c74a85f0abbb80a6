import { describe, expect, it } from 'vitest';
import type { LabelledWindows } from '../../../models/embeddings/labelled-vectors.ts';
import { Random } from '../../../models/numerics/random.ts';
import { columnsOf } from '../../../models/pecmae/columns.ts';
import { PrototypeError } from '../../../models/pecmae/errors.ts';
import { defaultTrainParameters } from '../../../models/pecmae/trainer.ts';
import { BlendSession } from '../../../models/views/blend-session.ts';
import { blendShapes, type BlendSpec } from '../../../models/views/blend-graph.ts';
import { changeOfView, editView } from '../../../models/views/edit-view.ts';
import { trainViews, type ViewTrainParameters } from '../../../models/views/train-views.ts';
import { ViewNetwork, type ViewVectors } from '../../../models/views/view-network.ts';
import { TOY_CLASSES, toyViews } from '../../support/toy-views.ts';

const { signal } = new AbortController();
const parameters: ViewTrainParameters = {
  ...defaultTrainParameters,
  prototypesPerClass: 2,
  steps: 100,
  batchSize: 64,
  weighting: 'p1',
  head: 'refit',
};
const [train, validation, test] = [toyViews(1, 1, 120), toyViews(1, 2, 60), toyViews(1, 3, 300)];

function windowsOf(sets: readonly LabelledWindows[], row: number): Float32Array[] {
  return sets.map(({ features, dim }) => features.subarray(row * dim, (row + 1) * dim));
}

function accuracy(network: ViewNetwork, sets: readonly LabelledWindows[]): number {
  const count = sets[0]?.count ?? 0;
  const right = Array.from({ length: count }, (_, row) => row).filter(
    (row) => network.classify(windowsOf(sets, row), 1).prediction === row % TOY_CLASSES.length,
  );
  return right.length / count;
}

describe('the step of several views', () => {
  it.each(['single', 'multi'] as const)('has the slope of what it minimises (%s)', async (task) => {
    const spec: BlendSpec = {
      dims: [3, 5],
      classes: 2,
      prototypeClasses: [0, 1],
      ...{ task, lambda: 0.6, temperature: 0.5, weightDecay: 0 },
    };
    const random = new Random(4);
    const n = 6;
    const data = {
      x: spec.dims.map((dim) => random.normals(n * dim)),
      y: Float32Array.from({ length: 2 * n }, (_, i) => (Math.floor(i / 2) % 2 === i % 2 ? 1 : 0)),
    };
    const initial = Object.fromEntries(
      Object.entries(blendShapes(spec)).map(([name, shape]) => [
        name,
        random.normals(shape.reduce((a, b) => a * b, 1)),
      ]),
    );
    const weights = [0.2, 0.3, 0.5];
    const rows = Int32Array.from({ length: n }, (_, i) => i);
    const open = (at: typeof initial): Promise<BlendSession> =>
      BlendSession.open(spec, at, { data, schedule: { steps: 10, learningRate: 0.01 }, gradients: true });
    const session = await open(initial);
    const { gradients } = await session.step(rows, weights);
    await session.close();
    const valueAt = async (at: typeof initial): Promise<number> => {
      const there = await open(at);
      const { losses, prototypeLoss } = await there.evaluate();
      await there.close();
      return (
        spec.lambda * losses.reduce((sum, loss, b) => sum + (weights[b] ?? NaN) * loss, 0) +
        0.4 * prototypeLoss
      );
    };
    for (const name of ['view1.prototypes', 'joint.weight']) {
      const values = initial[name] ?? new Float32Array();
      const place = values.length - 1;
      const moved = (by: number): typeof initial => ({
        ...initial,
        [name]: values.map((value, i) => (i === place ? value + by : value)),
      });
      const slope = ((await valueAt(moved(0.01))) - (await valueAt(moved(-0.01)))) / 0.02;
      expect(gradients[name]?.[place], name).toBeCloseTo(slope, 3);
    }
  });
});

describe('trainViews', () => {
  it(
    'does better by blending than by concatenation where a large view is noise',
    { timeout: 240_000 },
    async () => {
      const scores = { p1: 0, concatenation: 0 };
      for (const seed of [1, 2, 3, 4]) {
        const [known, held, unseen] = [toyViews(seed, 1, 60), toyViews(seed, 2, 60), toyViews(seed, 3, 300)];
        for (const [weighting, head] of [
          ['p1', 'refit'],
          ['concatenation', 'trained'],
        ] as const) {
          const chosen = { ...defaultTrainParameters, steps: 200, seed, weighting, head };
          const { network } = await trainViews(known, held, chosen, { signal });
          scores[weighting] += accuracy(network, unseen) / 4;
        }
      }
      expect(scores.p1).toBeGreaterThan(scores.concatenation);
    },
  );

  it('gives the same bytes for the same seed, and reports every branch', async () => {
    const run = (seed: number) => trainViews(train, validation, { ...parameters, seed }, { signal });
    const [first, again, other] = [await run(5), await run(5), await run(6)];
    const bytes = [first, again, other].map(({ network }) => Buffer.from(network.toBytes()).toString('hex'));
    expect(bytes[0]).toBe(bytes[1]);
    expect(bytes[0]).not.toBe(bytes[2]);
    expect(first.blend[0]?.step).toBe(0);
    expect(first.blend.at(-1)?.step).toBe(100);
    for (const { weights, generalisation, overfitting } of first.blend) {
      expect(weights.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 10);
      for (const values of [weights, generalisation, overfitting]) expect(values).toHaveLength(4);
    }
    expect(first.curve.filter((point) => point.validation)).toHaveLength(20);
    expect(first.overfitting).toHaveLength(3);
  });

  it('learns at chance what has nothing to do with the labels', async () => {
    const shuffled = train.map((set) => ({ ...set, labels: rolled(set.labels) }));
    const { network } = await trainViews(shuffled, validation, parameters, { signal });
    expect(accuracy(network, test)).toBeLessThan(0.4);
  });

  it.each([
    ['one view', train.slice(0, 1), validation.slice(0, 1), {}, /fewer than two views/],
    [
      'other windows',
      [...train.slice(0, 1), ...toyViews(1, 1, 60).slice(1, 2)],
      validation.slice(0, 2),
      {},
      /same windows/,
    ],
    ['an adaptor', train, validation, { adaptor: 'transformer' }, /no adaptor/],
    ['a two-sided loss', train, validation, { prototypeLoss: 'two-sided' }, /two-sided/],
    ['channel weights', train, validation, { channelWeights: 'learned' }, /channel weights/],
    ['a learning rate of 0', train, validation, { learningRate: 0 }, /learningRate/],
  ] as const)('refuses %s', async (_name, sets, held, change, message) => {
    const failing = trainViews(sets, held, { ...parameters, ...change }, { signal });
    await expect(failing).rejects.toThrow(message);
    await expect(failing).rejects.toBeInstanceOf(PrototypeError);
  });
});

describe('ViewNetwork', () => {
  const trained = trainViews(train, validation, parameters, { signal });

  it('adds up: bias and prototypes, bias and views, whatever is lacking', async () => {
    const { network } = await trained;
    const all = test.map(({ features, dim }) => features.subarray(0, 3 * dim));
    const without = (...views: number[]): ViewVectors =>
      all.map((own, v) => (views.includes(v) ? null : own));
    const cases: ViewVectors[] = [all, without(1), without(0, 1)];
    for (const windows of cases) {
      const { logits, parts, probabilities, deciding } = network.classify(windows, 3);
      expect(probabilities.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
      expect(windows[deciding]).not.toBeNull();
      for (let c = 0; c < TOY_CLASSES.length; c++) {
        const { bias, logit, contributions, views } = network.explain(windows, 3, c);
        expect(Math.abs(logit - (logits[c] ?? NaN))).toBeLessThan(1e-5);
        const sum = contributions.reduce((total, { contribution }) => total + contribution, bias);
        expect(Math.abs(sum - logit)).toBeLessThan(1e-5);
        views.forEach((part, v) => {
          expect(part === null).toBe(windows[v] === null);
          const own = contributions.filter(({ view }) => view === v);
          expect(own).toHaveLength(part === null ? 0 : 12);
          if (part === null) return;
          expect(own.reduce((total, { contribution }) => total + contribution, 0)).toBeCloseTo(part, 5);
          expect(parts[v]?.[c]).toBeCloseTo(part, 5);
        });
      }
    }
    expect(() => network.classify([null, null, null], 3)).toThrow(/without any view/);
  });

  it('counts what an edit adds by each prototype, also where another one is the same to the bit', async () => {
    const { network } = await trained;
    const { views, joint } = network.data;
    const [K, first] = [network.prototypeCount, network.startOf(1)];
    // Two prototypes of one class that weigh the same, of which one is then put where the other lies.
    const weights = joint.weights.map((weight, i) =>
      i % K === first ? (joint.weights[i + 1] ?? NaN) : weight,
    );
    const before = new ViewNetwork({ views, joint: { ...joint, weights } });
    const columns = columnsOf(before.part(1));
    const edit = {
      kind: 'arrange',
      columns: columns.map((column, k) => (k === 0 ? columns[1] : k) ?? column),
    } as const;
    const after = await editView(before, 1, edit, () => Promise.reject(new Error('nothing new is compared')));
    const windows = windowsOf(test, 4);
    const { network: change } = changeOfView(before, after, 1);
    const added = change?.logits(before.standardise(1, windows[1] ?? new Float32Array()), 1) ?? [];
    const [was, willBe] = [before.classify(windows, 1).logits, after.classify(windows, 1).logits];
    expect(Math.max(...willBe.map((logit, c) => Math.abs(logit - (was[c] ?? NaN))))).toBeGreaterThan(1e-3);
    willBe.forEach((logit, c) => expect((was[c] ?? NaN) + (added[c] ?? NaN)).toBeCloseTo(logit, 4));
  });

  it('names the view that decided', async () => {
    const { network } = await trained;
    for (let row = 0; row < 12; row++) {
      const { logits, prediction, parts, deciding } = network.classify(windowsOf(test, row), 1);
      const [, next = 0] = [...logits.keys()].sort((a, b) => (logits[b] ?? 0) - (logits[a] ?? 0));
      const leads = parts.map((part) => (part?.[prediction] ?? NaN) - (part?.[next] ?? NaN));
      expect(deciding).toBe(leads.indexOf(Math.max(...leads)));
    }
  });

  it('has prototypes in the spaces of their views, and comes back from its file as it was', async () => {
    const { network } = await trained;
    const again = ViewNetwork.fromBytes(network.toBytes());
    const windows = windowsOf(test, 7);
    expect(again.classify(windows, 1).logits).toEqual(network.classify(windows, 1).logits);
    expect(network.prototypeCount).toBe(36);
    for (const [prototype, view] of [
      [0, 0],
      [12, 1],
      [35, 2],
    ] as const) {
      expect(network.placeOf(prototype).view).toBe(view);
      const vector = network.prototypeVector(prototype);
      expect(vector).toHaveLength(train[view]?.dim ?? 0);
      // At itself it is as similar as can be.
      const own = windows.map((window, v) => (v === view ? vector : window));
      const found = network.explain(own, 1, 0).contributions.find((part) => part.prototype === prototype);
      expect(found?.similarity).toBeCloseTo(1, 5);
    }
    expect(() => network.placeOf(36)).toThrow(RangeError);
    expect(() => ViewNetwork.fromBytes(new Uint8Array(20))).toThrow(PrototypeError);
  });
});

/** Every label moved to a row of another class, by other distances. */
function rolled(labels: Uint8Array): Uint8Array {
  const width = TOY_CLASSES.length;
  const rows = new Random(3).shuffle(Array.from({ length: labels.length / width }, (_, row) => row));
  const out = new Uint8Array(labels.length);
  rows.forEach((row, i) => out.set(labels.subarray(row * width, (row + 1) * width), i * width));
  return out;
}
