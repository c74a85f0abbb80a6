import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import type { AdaptorMasks } from '../../models/pecmae/adaptor.ts';
import { PrototypeNetwork } from '../../models/pecmae/network.ts';
import { oneCycle } from '../../models/pecmae/one-cycle.ts';
import { normalisationOf, normalise } from '../../models/pecmae/normalisation.ts';
import type { SimilarityKind } from '../../models/pecmae/distance-graph.ts';
import type { GraphSpec } from '../../models/pecmae/training-graph.ts';
import { TrainingSession, type Parameters } from '../../models/pecmae/training-session.ts';
import { readFloat32Npy, readNpy, readSafetensors } from '../../models/tensors/index.ts';
import { sharedFolder } from '../support/shared.ts';
import { recordParity } from './parity-table.ts';

const folder = sharedFolder('golden/pecmae/protonet');

// Limits from the golden README: about ten times the float32 noise of the reference itself.
const limits = { forward: 1e-5, loss: 2e-6, parameter: 1e-5, inertBias: 1e-4, gradient: 1e-5 } as const;
const worst = new Map<string, { worst: number; limit: number }>();

function record(name: string, value: number, limit: number): void {
  worst.set(name, { worst: Math.max(value, worst.get(name)?.worst ?? 0), limit });
  recordParity(`Prototype network: ${name}`, value, limit);
  expect(value, name).toBeLessThanOrEqual(limit);
}

function compare(name: string, actual: ArrayLike<number>, expected: ArrayLike<number>, limit: number): void {
  expect(actual.length, name).toBe(expected.length);
  let difference = 0;
  for (let i = 0; i < expected.length; i++) {
    const d = Math.abs((actual[i] ?? NaN) - (expected[i] ?? NaN));
    if (!(d <= difference)) difference = d;
  }
  record(name, difference, limit);
}

function file(name: string): Uint8Array {
  return readFileSync(folder.path(name));
}
function floats(name: string): Float32Array {
  return readFloat32Npy(file(name)).data;
}
function integers(name: string): number[] {
  return Array.from(readNpy(file(name)).data, Number);
}
function tensors(...names: string[]): Parameters {
  const all = names.flatMap((name) => [...readSafetensors(file(`${name}.safetensors`)).tensors]);
  return Object.fromEntries(
    all.map(([name, tensor]) => [name, Float32Array.from(tensor.data as Uint8Array)]),
  );
}
/** Members of `all` whose name starts with `prefix.`, without it. */
function section(all: Parameters, prefix: string): Parameters {
  const members = Object.entries(all).filter(([name]) => name.startsWith(`${prefix}.`));
  return Object.fromEntries(members.map(([name, value]) => [name.slice(prefix.length + 1), value]));
}

const sets = {
  A: { count: 240, dim: 32, classes: 4, perClass: 3, batch: 32 },
  B: { count: 160, dim: 16, classes: 3, perClass: 2, batch: 24 },
} as const;

function problem(set: keyof typeof sets, changes: Partial<GraphSpec> = {}) {
  const { count, dim, classes, perClass, batch } = sets[set];
  const labels = integers(`${set}_labels.npy`);
  const y = new Float32Array(count * classes);
  labels.forEach((label, i) => (y[i * classes + label] = 1));
  const spec: GraphSpec = {
    dim,
    classes,
    prototypeClasses: Array.from({ length: classes * perClass }, (_, k) => Math.floor(k / perClass)),
    task: 'single',
    lambda: 0.25,
    temperature: 0.1,
    weightDecay: 1e-4,
    adaptor: 'none',
    dropout: false,
    similarity: 'l2',
    prototypeLoss: 'class',
    ...changes,
  };
  const order = Int32Array.from(integers(`${set}_batches.npy`));
  const x = floats(`${set}_norm.npy`);
  return { spec, x, y, batches: (s: number) => order.subarray(s * batch, (s + 1) * batch) };
}

function parameterLimit(name: string): number {
  return name.endsWith('in_proj_bias') ? limits.inertBias : limits.parameter;
}

interface Run {
  name: string;
  set: keyof typeof sets;
  golden: Parameters;
  steps: number;
  scheduledSteps: number;
  learningRate: number;
  spec?: Partial<GraphSpec>;
  masks?: (step: number) => AdaptorMasks<Float32Array>;
}

async function replay(run: Run): Promise<void> {
  const { spec, x, y, batches } = problem(run.set, run.spec);
  const scalars = readNpy(file(`${run.name}_scalars.npy`)).data as Float64Array;
  const session = await TrainingSession.open(spec, section(run.golden, 'init'), {
    data: { x, y },
    schedule: { steps: run.scheduledSteps, learningRate: run.learningRate },
    gradients: true,
  });
  for (let s = 0; s < run.steps; s++) {
    const rows = batches(s);
    const expected = section(run.golden, `step${s}`);
    // The reference recorded its forward pass with dropout active; an evaluation has none.
    if (expected['logits'] && run.masks === undefined) {
      const pick = (from: Float32Array, width: number): Float32Array =>
        Float32Array.from([...rows].flatMap((row) => [...from.subarray(row * width, (row + 1) * width)]));
      const all = await session.evaluate({ x: pick(x, spec.dim), y: pick(y, spec.classes) });
      compare(`${run.name} projected`, all.projected, expected['protos_projected'] ?? [], limits.forward);
      compare(`${run.name} distance`, all.distance, expected['distance'] ?? [], limits.forward);
      compare(`${run.name} similarity`, all.similarity, expected['similarity'] ?? [], limits.forward);
      compare(`${run.name} logits`, all.logits, expected['logits'], limits.forward);
    }
    const result = await session.step(rows, run.masks?.(s) ?? null);
    if (expected['logits'])
      compare(`${run.name} step logits`, result.logits, expected['logits'], limits.forward);
    const row = scalars.subarray(s * 7, (s + 1) * 7);
    record(`${run.name} loss`, Math.abs(result.loss - (row[0] ?? NaN)), limits.loss);
    record(`${run.name} class loss`, Math.abs(result.classLoss - (row[1] ?? NaN)), limits.forward);
    record(`${run.name} prototype loss`, Math.abs(result.prototypeLoss - (row[2] ?? NaN)), limits.loss);
    record(`${run.name} mean distance`, Math.abs(result.meanDistance - (row[4] ?? NaN)), limits.forward);
    for (const [name, gradient] of Object.entries(section(run.golden, `grad${s}`))) {
      compare(`${run.name} gradients`, result.gradients[name] ?? [], gradient, limits.gradient);
    }
    const parameters = session.parameters();
    for (const [name, value] of Object.entries(section(run.golden, `param${s + 1}`))) {
      const label = name.endsWith('in_proj_bias') ? 'in_proj bias' : 'parameters';
      compare(`${run.name} ${label}`, parameters[name] ?? [], value, parameterLimit(name));
    }
  }
  await session.close();
}

describe.skipIf(folder.missing)('prototype network against the reference', () => {
  afterAll(() => {
    console.table(
      Object.fromEntries(
        [...worst].map(([name, v]) => [name, { worst: v.worst.toExponential(1), limit: v.limit }]),
      ),
    );
  });

  it('normalises with two scalars', () => {
    const info = JSON.parse(new TextDecoder().decode(file('info.json'))) as Record<
      'A' | 'B',
      { mean: number; std: number }
    >;
    for (const set of ['A', 'B'] as const) {
      const raw = floats(`${set}_raw.npy`);
      const normalisation = normalisationOf(raw, sets[set].count, sets[set].dim);
      record('normalisation mean', Math.abs(normalisation.mean - info[set].mean), 1e-6);
      record('normalisation scale', Math.abs(normalisation.scale - 2 * info[set].std), 2e-6);
      compare('normalised', normalise(raw, normalisation), floats(`${set}_norm.npy`), 1e-6);
    }
  });

  it.each([50, 1000])('follows the one-cycle schedule of %i steps', (steps) => {
    const table = readNpy(file(`onecycle_T${steps}.npy`)).data as Float64Array;
    for (let s = 0; s < steps; s++) {
      const { learningRate, beta1 } = oneCycle(s, steps, 1e-3);
      record('one-cycle rate', Math.abs(learningRate - (table[2 * s] ?? NaN)), 1e-15);
      record('one-cycle beta1', Math.abs(beta1 - (table[2 * s + 1] ?? NaN)), 1e-13);
    }
  });

  it('p1_none: 50 steps without an adaptor', () =>
    replay({
      name: 'p1_none',
      set: 'A',
      golden: tensors('p1_none'),
      steps: 50,
      scheduledSteps: 50,
      learningRate: 1e-3,
    }));

  it('p1b: 50 steps at a rate where the nearest windows change', () =>
    replay({
      name: 'p1b_none_lr2e-2',
      set: 'A',
      golden: tensors('p1b_none_lr2e-2'),
      steps: 50,
      scheduledSteps: 50,
      learningRate: 2e-2,
    }));

  it('p2_transformer_nodropout: 50 steps with the adaptor', () =>
    replay({
      name: 'p2_transformer_nodropout',
      set: 'B',
      golden: tensors(
        'p2_transformer_nodropout',
        'p2_transformer_nodropout_big_params',
        'p2_transformer_nodropout_big_grads',
      ),
      steps: 50,
      scheduledSteps: 50,
      learningRate: 1e-3,
      spec: { adaptor: 'transformer' },
    }));

  it('p3_transformer_dropout: 10 steps with recorded dropout masks', async () => {
    const keep = tensors('p3_dropout_keep_masks');
    const mask = (name: string): Float32Array => (keep[name] ?? new Float32Array()).map((k) => k / 0.9);
    const golden = tensors(
      'p3_transformer_dropout',
      'p3_transformer_dropout_big_params',
      'p3_transformer_dropout_big_grads',
    );
    await replay({
      name: 'p3_transformer_dropout',
      set: 'B',
      golden,
      steps: 10,
      scheduledSteps: 10,
      learningRate: 1e-3,
      spec: { adaptor: 'transformer', dropout: true },
      masks: (s) => ({
        attention: mask(`step${s}.attn_weights`),
        attended: mask(`step${s}.dropout1_after_attn`),
        hidden: mask(`step${s}.dropout_ff_hidden`),
        output: mask(`step${s}.dropout2_after_ff`),
      }),
    });
  });

  it.each([
    { name: 'p1_none', set: 'A' },
    { name: 'p2_transformer_nodropout', set: 'B' },
  ] as const)(
    'the network in TypeScript gives the forward pass of $name from raw embeddings',
    ({ name, set }) => {
      const { dim, classes, perClass, count } = sets[set];
      const golden = tensors(name);
      const raw = floats(`${set}_raw.npy`);
      const network = new PrototypeNetwork({
        classes: Array.from({ length: classes }, (_, c) => `class ${c}`),
        embeddingDim: dim,
        prototypesPerClass: perClass,
        task: 'single',
        normalisation: normalisationOf(raw, count, dim),
        prototypes: golden['step0.protos_projected'] ?? new Float32Array(),
        weights: golden['init.linear.weight'] ?? new Float32Array(),
        bias: golden['init.linear.bias'] ?? new Float32Array(),
        temperature: 0.1,
      });
      const rows = [...problem(set).batches(0)];
      const batch = Float32Array.from(rows.flatMap((row) => [...raw.subarray(row * dim, (row + 1) * dim)]));
      const similarities = network.similarities(batch, rows.length);
      compare(
        `${name} TypeScript similarity`,
        similarities,
        golden['step0.similarity'] ?? [],
        limits.forward,
      );
      compare(
        `${name} TypeScript logits`,
        network.logits(batch, rows.length),
        golden['step0.logits'] ?? [],
        limits.forward,
      );
    },
  );

  it.each(['l2', 'l1', 'info_nce'] as const)('loss variants of %s', async (similarity: SimilarityKind) => {
    const scalars = JSON.parse(new TextDecoder().decode(file('loss_variants.json'))) as Record<
      string,
      { loss: number; class_loss: number; proto_loss: number; mean_distance: number }
    >;
    for (const prototypeLoss of ['class', 'all'] as const) {
      const { spec, x, y, batches } = problem('A', { similarity, prototypeLoss });
      const session = await TrainingSession.open(spec, section(tensors('p1_none'), 'init'), {
        data: { x, y },
        schedule: { steps: 50, learningRate: 1e-3 },
        gradients: true,
      });
      const rows = batches(0);
      const pick = (from: Float32Array, width: number): Float32Array =>
        Float32Array.from([...rows].flatMap((row) => [...from.subarray(row * width, (row + 1) * width)]));
      const forward = await session.evaluate({ x: pick(x, spec.dim), y: pick(y, spec.classes) });
      compare(
        `variant ${similarity} similarity`,
        forward.similarity,
        floats(`variant_${similarity}_similarity.npy`),
        limits.forward,
      );
      const result = await session.step(rows, null);
      const expected = scalars[`${similarity}_${prototypeLoss}`];
      record(`variant ${similarity} loss`, Math.abs(result.loss - (expected?.loss ?? NaN)), limits.loss);
      record(
        `variant ${similarity} prototype loss`,
        Math.abs(result.prototypeLoss - (expected?.proto_loss ?? NaN)),
        limits.loss,
      );
      for (const name of ['protos', 'linear.weight', 'linear.bias']) {
        const gradient = floats(`variant_${similarity}_${prototypeLoss}_grad_${name}.npy`);
        compare(`variant ${similarity} gradients`, result.gradients[name] ?? [], gradient, limits.gradient);
      }
      await session.close();
    }
  });
});
