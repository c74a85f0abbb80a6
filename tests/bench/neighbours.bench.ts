import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { ExactIndex } from '../../models/neighbours/exact.ts';
import { Random } from '../../models/numerics/random.ts';
import { machine, Peer, spentOn, type Spent } from './meter.ts';

const k = 10;
const batches = [1, 16, 256];
const rounds = 3;

interface Size {
  count: number;
  dim: number;
}

/** ARCHETONE_BENCH_SIZES, rows × components: 100000x256,1000000x256. */
function sizes(): Size[] {
  const text = process.env['ARCHETONE_BENCH_SIZES'] ?? '100000x256,100000x768';
  return text.split(',').map((size) => {
    const [count = NaN, dim = NaN] = size.split('x').map(Number);
    return { count, dim };
  });
}

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

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** In parts: files are not written more than 2 GiB at once. */
function writeRows(path: string, rows: Float32Array): void {
  const part = 1 << 26;
  writeFileSync(path, '');
  for (let first = 0; first < rows.length; first += part)
    appendFileSync(path, bytesOf(rows.subarray(first, first + part)));
}

const spentSchema = z.object({ cpu: z.number(), wall: z.number() });

/** What a batch took at best. */
class Best {
  readonly #spent = new Map<string, Spent>();

  note(who: string, batch: number, { cpu, wall }: Spent): void {
    const before = this.of(who, batch);
    this.#spent.set(`${who} ${batch}`, { cpu: Math.min(before.cpu, cpu), wall: Math.min(before.wall, wall) });
  }

  of(who: string, batch: number): Spent {
    return this.#spent.get(`${who} ${batch}`) ?? { cpu: Infinity, wall: Infinity };
  }
}

async function compare(
  name: string,
  size: Size,
  vectors: Float32Array,
  queries: Float32Array,
): Promise<void> {
  const { count, dim } = size;
  const folder = mkdtempSync(join(tmpdir(), 'archetone-bench-'));
  try {
    const path = (file: string): string => join(folder, file);
    writeRows(path('vectors'), vectors);
    writeRows(path('queries'), queries);
    const peer = Peer.start('peer_neighbours.py', [
      path('vectors'),
      path('queries'),
      String(dim),
      String(k),
      path('ids'),
    ]);
    const names = peer === null ? [] : z.array(z.string()).parse(await peer.ask('names'));
    const index = await ExactIndex.build(vectors, dim);
    const prepare = await spentOn(() => index.query(queries, k));
    const best = new Best();
    for (let round = 0; round < rounds; round++)
      for (const batch of batches) {
        const asked = queries.subarray(0, batch * dim);
        for (let i = 0; i < (batch < 32 ? 5 : 2); i++)
          best.note('Archetone', batch, await spentOn(() => index.query(asked, k)));
        for (const other of names)
          if (round === 0 || other === 'FAISS flat')
            best.note(other, batch, spentSchema.parse(await peer?.ask({ name: other, batch })));
      }
    console.log(
      `\n${name}: ${count} × ${dim}, top ${k}; milliseconds a query, CPU / wall (prepared in ${(prepare.cpu / 1000).toFixed(2)} CPU s) · ${machine()}`,
    );
    const text = (who: string, batch: number): string => {
      const { cpu, wall } = best.of(who, batch);
      return `${(cpu / batch).toFixed(2)} / ${(wall / batch).toFixed(2)}`;
    };
    console.table(
      batches.map((batch) => ({
        batch,
        ...Object.fromEntries(['Archetone', ...names].map((who) => [who, text(who, batch)])),
        ...(names.includes('FAISS flat') && {
          'CPU against FAISS': (best.of('FAISS flat', batch).cpu / best.of('Archetone', batch).cpu).toFixed(
            2,
          ),
        }),
      })),
    );
    if (peer) printAgreement(await index.query(queries, k), path('ids'));
    const own = ExactIndex.bytes(count, dim) / vectors.byteLength;
    console.log(
      `searched row by row: ${index.fallbacks} · vectors ${Math.round(vectors.byteLength / 2 ** 20)} MiB, with the index ${(1 + own).toFixed(2)} times that`,
    );
    peer?.close();
    await index.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function printAgreement(found: readonly { row: number }[][], file: string): void {
  const ids = new Int32Array(new Uint8Array(readFileSync(file)).buffer);
  const shared = found.map(
    (own, q) => own.filter(({ row }) => ids.subarray(q * k, (q + 1) * k).includes(row)).length,
  );
  const share = shared.reduce((a, b) => a + b, 0) / ids.length;
  console.log(`${(100 * share).toFixed(3)} % of the peer's float32 neighbours are ours`);
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
  for (const { count, dim } of sizes())
    for (const [name, make] of Object.entries({ clustered, gaussian })) {
      const all = make(count + 256, dim, new Random(1));
      await compare(name, { count, dim }, all.subarray(0, count * dim), all.subarray(count * dim));
    }
}
