/**
 * What opening the view Prototypes costs with many classes: 10,000 tracks of three windows, five prototypes a class. Prints
 * processor milliseconds of the list and what is worked out with it, and the size of what goes to the window.
 *
 * ARCHETONE_BENCH_CLASSES (default 200,1000): classes. Needs a build (`npm run build`).
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { serialize } from 'node:v8';
import { helpersOf } from '../../cli/helpers.ts';
import { findPlaces } from '../../cli/places.ts';
import { createEngine, type Engine } from '../../engine/engine.ts';
import { machine, median, spentOn } from './meter.ts';
import { fillLibrary, taxonomyId } from './scale-library.ts';

type Client = ReturnType<Engine['client']>;

const root = resolve(import.meta.dirname, '../..');
const sizes = (process.env['ARCHETONE_BENCH_CLASSES'] ?? '200,1000').split(',').map(Number);
const tracks = 10_000;
const rounds = 5;

export async function run(): Promise<void> {
  const places = findPlaces(root);
  if (places.embedder === null) {
    console.log('skipped: build first');
    return;
  }
  console.log(machine());
  for (const classes of sizes) {
    const folder = mkdtempSync(join(tmpdir(), 'archetone-list-'));
    const [music, dataFolder] = [join(folder, 'music'), join(folder, 'data')];
    for (const made of [music, dataFolder]) mkdirSync(made);
    const { embedder, readers, ...rest } = places;
    const start = (): Promise<Engine> =>
      createEngine({ ...rest, ...helpersOf({ embedder, readers }), dataFolder });
    let engine = await start();
    try {
      const made = await engine.client().call('libraries.open', { folder: music });
      await engine.close();
      fillLibrary(made.dataFolder, tracks, classes);
      engine = await start();
      await measure(engine.client(), made.id, music, classes);
    } finally {
      await engine.close();
      rmSync(folder, { recursive: true, force: true });
    }
  }
}

async function measure(client: Client, libraryId: string, music: string, classes: number): Promise<void> {
  await client.call('libraries.open', { folder: music });
  const request = { taxonomyId, prototypesPerClass: 5, steps: 20, minimumTracks: 1 };
  const { jobId } = await client.call('experiments.train', { libraryId, request });
  const at = { libraryId, experimentId: await trained(client, jobId) };
  const listed = await client.call('experiments.get', at);
  const list = () => client.call('prototypes.list', at);
  const first = await spentOn(list);
  const next: number[] = [];
  for (let round = 0; round < rounds; round++) next.push((await spentOn(list)).cpu);
  const prototypes = await list();
  const bytes = (of: unknown): string => `${(serialize(of).byteLength / 1024).toFixed(0)} KiB`;
  console.log(
    `${listed.classes.length} of ${classes} classes, ${prototypes.length} prototypes: first ${first.cpu.toFixed(0)} ms, ` +
      `next ${median(next).toFixed(0)} ms CPU, ${bytes(prototypes)}`,
  );
  for (const key of Object.keys(prototypes[0] ?? {}) as (keyof (typeof prototypes)[number])[])
    console.log(`  ${key}: ${bytes(prototypes.map((of) => of[key]))}`);
  console.log(
    `  all weights would be ${bytes(prototypes.map(() => Array.from(listed.classes, (_, c) => c + 0.5)))}`,
  );
  const preview = await spentOn(() =>
    client.call('prototypes.preview', { ...at, edit: { kind: 'remove', index: 0 } }),
  );
  console.log(`  preview after it: ${preview.cpu.toFixed(0)} ms CPU`);
}

async function trained(client: Client, jobId: string): Promise<string> {
  for (;;) {
    const { finishedAt, error, result } = await client.call('jobs.get', { jobId });
    if (error) throw new Error(error.message);
    if (finishedAt !== null && result?.kind === 'train') return result.experimentId;
    await new Promise((wake) => setTimeout(wake, 20));
  }
}
