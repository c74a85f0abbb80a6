import { Worker } from 'node:worker_threads';
import { layoutModule, reservedBytes, type LayoutKernel } from '../../native/layout/index.ts';
import { Random } from '../numerics/random.ts';
import type { NeighbourGraph } from './neighbour-graph.ts';
import type { ProjectOptions, Projection } from './types.ts';

/** The curve 1 / (1 + a d^2b) that umap-learn fits for a spacing of 0.1 (`find_ab_params(1, 0.1)`). */
const curve = { a: 1.5769434603113077, b: 0.8950608779109733 };
/** The start is stretched to this on either side of 0, as in umap-learn. */
const startExtent = 10;
const pageBytes = 65536;

interface Task {
  module: WebAssembly.Module;
  count: number;
  width: number;
  neighbours: Int32Array;
  distances: Float32Array;
  /** `[count, 2]` */
  start: Float32Array;
  passes: number;
  seed: number;
  a: number;
  b: number;
  reserved: number;
  pages: number;
}
type Message = { progress: number } | { points: Float32Array };

/** Passes of the layout, as many as umap-js makes. */
export function passesFor(count: number): number {
  if (count <= 2500) return 500;
  if (count <= 5000) return 400;
  return count <= 7500 ? 300 : 200;
}

/**
 * Runs in a thread of its own, from its own text: it may use nothing of this module. A file would have to lie beside every
 * bundle and be checked in the packaged application.
 */
function layOut({ parentPort, workerData }: typeof import('node:worker_threads')): void {
  const task = workerData as Task;
  const { count, width, passes, a, b } = task;
  const memory = new WebAssembly.Memory({ initial: task.pages });
  // The module is made from layout.as, whose exports these are.
  const kernel = new WebAssembly.Instance(task.module, { env: { memory } })
    .exports as unknown as LayoutKernel;
  let free = task.reserved;
  const room = (items: number): number => {
    const address = free;
    free += Math.ceil((items * 4) / 16) * 16;
    return address;
  };
  const edgeRoom = count * width;
  const points = room(2 * count);
  const [heads, tails, strengths] = [room(edgeRoom), room(edgeRoom), room(edgeRoom)];
  const [neighbours, distances, weights] = [room(edgeRoom), room(edgeRoom), room(edgeRoom)];
  new Float32Array(memory.buffer, points, 2 * count).set(task.start);
  new Int32Array(memory.buffer, neighbours, edgeRoom).set(task.neighbours);
  new Float32Array(memory.buffer, distances, edgeRoom).set(task.distances);
  kernel.seed(task.seed);
  // As in umap-learn, where the row itself is one of its neighbours.
  kernel.memberships(distances, count, width, Math.log2(width + 1), weights);
  const edges = kernel.unite(neighbours, weights, count, width, heads, tails, strengths);
  const shares = new Float32Array(memory.buffer, strengths, edges);
  let strongest = 0;
  for (const share of shares) if (share > strongest) strongest = share;
  shares.forEach((share, edge) => (shares[edge] = share / strongest));
  // What neighbours lay in is free by now.
  const due = neighbours;
  new Float32Array(memory.buffer, due, edges).fill(0);
  let told = Date.now();
  for (let pass = 0; pass < passes; pass++) {
    kernel.pass(points, count, heads, tails, strengths, due, edges, a, b, 1 - pass / passes);
    if (Date.now() - told < 100) continue;
    told = Date.now();
    parentPort?.postMessage({ progress: (pass + 1) / passes } satisfies Message);
  }
  const laid = new Float32Array(memory.buffer, points, 2 * count).slice();
  parentPort?.postMessage({ points: laid } satisfies Message, [laid.buffer]);
}

/**
 * Lays rows out by their neighbours (UMAP's graph and optimisation), in a thread of its own that ends at once when the signal
 * aborts. Equal input gives equal bits, on every processor.
 * @param start where rows lie before the first pass, any extent
 * @throws the signal's reason; Error when the thread cannot run
 */
export async function layoutOf(
  graph: NeighbourGraph,
  start: Projection,
  options: ProjectOptions & { seed: number; passes?: number },
): Promise<Projection> {
  const { signal, onProgress, seed, passes = passesFor(graph.count) } = options;
  signal?.throwIfAborted();
  const random = new Random(seed);
  const { count, width } = graph;
  const bytes = reservedBytes + 8 * count + 6 * 4 * count * width + 16 * 16;
  const task: Task = {
    module: layoutModule(),
    ...{ count, width, neighbours: graph.rows, distances: graph.distances },
    ...{ start: stretched(start, random), passes, seed: Math.max(1, random.bits()), ...curve },
    ...{ reserved: reservedBytes, pages: Math.ceil(bytes / pageBytes) },
  };
  const worker = new Worker(`(${layOut.toString()})(require('node:worker_threads'))`, {
    ...{ eval: true, execArgv: [], workerData: task },
  });
  let stop: (() => void) | undefined;
  try {
    return await new Promise<Projection>((resolve, reject) => {
      // A signal's reason is what is thrown, whatever it is.
      // oxlint-disable-next-line typescript/prefer-promise-reject-errors
      stop = () => reject(signal?.reason);
      signal?.addEventListener('abort', stop);
      worker.on('message', (message: Message) => {
        if ('progress' in message) onProgress?.(message.progress);
        else resolve(columns(message.points));
      });
      worker.on('error', reject);
      worker.on('exit', (code) => reject(new Error(`The layout ended with code ${code}.`)));
    });
  } finally {
    if (stop) signal?.removeEventListener('abort', stop);
    await worker.terminate();
  }
}

/** Points in a row, centred and stretched, each a little off: equal places could not be told apart by any force. */
function stretched({ x, y }: Projection, random: Random): Float32Array {
  const count = x.length;
  const middle = (values: Float32Array): number => values.reduce((sum, value) => sum + value / count, 0);
  const [middleX, middleY] = [middle(x), middle(y)];
  let extent = 0;
  for (let i = 0; i < count; i++)
    extent = Math.max(extent, Math.abs((x[i] as number) - middleX), Math.abs((y[i] as number) - middleY));
  const scale = extent > 0 ? startExtent / extent : 0;
  const points = new Float32Array(2 * count);
  for (let i = 0; i < count; i++) {
    points[2 * i] = ((x[i] as number) - middleX) * scale + 1e-4 * random.normal();
    points[2 * i + 1] = ((y[i] as number) - middleY) * scale + 1e-4 * random.normal();
  }
  return points;
}

function columns(points: Float32Array): Projection {
  const count = points.length / 2;
  const [x, y] = [new Float32Array(count), new Float32Array(count)];
  for (let i = 0; i < count; i++) {
    x[i] = points[2 * i] as number;
    y[i] = points[2 * i + 1] as number;
  }
  return { x, y };
}
