/**
 * Three million windows of 256 numbers, in a file: how long the index takes to make, how much memory it holds, how long an
 * exact question takes, and that its answer is that of comparing every row. `node scripts/bench.mjs beyond-memory`.
 */
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { compareAllRows } from '../../models/neighbours/brute.ts';
import { ExactIndex } from '../../models/neighbours/exact.ts';
import { RowsOnDisk } from '../../models/neighbours/rows.ts';
import { Random } from '../../models/numerics/random.ts';

const COUNT = Number(process.env['ARCHETONE_BENCH_WINDOWS'] ?? 3_000_000);
const DIM = 256;
const QUERIES = Number(process.env['ARCHETONE_BENCH_QUERIES'] ?? 20);
const COMPARED = 3;
const K = 10;
/** Windows of music lie in clusters. */
const CLUSTERS = 2000;

export async function run(): Promise<void> {
  const folder = mkdtempSync(join(process.env['ARCHETONE_BENCH_FOLDER'] ?? tmpdir(), 'archetone-beyond-'));
  const path = join(folder, 'vectors.f32');
  try {
    console.log(`${cpus()[0]?.model ?? ''}, ${cpus().length} cores; ${COUNT} windows of ${DIM}`);
    await write(path);
    const rows = new RowsOnDisk(path, COUNT, DIM);
    const before = process.memoryUsage.rss();
    let clock = begin();
    const index = await ExactIndex.over(rows);
    console.log(`looked at every row: ${since(clock)}`);
    const random = new Random(2);
    const queries = Array.from({ length: QUERIES + 5 }, () => {
      const own = rows.read(Math.floor(random.uniform() * COUNT), 1);
      return own.map((value) => value + 0.1 * random.normal());
    });
    clock = begin();
    // The fifth question makes the codes.
    for (const query of queries.slice(0, 5)) await index.query(query, K);
    console.log(`five first questions, with the making of codes: ${since(clock)}`);
    console.log(
      `memory beside what was there: ${((process.memoryUsage.rss() - before) / 2 ** 20).toFixed(0)} MiB; codes ${(ExactIndex.bytes(COUNT, DIM) / 2 ** 20).toFixed(0)} MiB, the file ${((4 * COUNT * DIM) / 2 ** 20).toFixed(0)} MiB`,
    );
    const times: number[] = [];
    const processor: number[] = [];
    const found = [];
    for (const query of queries.slice(5)) {
      clock = begin();
      found.push((await index.query(query, K))[0] ?? []);
      times.push(performance.now() - clock.wall);
      processor.push(cpuMs(clock));
    }
    const middle = (values: number[]): string =>
      ([...values].sort((a, b) => a - b)[values.length >> 1] ?? 0).toFixed(0);
    const most = (values: number[]): string => Math.max(...values).toFixed(0);
    console.log(
      `a question: median ${middle(times)} ms (most ${most(times)}), of the processor ${middle(processor)} ms (most ${most(processor)}); ${index.fallbacks} row by row`,
    );
    let same = 0;
    for (const [q, query] of queries.slice(5, 5 + COMPARED).entries()) {
      const exact = await compareAllRows(rows, { features: query, count: 1 }, { k: K });
      same += (found[q] ?? []).filter(({ row }, i) => row === exact.rows[i]).length;
    }
    console.log(`recall against comparing every row in float64: ${(same / (COMPARED * K)).toFixed(3)}`);
    await index.close();
    rows.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function write(path: string): Promise<void> {
  const random = new Random(1);
  const centres = Float32Array.from({ length: CLUSTERS * DIM }, () => random.normal());
  const noise = Float32Array.from({ length: 1 << 20 }, () => 0.4 * random.normal());
  const file = createWriteStream(path);
  const part = 10_000;
  for (let first = 0; first < COUNT; first += part) {
    const rows = new Float32Array(Math.min(part, COUNT - first) * DIM);
    for (let row = 0; row < rows.length / DIM; row++) {
      const centre = Math.floor(random.uniform() * CLUSTERS) * DIM;
      const from = Math.floor(random.uniform() * ((1 << 20) - DIM));
      for (let d = 0; d < DIM; d++) rows[row * DIM + d] = (centres[centre + d] ?? 0) + (noise[from + d] ?? 0);
    }
    if (!file.write(Buffer.from(rows.buffer))) await once(file, 'drain');
  }
  file.end();
  await once(file, 'close');
}

interface Clock {
  wall: number;
  cpu: NodeJS.CpuUsage;
}
const begin = (): Clock => ({ wall: performance.now(), cpu: process.cpuUsage() });
function cpuMs({ cpu }: Clock): number {
  const { user, system } = process.cpuUsage(cpu);
  return (user + system) / 1000;
}
const since = (clock: Clock): string =>
  `${((performance.now() - clock.wall) / 1000).toFixed(1)} s (${(cpuMs(clock) / 1000).toFixed(1)} s of the processor)`;
