/**
 * 100,000 windows of 256 numbers in a table of PostgreSQL: what filling and the index cost, what share of an exact search the
 * index finds, and what a question costs the server and this process. `node scripts/bench.mjs vector-store`;
 * ARCHETONE_POSTGRES=postgres://user:password@localhost:5432/database names a server of this machine, else it is the same code
 * as WebAssembly. Its table archetone_bench is dropped before and after.
 */
import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { ExactIndex } from '../../models/neighbours/exact.ts';
import { Random } from '../../models/numerics/random.ts';
import { PgvectorStore } from '../../engine/stores/pgvector.ts';
import { PostgresSession } from '../../engine/stores/postgres-session.ts';
import type { StoredWindow } from '../../engine/stores/vector-store.ts';
import { startPostgres } from '../support/pglite.ts';
import { machine } from './meter.ts';

const COUNT = Number(process.env['ARCHETONE_BENCH_WINDOWS'] ?? 100_000);
const DIM = 256;
const QUERIES = 100;
const K = 10;
/** Windows of music lie in clusters. */
const CLUSTERS = 500;
/** Linux counts the processor's time in hundredths of a second. */
const TICK_MS = 10;

const signal = new AbortController().signal;

export async function run(): Promise<void> {
  const postgres = await startPostgres();
  const settings = postgres.settings('archetone_bench');
  const session = new PostgresSession(settings);
  const store = new PgvectorStore(settings);
  const tell = async <T>(text: string, row: z.ZodType<T>): Promise<T[]> => session.ask({ text, row }, signal);
  try {
    await tell('DROP TABLE IF EXISTS archetone_bench', z.unknown());
    const [{ version } = { version: '' }] = await tell('SELECT version()', z.object({ version: z.string() }));
    console.log(`${machine()}; ${COUNT} windows of ${DIM}; ${version.split(' on ')[0] ?? ''}`);
    const vectors = clustered();
    await store.prepare({ dim: DIM, metric: 'cosine' }, signal);
    const others = z.object({ pid: z.number() });
    const [{ pid } = { pid: 0 }] = await tell(
      "SELECT pid FROM pg_stat_activity WHERE application_name = 'archetone' AND pid <> pg_backend_pid()",
      others,
    );
    const server = postgres.pid ?? pid;
    const spent = async (work: () => Promise<void>): Promise<string> => {
      const [there, here] = [processorMs(server), process.cpuUsage()];
      await work();
      const { user, system } = process.cpuUsage(here);
      return `${(processorMs(server) - there).toFixed(0)} ms of the server, ${((user + system) / 1000).toFixed(0)} ms of this process`;
    };
    const filled = await spent(async () => {
      const part = store.rowsAtOnce(DIM);
      for (let first = 0; first < COUNT; first += part) {
        const length = Math.min(part, COUNT - first);
        const windows = Array.from({ length }, (_, i) => window(first + i));
        await store.put(windows, vectors.subarray(first * DIM, (first + length) * DIM), 'run', signal);
      }
    });
    console.log(`filled: ${filled}`);
    const indexed = await spent(() => store.finish({ spaceKey: 'space', libraryId: 'bench' }, 'run', signal));
    console.log(`index made: ${indexed}`);
    const random = new Random(2);
    const queries = Array.from({ length: QUERIES }, () => {
      const row = Math.floor(random.uniform() * COUNT);
      return vectors.slice(row * DIM, (row + 1) * DIM).map((value) => value + 0.1 * random.normal());
    });
    const index = await ExactIndex.build(vectors, DIM, 'cosine');
    const wanted: Set<number>[] = [];
    for (const query of queries) {
      const [found = []] = await index.query(query, K);
      wanted.push(new Set(found.map(({ row }) => row)));
    }
    for (const exact of [false, true]) {
      let same = 0;
      const cost = await spent(async () => {
        for (const [i, vector] of queries.entries()) {
          const question = { spaceKey: 'space', libraryId: 'bench', vector, k: K, exact };
          const found = await store.search(question, signal);
          same += found.filter(({ windowIndex }) => wanted[i]?.has(windowIndex)).length;
        }
      });
      const recall = (same / (QUERIES * K)).toFixed(4);
      console.log(
        `${QUERIES} questions, ${exact ? 'exact' : 'by the index'}: recall@${K} ${recall}; ${cost}`,
      );
    }
  } finally {
    await tell('DROP TABLE IF EXISTS archetone_bench', z.unknown());
    await Promise.all([store.close(), session.close()]);
    postgres.stop();
  }
}

const window = (row: number): StoredWindow => ({
  ...{ libraryId: 'bench', spaceKey: 'space', trackId: `track ${Math.floor(row / 3)}` },
  ...{ title: `Title ${row}`, path: `folder/${row}.flac`, windowIndex: row, startSeconds: 4 * row },
});

function clustered(): Float32Array {
  const random = new Random(1);
  const centres = Float32Array.from({ length: CLUSTERS * DIM }, () => random.normal());
  const vectors = new Float32Array(COUNT * DIM);
  for (let row = 0; row < COUNT; row++) {
    const centre = Math.floor(random.uniform() * CLUSTERS) * DIM;
    for (let i = 0; i < DIM; i++) vectors[row * DIM + i] = (centres[centre + i] ?? 0) + 0.7 * random.normal();
  }
  return vectors;
}

function processorMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return TICK_MS * (Number(fields[11]) + Number(fields[12]));
}
