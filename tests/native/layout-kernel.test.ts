import { describe, expect, it } from 'vitest';
import { layoutModule, reservedBytes, type LayoutKernel } from '../../native/layout/index.ts';

const width = 1;

/** The edges of rows with one neighbour each. */
function edgesOf(neighbours: readonly number[], weights: readonly number[]): number[][] {
  const count = neighbours.length;
  const memory = new WebAssembly.Memory({ initial: 1 });
  const kernel = new WebAssembly.Instance(layoutModule(), { env: { memory } })
    .exports as unknown as LayoutKernel;
  const [others, shares, heads, tails, strengths] = [1, 2, 3, 4, 5].map((i) => reservedBytes * i) as [
    number,
    number,
    number,
    number,
    number,
  ];
  new Int32Array(memory.buffer, others, count).set(neighbours);
  new Float32Array(memory.buffer, shares, count).set(weights);
  const edges = kernel.unite(others, shares, count, width, heads, tails, strengths);
  const strength = new Float32Array(memory.buffer, strengths, edges);
  const [head, tail] = [heads, tails].map((at) => new Int32Array(memory.buffer, at, edges));
  return Array.from(strength, (own, edge) => [head?.[edge] ?? -1, tail?.[edge] ?? -1, own]);
}

describe('the fuzzy union of neighbours', () => {
  it('has every pair once: of both directions, of one, and where a row hardly belongs to the other', () => {
    expect(edgesOf([1, 0, 0], [0.5, 0.5, 0.25])).toEqual([
      [0, 1, 0.75],
      [2, 0, 0.25],
    ]);
    // exp(−d) of a far neighbour is 0 in float32.
    expect(edgesOf([1, 0], [0, 0.75])).toEqual([[0, 1, 0.75]]);
    expect(edgesOf([1, 0], [0.75, 0])).toEqual([[0, 1, 0.75]]);
  });
});
