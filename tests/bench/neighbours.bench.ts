import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ExactIndex } from '../../models/neighbours/exact.ts';
import { Random } from '../../models/numerics/random.ts';

const k = 10;
const batches = [1, 4, 16, 256];
const rounds = 2;
const sizes = {
  count: Number(process.env['ARCHETONE_BENCH_ROWS'] ?? 100_000),
  dim: Number(process.env['ARCHETONE_BENCH_DIM'] ?? 768),
};

/** Independent normals: the worst case for any bound, since all distances are nearly the same. */
function gaussian(rows: number, dim: number, random: Random): Float32Array {
  return random.normals(rows * dim);
}

/** What embeddings look like: groups of unequal size and spread, and few directions that matter. */
function clustered(rows: number, dim: number, random: Random): Float32Array {
  const [groups, directions] = [200, 32];
  const basis = random.normals(directions * dim);
  const centres = random.normals(groups * directions);
  const out = new Float32Array(rows * dim);
  for (let row = 0; row < rows; row++) {
    const group = Math.floor(groups * random.uniform() ** 2);
    const spread = 0.1 + 0.4 * (group / groups);
    for (let d = 0; d < dim; d++) out[row * dim + d] = 0.05 * random.normal();
    for (let j = 0; j < directions; j++) {
      const weight = (centres[group * directions + j] ?? 0) + spread * random.normal();
      for (let d = 0; d < dim; d++)
        out[row * dim + d] = (out[row * dim + d] ?? 0) + (weight * (basis[j * dim + d] ?? 0)) / (1 + j);
    }
  }
  return out;
}

interface Peer {
  names: string[];
  /** Processor milliseconds of one batch. */
  time(name: string, batch: number): Promise<number>;
  ids(): Int32Array;
  close(): void;
}

/** The Python peers on the same numbers, or null without a Python. */
async function startPeer(folder: string, vectors: Float32Array, queries: Float32Array): Promise<Peer | null> {
  const python = process.env['ARCHETONE_PYTHON'];
  if (python === undefined) return null;
  const path = (name: string): string => join(folder, name);
  writeFileSync(path('vectors'), vectors);
  writeFileSync(path('queries'), queries);
  const script = join(import.meta.dirname, 'peer_neighbours.py');
  const child = spawn(
    python,
    [script, path('vectors'), path('queries'), String(sizes.dim), String(k), path('ids')],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const read = async (): Promise<unknown> => {
    const line: IteratorResult<string, unknown> = await lines.next();
    if (line.done === true) throw new Error('the peer ended');
    return JSON.parse(line.value);
  };
  return {
    names: (await read()) as string[],
    time: async (name, batch) => {
      child.stdin.write(`${name} ${batch}\n`);
      return Number(await read());
    },
    ids: () => new Int32Array(new Uint8Array(readFileSync(path('ids'))).buffer),
    close: () => child.stdin.end(),
  };
}

async function processorMs(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const used = process.cpuUsage(before);
  return (used.user + used.system) / 1000;
}

async function compare(name: string, vectors: Float32Array, queries: Float32Array): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'archetone-bench-'));
  try {
    const peer = await startPeer(folder, vectors, queries);
    const index = await ExactIndex.build(vectors, sizes.dim);
    const prepare = await processorMs(() => index.query(queries, k));
    await index.query(queries.subarray(0, sizes.dim), k);
    const best = new Map<string, number>();
    const note = (key: string, ms: number): void => {
      best.set(key, Math.min(best.get(key) ?? Infinity, ms));
    };
    for (let round = 0; round < rounds; round++)
      for (const batch of batches) {
        const asked = queries.subarray(0, batch * sizes.dim);
        for (let i = 0; i < (batch < 32 ? 5 : 2); i++)
          note(`Archetone ${batch}`, await processorMs(() => index.query(asked, k)));
        for (const other of peer?.names ?? [])
          if (round === 0 || other === 'FAISS flat')
            note(`${other} ${batch}`, await (peer?.time(other, batch) ?? NaN));
      }
    const perSecond = (who: string, batch: number): number =>
      (1000 * batch) / (best.get(`${who} ${batch}`) ?? NaN);
    console.log(
      `\n${name}: ${sizes.count} × ${sizes.dim}, top ${k}; queries per processor second (prepared in ${(prepare / 1000).toFixed(2)} s)`,
    );
    console.table(
      batches.map((batch) => ({
        batch,
        ...Object.fromEntries(
          ['Archetone', ...(peer?.names ?? [])].map((who) => [who, Math.round(perSecond(who, batch))]),
        ),
        ...(peer?.names.includes('FAISS flat') && {
          'against FAISS': Number(
            (perSecond('Archetone', batch) / perSecond('FAISS flat', batch)).toFixed(2),
          ),
        }),
      })),
    );
    if (peer) {
      const found = await index.query(queries, k);
      const ids = peer.ids();
      const shared = found.map(
        (own, q) => own.filter(({ row }) => ids.subarray(q * k, (q + 1) * k).includes(row)).length,
      );
      const share = shared.reduce((a, b) => a + b, 0) / ids.length;
      console.log(`${(100 * share).toFixed(3)} % of the peer's float32 neighbours are ours`);
    }
    console.log(
      `searched row by row: ${index.fallbacks} · resident memory ${Math.round(process.memoryUsage.rss() / 2 ** 20)} MiB, ` +
        `of which the vectors ${Math.round(vectors.byteLength / 2 ** 20)} MiB`,
    );
    peer?.close();
    await index.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Exact search by batch size against FAISS flat, NumPy and scikit-learn (with ARCHETONE_PYTHON), one thread each, on
 * data that a bound prunes well and data that it prunes badly. Queries are rows with noise, and normals.
 */
export async function run(): Promise<void> {
  if (process.env['ARCHETONE_PYTHON'] === undefined)
    console.log(
      'neighbours: peers skipped (set ARCHETONE_PYTHON to a Python with NumPy, FAISS and scikit-learn)',
    );
  for (const [name, make] of Object.entries({ clustered, gaussian })) {
    const all = make(sizes.count + 256, sizes.dim, new Random(1));
    await compare(name, all.subarray(0, sizes.count * sizes.dim), all.subarray(sizes.count * sizes.dim));
  }
}
