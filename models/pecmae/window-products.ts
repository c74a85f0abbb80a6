import { rowsInMemory, type Rows } from '../neighbours/rows.ts';
import { GraphBuilder, type Value } from '../onnx/builder.ts';
import { InferenceSession, Tensor } from '../onnx/runtime.ts';
import type { PrototypeNetwork } from './network.ts';
import type { Normalisation } from './normalisation.ts';

/** Multiply-adds of one product: a few milliseconds on one core, for which whoever computes here waits. */
const workAtOnce = 1 << 26;
/** Numbers that go into one product, or come of it: they stay in a core's own cache. */
const cellsAtOnce = 1 << 18;

/** Prototypes laid out for {@link compareWindows}. */
interface Compared {
  count: number;
  feeds: Record<string, Tensor>;
  weighted: boolean;
}

export interface CompareOptions {
  /** Prototypes by their place in the network; default: all. */
  columns?: readonly number[];
  /** `[n]`: mean x² of every window in this normalised space; NaN where it is to be worked out, and then written. */
  norms?: Float32Array | undefined;
  signal?: AbortSignal | undefined;
  /** Told before each block how many windows are compared. */
  onRows?: ((done: number) => void) | undefined;
  /** @param similarities `[count, columns]` of the windows from `first` on; another block's after this returns */
  onBlock: (first: number, count: number, similarities: Float32Array) => void;
}

/**
 * Similarities of very many windows to prototypes, S = exp(−mean w·(z − p)²), by matrix products of ONNX Runtime in float32:
 * within 1e-6 of `PrototypeNetwork.similarities` where embeddings are normalised to about unit size, in a tenth of the time.
 * A thousand prototypes and a hundred thousand windows take less than a second of one core, so nothing of it has to be kept
 * on a disk.
 * @param windows `[n, D]` as the encoder gave them
 * @throws the signal's reason
 */
export async function compareWindows(
  network: PrototypeNetwork,
  windows: Rows,
  { columns, norms, signal, onRows, onBlock }: CompareOptions,
): Promise<void> {
  const { count, feeds, weighted } = laidOut(
    network,
    columns ?? Array.from(network.data.prototypeClasses.keys()),
  );
  if (count === 0 || windows.count === 0) return;
  const session = await (weighted ? weightedSession : plainSession).get();
  const rows = rowsOf(count, windows.dim * (weighted ? 2 : 1));
  const space = new Float32Array(rows * count);
  for (let first = 0; first < windows.count; first += rows) {
    signal?.throwIfAborted();
    onRows?.(first);
    const n = Math.min(rows, windows.count - first);
    const vectors = windows.read(first, n);
    const z = new Tensor('float32', vectors, [n, windows.dim]);
    const squares = weighted
      ? null
      : squaresOf(vectors, n, network.data.normalisation, norms?.subarray(first, first + n));
    const own = squares && { xx: new Tensor('float32', squares, [n, 1]) };
    const similarities = space.subarray(0, n * count);
    await session.run(
      { z, ...own, ...feeds },
      { similarities: new Tensor('float32', similarities, [n, count]) },
    );
    onBlock(first, n, similarities);
  }
}

/**
 * Mean similarity of every track to some prototypes, as a column `[tracks]` for each of them; 0 for a track without windows.
 * @param of for each window its track, ascending
 * @throws the signal's reason
 */
export async function meanSimilarities(
  network: PrototypeNetwork,
  windows: Rows,
  of: Int32Array,
  tracks: number,
  options: Omit<CompareOptions, 'onBlock'> & Partial<Pick<CompareOptions, 'onBlock'>>,
): Promise<Float32Array[]> {
  const K = options.columns?.length ?? network.prototypeCount;
  const made = Array.from({ length: K }, () => new Float32Array(tracks));
  // Those of one track at a time: columns are far apart in memory.
  const sums = new Float64Array(K);
  let [track, counted] = [-1, 0];
  const finish = (): void => {
    if (counted > 0) for (const [k, column] of made.entries()) column[track] = (sums[k] as number) / counted;
    sums.fill(0);
    counted = 0;
  };
  await compareWindows(network, windows, {
    ...options,
    onBlock: (first, count, similarities) => {
      options.onBlock?.(first, count, similarities);
      for (let row = 0; row < count; row++) {
        const own = of[first + row] as number;
        if (own !== track) finish();
        track = own;
        counted += 1;
        const start = row * K;
        for (let k = 0; k < K; k++) sums[k] = (sums[k] as number) + (similarities[start + k] as number);
      }
    },
  });
  finish();
  return made;
}

/**
 * Logits `[tracks, C]` of mean similarities: W·S + b in float32.
 * @param columns `[tracks]` for each prototype of the network
 * @throws the signal's reason
 */
export async function logitsOf(
  network: PrototypeNetwork,
  columns: readonly Float32Array[],
  tracks: number,
  signal?: AbortSignal,
): Promise<Float32Array> {
  const { weights, bias, classes } = network.data;
  const [K, C] = [network.prototypeCount, classes.length];
  const session = await logitSession.get();
  const rows = rowsOf(C, K);
  const logits = new Float32Array(tracks * C);
  const some = new Float32Array(rows * K);
  const feeds = { w: new Tensor('float32', weights, [C, K]), b: new Tensor('float32', bias, [C]) };
  for (let first = 0; first < tracks; first += rows) {
    signal?.throwIfAborted();
    const n = Math.min(rows, tracks - first);
    for (const [k, column] of columns.entries()) some.set(column.subarray(first, first + n), k * n);
    const s = new Tensor('float32', some.subarray(0, n * K), [K, n]);
    const out = new Tensor('float32', logits.subarray(first * C, (first + n) * C), [n, C]);
    await session.run({ s, ...feeds }, { logits: out });
  }
  return logits;
}

/** Mean logits `[tracks, C]` of the windows of tracks; the bias where a track has none. @throws the signal's reason */
export async function trackLogits(
  network: PrototypeNetwork,
  windows: { features: Float32Array; dim: number; of: Int32Array; tracks: number },
  signal?: AbortSignal,
): Promise<Float32Array> {
  const { features, dim, of, tracks } = windows;
  const columns = await meanSimilarities(network, rowsInMemory(features, dim), of, tracks, { signal });
  return logitsOf(network, columns, tracks, signal);
}

/** Mean x² of windows. @param norms where they are known, or to be */
function squaresOf(
  z: Float32Array,
  n: number,
  { mean, scale }: Normalisation,
  norms: Float32Array = new Float32Array(n).fill(NaN),
): Float32Array {
  if (!Number.isNaN(norms[0])) return norms;
  const dim = z.length / n;
  for (let i = 0, at = 0; i < n; i++) {
    let sum = 0;
    for (let e = 0; e < dim; e++, at++) {
      const value = (z[at] as number) - mean;
      sum += value * value;
    }
    norms[i] = sum / (dim * scale * scale);
  }
  return norms;
}

/**
 * Where channels have no weights, the normalisation goes into the prototypes: x·p = z·p/σ − μ/σ·Σp. It costs as many
 * bits as μ is larger than σ, which for embeddings is none or one.
 */
function laidOut(network: PrototypeNetwork, columns: readonly number[]): Compared {
  const { embeddingDim: d, prototypes, channelWeights, normalisation } = network.data;
  const { mean, scale } = normalisation;
  const K = columns.length;
  const p = new Float32Array(K * d);
  const w = channelWeights && new Float32Array(K * d);
  const squares = new Float32Array(K);
  for (const [row, k] of columns.entries()) {
    let [square, sum] = [0, 0];
    for (let e = 0; e < d; e++) {
      const value = prototypes[k * d + e] as number;
      const weight = channelWeights ? (channelWeights[k * d + e] as number) : 1;
      p[row * d + e] = w ? weight * value : value / scale;
      if (w) w[row * d + e] = weight;
      square += weight * value * value;
      sum += value;
    }
    squares[row] = (w ? square : square + (2 * mean * sum) / scale) / d;
  }
  const scalar = (value: number): Tensor => new Tensor('float32', Float32Array.of(value), []);
  return {
    count: K,
    weighted: w !== null,
    feeds: {
      dim: scalar(d),
      ...{ p: new Tensor('float32', p, [K, d]), pp: new Tensor('float32', squares, [K]) },
      ...(w && { mean: scalar(mean), scale: scalar(scale), w: new Tensor('float32', w, [K, d]) }),
    },
  };
}

/** Rows of one product of `[rows, depth]` with `[depth, width]`. */
function rowsOf(width: number, depth: number): number {
  const most = Math.min(cellsAtOnce / Math.max(width, depth), workAtOnce / (width * depth));
  return Math.max(1, Math.floor(most));
}

/**
 * |x|² + |p|² − 2x·p: inputs `z [n, d]`, `p [k, d]`, `pp [k]`, means over the channels; and `xx [n, 1]`, or, where channels have
 * weights, these (`w [k, d]`) with the normalisation.
 */
function similarityGraph(weighted: boolean): Uint8Array {
  const g = new GraphBuilder('similarities');
  const scalar = (name: string): Value => g.input(name, 'float32', []);
  const z = g.input('z', 'float32', ['n', 'd']);
  const dim = scalar('dim');
  const p = g.input('p', 'float32', ['k', 'd']);
  const pp = g.input('pp', 'float32', ['k']);
  let [x, xx] = [z, z];
  if (weighted) {
    x = g.div(g.sub(z, scalar('mean')), scalar('scale'));
    xx = g.div(g.gemm(g.mul(x, x), g.input('w', 'float32', ['k', 'd']), { transB: true }), dim);
  } else xx = g.input('xx', 'float32', ['n', 1]);
  const xp = g.mul(g.gemm(x, p, { transB: true }), g.div(2, dim));
  g.output('similarities', g.exp(g.neg(g.max(g.sub(g.add(xx, pp), xp), 0))), ['n', 'k']);
  return g.build();
}

function logitGraph(): Uint8Array {
  const g = new GraphBuilder('logits');
  const s = g.input('s', 'float32', ['k', 't']);
  const w = g.input('w', 'float32', ['c', 'k']);
  const b = g.input('b', 'float32', ['c']);
  g.output('logits', g.gemm(s, w, { transA: true, transB: true, c: b }), ['t', 'c']);
  return g.build();
}

/** A session that is opened when first asked for and then kept: its graph serves every network. */
class KeptSession {
  readonly #graph: () => Uint8Array;
  #session: Promise<InferenceSession> | null = null;

  constructor(graph: () => Uint8Array) {
    this.#graph = graph;
  }

  get(): Promise<InferenceSession> {
    this.#session ??= InferenceSession.create(this.#graph(), {
      executionProviders: ['cpu'],
      logSeverityLevel: 3,
      // Between two products this process goes on with what came of them: threads that wait busily would take its processor.
      extra: { session: { intra_op: { allow_spinning: '0' } } },
    }).catch((thrown: unknown) => {
      // Memory may be free again next time.
      this.#session = null;
      throw thrown;
    });
    return this.#session;
  }
}

const plainSession = new KeptSession(() => similarityGraph(false));
const weightedSession = new KeptSession(() => similarityGraph(true));
const logitSession = new KeptSession(logitGraph);
