/**
 * What a library's size costs: synthetic libraries of tracks with three windows each, in the engine as the application
 * runs it. Prints wall clock and processor seconds by size, the exponent from one size to the next, and the most memory that
 * each step needs, of the engine and of the processes that help it. Needs a build (`npm run build`).
 *
 * ARCHETONE_BENCH_TRACKS (default 10000,50000,100000): sizes. ARCHETONE_BENCH_STEPS: only rows whose name contains it.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { helpersOf } from '../../cli/helpers.ts';
import { findPlaces } from '../../cli/places.ts';
import type { Input } from '../../engine/api/contract.ts';
import { createEngine } from '../../engine/engine.ts';
import type { Engine } from '../../engine/engine.ts';
import { MemoryWatch, type Held } from './memory.ts';
import { machine, spentOn, type Spent } from './meter.ts';
import { fillLibrary, taxonomyId } from './scale-library.ts';

type Client = ReturnType<Engine['client']>;
/** Memory: null where the system does not tell. */
type Cost = Spent & { held: Held | null };

const root = resolve(import.meta.dirname, '../..');
const sizes = (process.env['ARCHETONE_BENCH_TRACKS'] ?? '10000,50000,100000').split(',').map(Number);
const only = process.env['ARCHETONE_BENCH_STEPS'] ?? '';
/** What others cannot do without. */
const needed: Record<string, readonly string[]> = {
  'open → rows': [''],
  'train, default': ['classify all', 'Why', 'prototypes, first', 'prototypes, next'],
};
/** What each is to take at most, in milliseconds by the clock, at 100,000 tracks on a quiet machine. */
const aims: Record<string, number> = {
  'open → rows': 1000,
  'first search': 150,
  'next search': 150,
  Why: 100,
  'train, default': 60_000,
  'map: PCA': 5000,
  'map: UMAP': 300_000,
};

/** Prints a table of the sizes. */
export async function run(): Promise<void> {
  const places = findPlaces(root);
  if (places.embedder === null) {
    console.log('skipped: build first');
    return;
  }
  console.log(machine());
  const tables: Record<string, Cost>[] = [];
  for (const tracks of sizes) {
    const folder = mkdtempSync(join(tmpdir(), 'archetone-scale-'));
    try {
      const table = await measure(folder, tracks, places);
      tables.push(table);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  print(tables);
}

async function measure(
  folder: string,
  tracks: number,
  places: ReturnType<typeof findPlaces>,
): Promise<Record<string, Cost>> {
  const [music, dataFolder] = [join(folder, 'music'), join(folder, 'data')];
  for (const made of [music, dataFolder]) mkdirSync(made);
  const { embedder, readers, ...rest } = places;
  const start = (): Promise<Engine> =>
    createEngine({ ...rest, ...helpersOf({ embedder, readers }), dataFolder });
  let engine = await start();
  const made = await engine.client().call('libraries.open', { folder: music });
  await engine.close();
  fillLibrary(made.dataFolder, tracks);
  if (!existsSync(join(made.dataFolder, 'cache.db'))) throw new Error('the library was filled elsewhere');

  const memory = MemoryWatch.start();
  const table: Record<string, Cost> = {};
  const step = async (name: string, work: () => Promise<unknown>): Promise<void> => {
    if (![name, ...(needed[name] ?? [])].some((wanted) => wanted === '' || wanted.includes(only))) return;
    let held: Held | null = null;
    const spent = await spentOn(async () => {
      held = memory === null ? null : await memory.during(work);
      if (memory === null) await work();
    });
    table[name] = { ...spent, held };
    console.log(
      `  ${tracks} tracks, ${name}: ${spent.wall.toFixed(0)} ms, processor ${spent.cpu.toFixed(0)} ms, ${told(held)}`,
    );
  };
  try {
    engine = await start();
    let client = engine.client();
    const libraryId = made.id;
    const list = (more: Partial<Input<'tracks.list'>> = {}) =>
      client.call('tracks.list', { libraryId, taxonomyId, ...more });
    await step('open → rows', async () => {
      await client.call('libraries.open', { folder: music });
      const { total } = await list();
      if (total !== tracks) throw new Error(`${total} tracks`);
    });
    await step('first search', () => list({ search: 'ärtist 77' }));
    await step('next search', () => list({ search: 'track 0042' }));
    await step('first sort by label', () => list({ sort: 'label' }));
    await step('summary after a change', async () => {
      await client.call('tracks.leaveOut', { libraryId, trackIds: ['track-000000'], leftOut: true });
      await client.call('libraries.get', { libraryId });
    });
    await step('map: colour column', () =>
      client.call('projection.column', { libraryId, taxonomyId, column: 'label' }),
    );
    await step('map: PCA', () => project(client, { libraryId }));
    await step('similar, first', () => similar(client, libraryId, 7));
    await step('similar, next', () => similar(client, libraryId, 8));
    let experimentId = '';
    await step('train, default', async () => {
      const { jobId } = await client.call('experiments.train', { libraryId, request: { taxonomyId } });
      const result = await finished(client, jobId);
      if (result?.kind === 'train') experimentId = result.experimentId;
    });
    await step('classify all', async () => {
      const { jobId } = await client.call('classify.library', { libraryId, experimentId });
      await finished(client, jobId);
    });
    await step('Why', () =>
      client.call('explain.track', { libraryId, experimentId, trackId: 'track-000003' }),
    );
    await step('prototypes, first', () => client.call('prototypes.list', { libraryId, experimentId }));
    await step('prototypes, next', () => client.call('prototypes.list', { libraryId, experimentId }));
    await step('map: UMAP', () => project(client, { libraryId, method: 'umap' }));
    await step('reduce windows, MRHC', async () => {
      const { jobId } = await client.call('reductions.study', { libraryId, request: study });
      await finished(client, jobId);
    });
    await engine.close();
    engine = await start();
    client = engine.client();
    await step('open → map that was made before', async () => {
      await client.call('libraries.open', { folder: music });
      await project(client, { libraryId });
    });
  } finally {
    await engine.close();
    await memory?.close();
  }
  return table;
}

function told(held: Held | null): string {
  if (held === null) return 'memory unknown';
  return `${held.peak.toFixed(0)} MiB at most, ${held.helpers.toFixed(0)} of helpers, ${held.after.toFixed(0)} after`;
}

const study: Input<'reductions.study'>['request'] = {
  source: { kind: 'library', taxonomyId, level: 'window' },
  runs: [{ method: 'MRHC' }],
};

async function similar(client: Client, libraryId: string, track: number): Promise<void> {
  const trackId = `track-${String(track).padStart(6, '0')}`;
  await client.call('neighbours.query', { libraryId, target: { kind: 'track', trackId } });
}

async function project(client: Client, asked: Input<'projection.compute'>): Promise<void> {
  for await (const event of client.stream('projection.compute', asked)) if (event.type === 'result') return;
}

async function finished(client: Client, jobId: string) {
  for (;;) {
    const { finishedAt, error, result } = await client.call('jobs.get', { jobId });
    if (error) throw new Error(error.message);
    if (finishedAt !== null) return result;
    await new Promise((wake) => setTimeout(wake, 20));
  }
}

/** By size wall clock and processor seconds, their exponent from the size before, and memory: the engine's, and its helpers'. */
function print(tables: readonly Record<string, Cost>[]): void {
  const names = Object.keys(tables[0] ?? {});
  const rows = names.map((name) => {
    const cells = tables.map((table, i): [string, string, string] => {
      const own: Cost | undefined = table[name];
      if (!own) return ['', '', ''];
      const before: Cost | undefined = tables[i - 1]?.[name];
      const ratio = Math.log((sizes[i] ?? 1) / (sizes[i - 1] ?? 1));
      const exponent = before ? ` ^${(Math.log(own.cpu / before.cpu) / ratio).toFixed(2)}` : '';
      const { held } = own;
      return [
        (own.wall / 1000).toFixed(2),
        `${(own.cpu / 1000).toFixed(2)}${exponent}`,
        held === null ? '' : `${held.peak.toFixed(0)} + ${held.helpers.toFixed(0)}`,
      ];
    });
    const columns = cells.flatMap(([wall, cpu, memory], i) => [
      [`${sizes[i] ?? 0} wall s`, wall],
      [`${sizes[i] ?? 0} cpu s`, cpu],
      [`${sizes[i] ?? 0} MiB`, memory],
    ]);
    const aim = aims[name];
    return {
      step: name,
      ...(Object.fromEntries(columns) as Record<string, string>),
      'aim s': aim === undefined ? '' : aim / 1000,
    };
  });
  console.table(rows);
}
