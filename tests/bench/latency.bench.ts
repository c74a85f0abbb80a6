/**
 * How long a person waits during an import: the sound of a prototype (A), *Why*, and a small training. The import is of
 * the folder that ARCHETONE_BENCH_AUDIO names; without one the benchmark says so and ends. Needs a build (`npm run build`).
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { helpersOf } from '../../cli/helpers.ts';
import { findPlaces } from '../../cli/places.ts';
import { createEngine } from '../../engine/engine.ts';
import type { Engine } from '../../engine/engine.ts';

type Client = ReturnType<Engine['client']>;

const PRESSES = 5;
const root = resolve(import.meta.dirname, '../..');
const audio = process.env['ARCHETONE_BENCH_AUDIO'] ?? '';

/** Prints the waiting times, quiet and during the import. */
export async function run(): Promise<void> {
  const places = findPlaces(root);
  if (!existsSync(audio)) {
    console.log(`skipped: there is no ${audio || 'folder in ARCHETONE_BENCH_AUDIO'}`);
    return;
  }
  if (places.embedder === null || places.demoFolder === null) {
    console.log('skipped: build first, and install the demo sounds');
    return;
  }
  const dataFolder = mkdtempSync(join(tmpdir(), 'archetone-latency-'));
  const { embedder, readers, ...rest } = places;
  const engine = await createEngine({ ...rest, ...helpersOf({ embedder, readers }), dataFolder });
  try {
    await measure(engine, places.demoFolder);
  } finally {
    await engine.close();
    rmSync(dataFolder, { recursive: true, force: true });
  }
}

async function measure(engine: Engine, demo: string): Promise<void> {
  const client = engine.client();
  const demoId = (await client.call('libraries.open', { folder: demo, windows: 1 })).id;
  await finished(client, (await client.call('import.start', { libraryId: demoId })).jobId);
  const [experimentId] = await train(client, demoId);
  print('quiet', await waits(client, demoId, experimentId, 0));
  const { id } = await client.call('libraries.open', { folder: audio });
  const { jobId } = await client.call('import.start', { libraryId: id });
  for (;;) {
    const { progress } = await client.call('jobs.get', { jobId });
    if (progress.windows > 0) break;
    await new Promise((wake) => setTimeout(wake, 50));
  }
  const figures = await waits(client, demoId, experimentId, PRESSES);
  const { state, progress } = await client.call('jobs.get', { jobId });
  print(`during an import (${state}, ${progress.done} of ${progress.total} files)`, figures);
  await client.call('jobs.cancel', { jobId });
  await finished(client, jobId);
}

interface Waits {
  sound: number[];
  why: number[];
  /** Until the first step is reported, and until it is over. */
  training: { begins: number; ends: number };
}

/** @param from prototype to begin with: a sound that was made before is not made again */
async function waits(client: Client, libraryId: string, experimentId: string, from: number): Promise<Waits> {
  const { tracks } = await client.call('tracks.list', { libraryId, limit: PRESSES });
  const sound: number[] = [];
  const why: number[] = [];
  for (let press = 0; press < PRESSES; press++) {
    sound.push(
      await timed(async () => {
        const target = { kind: 'prototype', experimentId, index: from + press } as const;
        const { jobId } = await client.call('sonify.start', { libraryId, targets: [target] });
        await finished(client, jobId);
      }),
    );
    const trackId = tracks[press]?.id ?? '';
    why.push(await timed(() => client.call('explain.track', { libraryId, experimentId, trackId })));
  }
  const begun = performance.now();
  const [, begins] = await train(client, libraryId);
  return { sound, why, training: { begins, ends: performance.now() - begun } };
}

async function train(client: Client, libraryId: string): Promise<[experimentId: string, begins: number]> {
  const known = await client.call('taxonomies.list', { libraryId });
  const tokens = known.find(({ source }) => source.kind === 'tokens');
  const taxonomyId =
    tokens?.id ??
    (await client.call('taxonomies.create', { libraryId, name: 'Tokens', source: { kind: 'tokens' } })).id;
  const begun = performance.now();
  const { jobId } = await client.call('experiments.train', {
    libraryId,
    request: { taxonomyId, steps: 200, prototypesPerClass: 2 },
  });
  let begins = Infinity;
  for (;;) {
    const { state, progress, result, error } = await client.call('jobs.get', { jobId });
    if (state !== 'queued' && progress.done > 0) begins = Math.min(begins, performance.now() - begun);
    if (error) throw new Error(error.message);
    if (result?.kind === 'train') return [result.experimentId, begins];
    await new Promise((wake) => setTimeout(wake, 5));
  }
}

async function finished(client: Client, jobId: string): Promise<void> {
  for (;;) {
    const { finishedAt, error } = await client.call('jobs.get', { jobId });
    if (error) throw new Error(error.message);
    if (finishedAt !== null) return;
    await new Promise((wake) => setTimeout(wake, 5));
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

function print(when: string, { sound, why, training }: Waits): void {
  const ms = (values: number[]): string => values.map((value) => value.toFixed(0)).join(' ');
  console.log(`${when}, load ${loadavg()[0]?.toFixed(1)}:`);
  console.log(`  A, ms: ${ms(sound)} · Why, ms: ${ms(why)}`);
  console.log(
    `  training of 200 steps: begins after ${ms([training.begins])} ms, over after ${ms([training.ends])} ms`,
  );
}
