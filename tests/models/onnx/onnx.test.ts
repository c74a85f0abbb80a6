import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../../models/onnx/builder.ts';
import { decodeModel } from '../../../models/onnx/proto.ts';

function searchGraph(): Uint8Array {
  const g = new GraphBuilder('search');
  const query = g.input('query', 'float32', ['m', 3]);
  const base = g.input('base', 'float32', ['n', 3]);
  const { values, indices } = g.topK(g.gemm(query, base, { transB: true }), 2, { largest: true });
  g.output('score', values, ['m', 2]);
  g.output('row', indices, ['m', 2]);
  return g.build();
}

describe('ONNX graph builder', () => {
  it('builds a graph that ONNX Runtime runs', async () => {
    const session = await InferenceSession.create(searchGraph());
    const result = await session.run({
      query: new Tensor('float32', [1, 0, 0, 0, 1, 1], [2, 3]),
      base: new Tensor('float32', [1, 0, 0, 3, 0, 0, 0, 2, 5, 0, 1, 1], [4, 3]),
    });
    expect([...(result['row']?.data as BigInt64Array)]).toEqual([1n, 0n, 2n, 3n]);
    expect([...(result['score']?.data as Float32Array)]).toEqual([3, 1, 7, 2]);
    await session.release();
  });

  it('gives the same bytes for the same calls', () => {
    expect(Buffer.from(searchGraph()).equals(Buffer.from(searchGraph()))).toBe(true);
  });

  it('stores equal initialisers once', () => {
    const g = new GraphBuilder('constants');
    const x = g.input('x', 'float32', [2]);
    g.output('y', g.add(g.mul(x, 2), g.div(2, g.add(x, 3))), [2]);
    const model = decodeModel(g.build());
    expect(model.graph.initializer.map((tensor) => tensor.name)).toEqual(['const_1', 'const_2']);
    expect(model.opsetImport).toEqual([{ domain: '', version: 20 }]);
  });

  it('writes negative axes, float attributes and bool conditions as ONNX means them', async () => {
    const g = new GraphBuilder('mixed');
    const x = g.input('x', 'float32', [2, 2]);
    const normed = g.layerNorm(x, g.floats([1, 1]), g.floats([0, 0]), 1e-5);
    g.output('sum', g.reduceSum(x, [-1], false), [2]);
    g.output('clipped', g.where(g.greater(x, 2), 2, x), [2, 2]);
    g.output('normed', normed, [2, 2]);
    g.output('best', g.argMax(x, -1, false), [2]);
    const session = await InferenceSession.create(g.build());
    const result = await session.run({ x: new Tensor('float32', [1, 2, 3, -4], [2, 2]) });
    expect([...(result['sum']?.data as Float32Array)]).toEqual([3, -1]);
    expect([...(result['clipped']?.data as Float32Array)]).toEqual([1, 2, 2, -4]);
    expect([...(result['best']?.data as BigInt64Array)]).toEqual([1n, 0n]);
    expect((result['normed']?.data as Float32Array)[0]).toBeCloseTo(-0.99998, 4);
    await session.release();
  });

  it('refuses a name twice and a float passed as an integer attribute', () => {
    const g = new GraphBuilder('names');
    const x = g.input('x', 'float32', [1]);
    expect(() => g.input('x', 'float32', [1])).toThrow(/already has a value named x/);
    expect(() => g.op('Softmax', [x], { axis: 0.5 })).toThrow(/float/);
  });
});
