import type { Rows } from '../neighbours/rows.ts';
import { GraphBuilder, type Value } from '../onnx/builder.ts';
import { InferenceSession, Tensor } from '../onnx/runtime.ts';
import type { PrototypeNetwork } from './network.ts';
import type { Normalisation } from './normalisation.ts';

/** Multiply-adds of one product: a few milliseconds on one core, for which whoever computes here waits. */
const workAtOnce = 1 << 26;
/** Numbers that go into one product, or come of it: they stay in a core's own cache. */
const cellsAtOnce = 1 << 18;
/** Of so few prototypes the windows are only read once: fewer, longer products. */
const fewColumns = 8;
const cellsOfFew = 1 << 22;
/** Sums of all tracks that are held at once. */
const sumsAtOnce = 1 << 20;

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
  /** @param similarities `[count, columns]` of the windows from `first` on; another block's when this is done */
  onBlock: (first: number, count: number, similarities: Float32Array) => void | Promise<void>;
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
  const cells = count <= fewColumns ? cellsOfFew : cellsAtOnce;
  const rows = rowsOf(count, windows.dim * (weighted ? 2 : 1), cells);
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
    await onBlock(first, n, similarities);
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
  options: TrackOptions,
): Promise<Float32Array[]> {
  const K = options.columns?.length ?? network.prototypeCount;
  const made = Array.from({ length: K }, () => new Float32Array(tracks));
  if (K * tracks <= sumsAtOnce) {
    const [sums, counts] = [new Float64Array(tracks * K), new Uint32Array(tracks)];
    await compareWindows(network, windows, {
      ...options,
      onBlock: async (first, count, similarities) => {
        await options.onBlock?.(first, count, similarities);
        addWindows(sums, counts, similarities, of, first, count);
      },
    });
    for (const [k, column] of made.entries())
      for (let track = 0; track < tracks; track++)
        column[track] = (sums[track * K + k] as number) / Math.max(1, counts[track] as number);
    return made;
  }
  await eachTrack(network, windows, of, options, (track, sums, counted) => {
    for (const [k, column] of made.entries()) column[track] = (sums[k] as number) / counted;
  });
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
  const head = await Head.of(network);
  const C = network.data.classes.length;
  const logits = new Float32Array(tracks * C);
  for (let first = 0; first < tracks; first += head.rows) {
    signal?.throwIfAborted();
    const n = Math.min(head.rows, tracks - first);
    for (const [k, column] of columns.entries())
      head.means.set(column.subarray(first, first + n), k * head.rows);
    logits.set((await head.run()).subarray(0, n * C), first * C);
  }
  return logits;
}

/**
 * Mean logits `[tracks, C]` of the windows of tracks; the bias where a track has none. As {@link logitsOf} of
 * {@link meanSimilarities}, without holding these of more than some tracks.
 * @param of for each window its track, ascending
 * @throws the signal's reason
 */
export async function trackLogits(
  network: PrototypeNetwork,
  windows: Rows,
  of: Int32Array,
  tracks: number,
  options: Omit<TrackOptions, 'columns'>,
): Promise<Float32Array> {
  const { bias, classes } = network.data;
  const C = classes.length;
  const head = await Head.of(network);
  const logits = new Float32Array(tracks * C);
  for (let track = 0; track < tracks; track++) logits.set(bias, track * C);
  const waiting: number[] = [];
  const finish = async (): Promise<void> => {
    const found = await head.run();
    for (const [row, track] of waiting.entries())
      logits.set(found.subarray(row * C, (row + 1) * C), track * C);
    waiting.length = 0;
  };
  await eachTrack(network, windows, of, options, (track, sums, counted) => {
    const place = waiting.push(track) - 1;
    for (let k = 0; k < sums.length; k++) head.means[k * head.rows + place] = (sums[k] as number) / counted;
    return waiting.length === head.rows ? finish() : undefined;
  });
  if (waiting.length > 0) await finish();
  return logits;
}

type TrackOptions = Omit<CompareOptions, 'onBlock'> & Partial<Pick<CompareOptions, 'onBlock'>>;

/**
 * Tells of one track after the other the sums of its windows' similarities `[columns]`, and how many windows they are of.
 * Another track's are in their place when `onTrack` is done.
 */
async function eachTrack(
  network: PrototypeNetwork,
  windows: Rows,
  of: Int32Array,
  options: TrackOptions,
  onTrack: (track: number, sums: Float64Array, counted: number) => Promise<void> | undefined,
): Promise<void> {
  // Those of one track at a time: columns are far apart in memory.
  const sums = new Float64Array(options.columns?.length ?? network.prototypeCount);
  let [track, counted] = [-1, 0];
  await compareWindows(network, windows, {
    ...options,
    onBlock: async (first, count, similarities) => {
      await options.onBlock?.(first, count, similarities);
      for (let row = 0; row < count; row++) {
        const own = of[first + row] as number;
        if (own !== track && counted > 0) {
          const under = onTrack(track, sums, counted);
          if (under) await under;
          sums.fill(0);
          counted = 0;
        }
        track = own;
        counted += 1;
        addTo(sums, similarities, row * sums.length);
      }
    },
  });
  if (counted > 0) await onTrack(track, sums, counted);
}

/** Adds what windows are like to the sums `[tracks, K]` of their tracks. */
function addWindows(
  sums: Float64Array,
  counts: Uint32Array,
  similarities: Float32Array,
  of: Int32Array,
  first: number,
  count: number,
): void {
  const K = sums.length / counts.length;
  for (let row = 0; row < count; row++) {
    const track = of[first + row] as number;
    counts[track] = (counts[track] as number) + 1;
    for (let k = 0, at = track * K, from = row * K; k < K; k++, at++, from++)
      sums[at] = (sums[at] as number) + (similarities[from] as number);
  }
}

/** Loops in async functions are compiled less well. */
function addTo(sums: Float64Array, values: Float32Array, start: number): void {
  for (let k = 0; k < sums.length; k++) sums[k] = (sums[k] as number) + (values[start + k] as number);
}

/** The classifier of a network over the mean similarities of some tracks at a time. */
class Head {
  /** Tracks at a time. */
  readonly rows: number;
  /** `[K, rows]`: what it is given. */
  readonly means: Float32Array<ArrayBuffer>;
  readonly #session: InferenceSession;
  readonly #feeds: Record<string, Tensor>;
  readonly #logits: Float32Array<ArrayBuffer>;
  readonly #out: Tensor;

  private constructor({ data, prototypeCount: K }: PrototypeNetwork, session: InferenceSession) {
    const { weights, bias, classes } = data;
    const C = classes.length;
    this.rows = rowsOf(C, K);
    this.means = new Float32Array(K * this.rows);
    this.#session = session;
    this.#feeds = {
      s: new Tensor('float32', this.means, [K, this.rows]),
      ...{ w: new Tensor('float32', weights, [C, K]), b: new Tensor('float32', bias, [C]) },
    };
    this.#logits = new Float32Array(this.rows * C);
    this.#out = new Tensor('float32', this.#logits, [this.rows, C]);
  }

  static async of(network: PrototypeNetwork): Promise<Head> {
    return new Head(network, await logitSession.get());
  }

  /** @returns `[rows, C]`; another's when it is run again */
  async run(): Promise<Float32Array> {
    await this.#session.run(this.#feeds, { logits: this.#out });
    return this.#logits;
  }
}

/** Mean x² of windows. @param norms where they are known, or to be: of some, where an earlier comparison was stopped */
function squaresOf(
  z: Float32Array,
  n: number,
  { mean, scale }: Normalisation,
  norms: Float32Array = new Float32Array(n).fill(NaN),
): Float32Array {
  const dim = z.length / n;
  for (let i = 0; i < n; i++) {
    if (!Number.isNaN(norms[i])) continue;
    let [sum, at] = [0, i * dim];
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
      p[row * d + e] = (2 / d) * (w ? weight * value : value / scale);
      if (w) w[row * d + e] = weight / d;
      square += weight * value * value;
      sum += value;
    }
    const own = (w ? square : square + (2 * mean * sum) / scale) / d;
    squares[row] = w ? own : -own;
  }
  const scalar = (value: number): Tensor => new Tensor('float32', Float32Array.of(value), []);
  return {
    count: K,
    weighted: w !== null,
    feeds: {
      ...{ p: new Tensor('float32', p, [K, d]), pp: new Tensor('float32', squares, [K]) },
      ...(w && { mean: scalar(mean), scale: scalar(scale), w: new Tensor('float32', w, [K, d]) }),
    },
  };
}

/** Rows of one product of `[rows, depth]` with `[depth, width]`. */
function rowsOf(width: number, depth: number, cells = cellsAtOnce): number {
  const most = Math.min(cells / Math.max(width, depth), workAtOnce / (width * depth));
  return Math.max(1, Math.floor(most));
}

/**
 * exp(2x·p − |p|² − |x|²), at most 1, from inputs that are means over the channels already: `z [n, d]`, `p [k, d]` twice the
 * prototypes, `pp [k]` their squares, negative, and `xx [n, 1]`; or, where channels have weights, these (`w [k, d]`) with the
 * normalisation, and the squares as they are. What can be worked out for the prototypes is, so that few passes go over the similarities.
 */
function similarityGraph(weighted: boolean): Uint8Array {
  const g = new GraphBuilder('similarities');
  const scalar = (name: string): Value => g.input(name, 'float32', []);
  const z = g.input('z', 'float32', ['n', 'd']);
  const p = g.input('p', 'float32', ['k', 'd']);
  const pp = g.input('pp', 'float32', ['k']);
  let exponent: Value;
  if (weighted) {
    const x = g.div(g.sub(z, scalar('mean')), scalar('scale'));
    const w = g.input('w', 'float32', ['k', 'd']);
    const squares = g.gemm(g.mul(x, x), w, { transB: true, c: pp });
    exponent = g.sub(g.gemm(x, p, { transB: true }), squares);
  } else exponent = g.sub(g.gemm(z, p, { transB: true, c: pp }), g.input('xx', 'float32', ['n', 1]));
  g.output('similarities', g.exp(g.min(exponent, 0)), ['n', 'k']);
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
