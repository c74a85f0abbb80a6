import type { TensorSource } from '../../checkpoint/source.ts';
import { GraphBuilder, type Value } from '../builder.ts';
import { GraphBuildError } from '../errors.ts';
import { Weights } from '../weights.ts';

/** What shapes the graphs of a residual vector quantizer. */
export interface RvqConfig {
  /** Where the quantizers lie: `quantizer.vq` in EnCodec's own file. */
  prefix: string;
  /** How many of them are used, from the first; see {@link quantizersFor}. */
  quantizers: number;
}

/** Bits per second of one quantizer: 75 frames a second with 10 bits each. */
const BITS_PER_SECOND = 750;

/** Number of quantizers that EnCodec uses at a bandwidth in kbit/s (6 → 8). */
export function quantizersFor(bandwidth: number): number {
  return Math.floor((bandwidth * 1000) / BITS_PER_SECOND);
}

/**
 * `features` [batch, frames, F] → `codes` int64 [quantizers, batch, frames]: each quantizer takes the entry of its
 * codebook that is nearest to what the ones before left over, the first of equally near ones.
 * @throws GraphBuildError; CheckpointError
 */
export async function rvqEncodeGraph(source: TensorSource, config: RvqConfig): Promise<Uint8Array> {
  const g = new GraphBuilder('rvq-encode');
  const books = await codebooks(new Weights(g, source, config.prefix), config.quantizers);
  const features = g.input('features', 'float32', ['batch', 'frames', books.width]);
  let rest = features;
  const codes: Value[] = [];
  for (const { section, entries, transposed, squares } of books.list) {
    g.section(section);
    // ‖r − e‖² without ‖r‖², which is the same for every entry.
    const distance = g.sub(squares, g.mul(g.matMul(rest, transposed), 2));
    const code = g.argMin(distance, -1, false);
    codes.push(g.unsqueeze(code, [0]));
    rest = g.sub(rest, g.gather(entries, code));
  }
  g.output('codes', g.concat(codes, 0), [config.quantizers, 'batch', 'frames']);
  return g.build();
}

/**
 * `codes` int64 [quantizers, batch, frames] → `features` [batch, frames, F], the sum of the entries that they name.
 * @throws GraphBuildError; CheckpointError
 */
export async function rvqDecodeGraph(source: TensorSource, config: RvqConfig): Promise<Uint8Array> {
  const g = new GraphBuilder('rvq-decode');
  const codes = g.input('codes', 'int64', [config.quantizers, 'batch', 'frames']);
  const books = await codebooks(new Weights(g, source, config.prefix), config.quantizers);
  const parts = books.list.map(({ section, entries }, i) => {
    g.section(section);
    return g.gather(entries, g.squeeze(g.slice(codes, i, i + 1, 0), [0]));
  });
  const sum = parts.reduce((total, part) => g.add(total, part));
  g.output('features', sum, ['batch', 'frames', books.width]);
  return g.build();
}

interface Codebook {
  section: string;
  /** `[entries, F]` */
  entries: Value;
  /** `[F, entries]` */
  transposed: Value;
  /** ‖e‖² `[entries]` */
  squares: Value;
}

async function codebooks(weights: Weights, quantizers: number): Promise<{ list: Codebook[]; width: number }> {
  if (!Number.isInteger(quantizers) || quantizers < 1)
    throw new GraphBuildError(weights.prefix, `${quantizers} quantizers`);
  const list: Codebook[] = [];
  let width = 0;
  for (let i = 0; i < quantizers; i++) {
    const layer = weights.under(`layers.${i}._codebook`);
    const g = weights.graph;
    const [count = 0, dim = 0] = layer.shape('embed');
    const squares = await layer.derive('.squares', ['embed'], [count], (data) =>
      Float32Array.from({ length: count }, (_, row) =>
        data.subarray(row * dim, (row + 1) * dim).reduce((sum, x) => sum + x * x, 0),
      ),
    );
    const entries = await layer.load('embed');
    g.section(layer.prefix);
    list.push({ section: layer.prefix, entries, transposed: g.transpose(entries, [1, 0]), squares });
    width = dim;
  }
  return { list, width };
}
