import { InferenceSession, Tensor } from 'onnxruntime-node';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../../models/onnx/builder.ts';
import { decodeModel, encodeModel, parseModel } from '../../../models/onnx/proto.ts';
import { quantisedColumn } from '../../../models/onnx/quantise-int8.ts';
import { variantOf } from '../../../models/onnx/quantise.ts';
import { relativeRms, variantError } from '../../../models/onnx/variant-error.ts';
import { Random } from '../../../models/numerics/random.ts';
import { float16ToFloat32, float32ToFloat16 } from '../../../models/tensors/index.ts';

const WIDTH = 64;
const random = new Random(3);
const matrix = Float32Array.from(random.normals(WIDTH * WIDTH), (value) => value / 8);

/** Two products that share a matrix, one of them with a second product of the same input. */
function model(weights = matrix): Uint8Array {
  const g = new GraphBuilder('products');
  const x = g.input('x', 'float32', ['n', WIDTH]);
  const shared = g.weight('shared.weight', [WIDTH, WIDTH], weights);
  const other = g.weight('other.weight', [WIDTH, WIDTH], Float32Array.from(weights).reverse());
  const hidden = g.relu(g.add(g.matMul(x, shared), g.weight('bias', [WIDTH], matrix.slice(0, WIDTH))));
  g.output('y', g.add(g.matMul(hidden, shared), g.matMul(hidden, other)), ['n', WIDTH]);
  return g.build();
}

const feeds = [{ x: { data: Float32Array.from(random.normals(20 * WIDTH)), dims: [20, WIDTH] } }];
const small = { smallest: WIDTH * WIDTH };

/** What two products, added with saturation in 16 bits as x86 does before VNNI, miss of the exact sum. */
function saturated(bytes: [number, number], codes: [number, number]): number {
  const sum = bytes[0] * codes[0] + bytes[1] * codes[1];
  return sum - Math.max(-32_768, Math.min(32_767, sum));
}

describe('variants of a graph in reduced precision', () => {
  it('keeps large weights in half precision, and computes as before', async () => {
    const variant = variantOf(model(), 'float16', small);
    const stored = decodeModel(variant).graph.initializer;
    expect(stored.map(({ name, dataType }) => [name, dataType])).toEqual([
      ['shared.weight.half', 10],
      ['other.weight.half', 10],
      ['bias', 1],
    ]);
    expect(variant.length).toBeLessThan(0.6 * model().length);
    const error = await variantError(model(), variant, feeds);
    expect(error).toBeGreaterThan(1e-6);
    expect(error).toBeLessThan(5e-4);
  });

  it('leaves a weight alone that half precision cannot hold', () => {
    const large = matrix.slice();
    large[5] = 70_000;
    const types = decodeModel(variantOf(model(large), 'float16', small)).graph.initializer;
    expect(types.every(({ dataType }) => dataType === 1)).toBe(true);
  });

  it('takes products in 8-bit integers, with shared matrices and inputs shared', async () => {
    const variant = variantOf(model(), 'int8', small);
    const { initializer, node } = decodeModel(variant).graph;
    expect(initializer.filter(({ dataType }) => dataType === 3).map(({ name }) => name)).toEqual([
      'shared.weight.int8',
      'shared.weight.zeros',
      'other.weight.int8',
      'other.weight.zeros',
    ]);
    expect(initializer.some(({ name }) => name === 'shared.weight')).toBe(false);
    const count = (opType: string) => node.filter((n) => n.opType === opType).length;
    expect([count('DynamicQuantizeLinear'), count('MatMulInteger'), count('MatMul')]).toEqual([2, 3, 0]);
    const error = await variantError(model(), variant, feeds, { threads: 1 });
    expect(error).toBeGreaterThan(1e-3);
    expect(error).toBeLessThan(0.03);
  });

  it('has one scale per column, so that a small column is as exact as a large one', async () => {
    const uneven = matrix.map((value, i) => (i % WIDTH === 0 ? value / 1000 : value));
    const g = new GraphBuilder('columns');
    const x = g.input('x', 'float32', ['n', WIDTH]);
    const w = g.weight('w', [WIDTH, WIDTH], uneven);
    g.output('first', g.slice(g.matMul(x, w), 0, 1, 1), ['n', 1]);
    expect(await variantError(g.build(), variantOf(g.build(), 'int8', small), feeds)).toBeLessThan(0.03);
  });

  it('chooses bytes that no processor can saturate, at little cost', () => {
    const column = fc.array(fc.float({ min: -4, max: 4, noNaN: true }), { minLength: 1, maxLength: 65 });
    fc.assert(
      fc.property(column, fc.constantFrom(1e-6, 1, 1e5), (numbers, size) => {
        const weights = Float32Array.from(numbers, (value) => value * size);
        const { scale, codes } = quantisedColumn(weights);
        expect(scale).toBeGreaterThan(0);
        const largest = Math.max(...weights.map(Math.abs));
        for (const [row, code] of codes.entries()) {
          expect(Math.abs(code)).toBeLessThanOrEqual(127);
          if (row % 2 === 0) expect(Math.abs(saturated([255, 255], [code, codes[row + 1] ?? 0]))).toBe(0);
          // Never worse than seven bits with everything cut.
          expect(Math.abs((weights[row] ?? 0) - scale * code)).toBeLessThanOrEqual(largest * 0.51);
        }
      }),
      { numRuns: 300, seed: 5 },
    );
    const weights = Float32Array.from(random.normals(4096));
    const { scale, codes } = quantisedColumn(weights);
    const step = Math.max(...weights.map(Math.abs)) / 127;
    const plain = weights.map((weight) => step * Math.round(weight / step));
    const kept = Float32Array.from(codes, (code) => scale * code);
    expect(relativeRms([kept], [weights]) / relativeRms([plain], [weights])).toBeLessThan(1.3);
  });

  it('gives the integers that the products have, whatever processor runs them', async () => {
    // Weights of one sign and inputs at the top of their range: each pair of products is as large as it can be.
    const rows = 96;
    const columns = 48;
    const weights = Float32Array.from(random.normals(rows * columns), (value, i) =>
      i % 3 === 0 ? Math.abs(value) : 1 + Math.abs(value) / 4,
    );
    const g = new GraphBuilder('integers');
    const x = g.input('x', 'float32', ['n', rows]);
    g.output('y', g.matMul(x, g.weight('w', [rows, columns], weights)), ['n', columns]);
    const variant = variantOf(g.build(), 'int8', { smallest: 1 });
    const { initializer } = decodeModel(variant).graph;
    const bytes = initializer.find(({ name }) => name === 'w.int8')?.rawData;
    const scales = initializer.find(({ name }) => name === 'w.scales')?.rawData;
    if (!bytes || !scales) throw new Error('the variant has no bytes');
    const codes = new Int8Array(new Uint8Array(bytes).buffer);
    const steps = new Float32Array(new Uint8Array(scales).buffer);
    // Inputs that are their own bytes: 0 … 255, so that the step of the input is 1.
    const input = Float32Array.from({ length: 4 * rows }, (_, i) => (i % 7 === 0 ? i % 256 : 255));
    const session = await InferenceSession.create(variant);
    const result = await session.run({ x: new Tensor('float32', input, [4, rows]) });
    await session.release();
    const found = result['y']?.data;
    for (let row = 0; row < 4; row++)
      for (let column = 0; column < columns; column++) {
        let product = 0;
        for (let k = 0; k < rows; k++)
          product += (input[row * rows + k] ?? 0) * (codes[k * columns + column] ?? 0);
        const expected = Math.fround(product * (steps[column] ?? 0));
        const value = Number(found?.[row * columns + column]);
        expect(Math.abs(value - expected)).toBeLessThanOrEqual(1e-6 * Math.abs(expected));
      }
  });

  it('changes nothing but the weights: attributes of every kind survive', async () => {
    const g = new GraphBuilder('attributes');
    const x = g.input('x', 'float32', [2, 3, 1]);
    const [y] = g.call(
      'LSTM',
      [x, g.weight('W', [1, 8, 1], matrix.slice(0, 8)), g.weight('R', [1, 8, 2], matrix.slice(0, 16))],
      {
        hidden_size: 2,
        activations: ['Sigmoid', 'Tanh', 'Tanh'],
        clip: { float: 0.5 },
        direction: 'forward',
      },
      { types: ['float32'] },
    );
    g.output('y', g.transpose(y, [2, 3, 0, 1]), [3, 2, 2, 1]);
    const bytes = g.build();
    expect(Buffer.from(encodeModel(parseModel(bytes))).equals(Buffer.from(bytes))).toBe(true);
    const run = async (graph: Uint8Array) => {
      const session = await InferenceSession.create(graph);
      const result = await session.run({ x: new Tensor('float32', [1, 2, 3, -1, -2, -3], [2, 3, 1]) });
      await session.release();
      return result['y']?.data;
    };
    expect(await run(variantOf(bytes, 'int8', small))).toEqual(await run(bytes));
  });

  it('rounds to half precision to nearest, ties to even', () => {
    const all = Uint16Array.from({ length: 65_536 }, (_, bits) => bits).filter(
      (bits) => (bits & 0x7c00) !== 0x7c00,
    );
    expect(float32ToFloat16(float16ToFloat32(all))).toEqual(all);
    const step = 2 ** -10;
    const near = [1 + step / 2, 1 + 1.5 * step, 1 + 0.51 * step, 65_520, -70_000, 2 ** -26, NaN, -Infinity];
    const rounded = [...float16ToFloat32(float32ToFloat16(Float32Array.from(near)))];
    expect(rounded).toEqual([1, 1 + 2 * step, 1 + step, Infinity, -Infinity, 0, NaN, -Infinity]);
  });

  it('refuses what is no model', () => {
    expect(() => variantOf(new TextEncoder().encode('<!DOCTYPE html>'), 'int8')).toThrow();
  });

  it('measures a difference relative to the original', () => {
    expect(relativeRms([Float32Array.of(3, 4)], [Float32Array.of(3, 0)])).toBeCloseTo(4 / 3, 6);
    expect(relativeRms([Float32Array.of(0)], [Float32Array.of(0)])).toBe(0);
    expect(() => relativeRms([Float32Array.of(1)], [Float32Array.of(1, 2)])).toThrow(/sizes/);
  });
});
