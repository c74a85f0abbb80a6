import { GraphBuilder, type Value } from '../../models/onnx/builder.ts';
import { Random } from '../../models/numerics/random.ts';

/** Sizes of a transformer over 16 × 16 patches of a spectrogram, one every 10 × 10, as MAEST's are. */
export interface MaestSizes {
  frames: number;
  bands: number;
  dim: number;
  heads: number;
  blocks: number;
}

/** Times of the patches, and rows of them. */
export const gridOf = ({ frames, bands }: MaestSizes): { times: number; rows: number } => ({
  times: Math.floor((frames - 16) / 10) + 1,
  rows: Math.floor((bands - 16) / 10) + 1,
});

/**
 * MAEST with random weights: `melspectrogram [n, 1, frames, bands]` → the tokens behind each block, CLS and DIST first.
 * @param kept times whose patches are there; the graph is then a twin of one that patches were left out of
 */
export function maestGraph(sizes: MaestSizes, kept?: readonly number[]): Uint8Array {
  const { frames, bands, dim, heads, blocks } = sizes;
  const { times, rows } = gridOf(sizes);
  const random = new Random(9);
  const g = new GraphBuilder('maest');
  const weight = (name: string, dims: readonly number[], spread = 1 / Math.sqrt(dims.at(-2) ?? 1)): Value =>
    g.weight(
      name,
      dims,
      random.normals(dims.reduce((a, b) => a * b, 1)).map((value) => spread * value),
    );
  const mel = g.input('melspectrogram', 'float32', ['n', 1, frames, bands]);
  const turned = g.transpose(mel, [0, 1, 3, 2]);
  const conv = { kernel_shape: [16, 16], strides: [10, 10] };
  const patches = g.op('Conv', [turned, weight('patch', [dim, 1, 16, 16], 0.05)], conv);
  const inTime = g.add(patches, weight('time', [1, dim, 1, times], 0.3));
  const placed = g.add(inTime, weight('frequency', [1, dim, rows, 1], 0.3));
  const there = kept ? g.gather(placed, g.integers(kept), 3) : placed;
  // All times of the lowest row first.
  const flat = g.transpose(g.reshape(there, [0, dim, -1]), [0, 2, 1]);
  const first = g.slice(flat, 0, 1, 1);
  const special = ['cls', 'dist'].map((name) => g.add(g.mul(first, 0), weight(name, [1, 1, dim], 0.5)));
  let tokens = g.concat([...special, flat], 1);
  const normed = (x: Value, name: string): Value =>
    g.layerNorm(
      x,
      g.weight(`${name}/one`, [dim], new Float32Array(dim).fill(1)),
      weight(`${name}/bias`, [dim], 0.1),
      1e-6,
    );
  for (let block = 1; block <= blocks; block++) {
    const x = normed(tokens, `norm${block}a`);
    const [q, k, v] = ['q', 'k', 'v'].map((part) =>
      g.transpose(
        g.reshape(g.matMul(x, weight(`${part}${block}`, [dim, dim])), [0, -1, heads, dim / heads]),
        [0, 2, 1, 3],
      ),
    ) as [Value, Value, Value];
    const scores = g.div(g.matMul(q, g.transpose(k, [0, 1, 3, 2])), Math.sqrt(dim / heads));
    const heard = g.reshape(g.transpose(g.matMul(g.softmax(scores, -1), v), [0, 2, 1, 3]), [0, -1, dim]);
    tokens = g.add(tokens, g.matMul(heard, weight(`o${block}`, [dim, dim])));
    const wide = g.op('Gelu', [
      g.matMul(normed(tokens, `norm${block}b`), weight(`in${block}`, [dim, 4 * dim])),
    ]);
    tokens = g.add(tokens, g.matMul(wide, weight(`out${block}`, [4 * dim, dim])));
    g.output(`PartitionedCall/Identity_${block}`, g.unsqueeze(tokens, [1]), ['n', 1, `tokens${block}`, dim]);
  }
  return g.build();
}
