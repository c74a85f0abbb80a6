import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { EngineClient, Input } from '../../engine/api/contract.ts';
import type { EngineEvent } from '../../engine/api/app.ts';
import type { Job, JobResult } from '../../engine/api/jobs.ts';
import type { LibrarySummary } from '../../engine/api/libraries.ts';
import type { TrackRow } from '../../engine/api/tracks.ts';
import { EngineError } from '../../engine/api/errors.ts';
import { createEngine, type Engine, type EngineOptions } from '../../engine/engine.ts';
import { encodeWav } from '../../models/audio/index.ts';
import { Random } from '../../models/numerics/random.ts';
import { TINY, writeTinyPack } from './tiny-pack.ts';
import { afterFile } from './after-file.ts';
import { decodeWorker, labelWorker, datasetWorker } from './workers.ts';

/** An engine on folders of its own, as a shell sees it. */
export interface TestEngine {
  engine: Engine;
  client: EngineClient;
  dataFolder: string;
  options: EngineOptions;
  /** Closes the engine and opens a new one on the same data. */
  restart: (options?: Partial<EngineOptions>) => Promise<TestEngine>;
}

let packs: Promise<string> | null = null;

/** A fresh folder that is removed when the test file ends. */
export function testFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'archetone-engine-'));
  afterFile(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Folder with the tiny pack under the name `compact`, which is what libraries use unless told otherwise. */
export function tinyPacks(): Promise<string> {
  packs ??= (async () => {
    const folder = testFolder();
    afterFile(() => void (packs = null));
    await writeTinyPack(join(folder, 'compact'), { seed: 1, id: 'compact' });
    return folder;
  })();
  return packs;
}

/** Options of an engine on a fresh data folder (or the one given), with the tiny pack. */
export async function testOptions(options: Partial<EngineOptions> = {}): Promise<EngineOptions> {
  return {
    dataFolder: testFolder(),
    packFolders: [await tinyPacks()],
    decodeWorker: await decodeWorker(),
    datasetWorker: await datasetWorker(),
    labelWorker: await labelWorker(),
    demoFolder: null,
    labelledDemoFolder: null,
    version: '0.0.0-test',
    threads: 1,
    decodeWorkers: 2,
    ...options,
  };
}

export async function startTestEngine(options: Partial<EngineOptions> = {}): Promise<TestEngine> {
  const settled = await testOptions(options);
  const engine = await createEngine(settled);
  afterFile(() => engine.close());
  return {
    engine,
    client: engine.client(),
    dataFolder: settled.dataFolder,
    options: settled,
    restart: async (changed = {}) => {
      await engine.close();
      return startTestEngine({ ...settled, ...changed });
    },
  };
}

/** Timbres far enough apart for the tiny pack to tell them: sets of partials. */
const timbres: Record<string, readonly number[]> = {
  bass: [100, 150, 200],
  mid: [500, 650, 800],
  high: [1500, 1900, 2400],
};

/** The sound of a class, varied by `seed`: partials of its own band with a little noise. */
export function classSound(timbre: string, seconds: number, seed: number): Float32Array {
  const random = new Random(seed);
  const partials = (timbres[timbre] ?? timbres['mid'] ?? []).map(
    (hz) => hz * (0.97 + 0.06 * random.uniform()),
  );
  const phases = partials.map(() => random.uniform() * 2 * Math.PI);
  return Float32Array.from({ length: Math.round(seconds * TINY.sampleRate) }, (_, n) => {
    const tone = partials.reduce(
      (sum, hz, i) => sum + Math.sin((2 * Math.PI * hz * n) / TINY.sampleRate + (phases[i] ?? 0)),
      0,
    );
    return 0.2 * tone + 0.01 * random.normal();
  });
}

/** Writes a mono WAV file at the tiny pack's rate. */
export function writeSound(path: string, samples: Float32Array, sampleRate: number = TINY.sampleRate): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, encodeWav(samples, sampleRate, 'pcm16'));
}

/**
 * A music folder with `perClass` tracks of each timbre in a folder of its own: `bass/bass_hit_0.wav` …; even ones are
 * `hit`, odd ones `long`. Sounds last `seconds`, 1.6 by default (3 windows and a rest).
 */
export function writeMusic(options: { perClass: number; seconds?: number; classes?: string[] }): string {
  const folder = testFolder();
  const { perClass, seconds = 1.6, classes = Object.keys(timbres) } = options;
  for (const [c, name] of classes.entries()) {
    for (let i = 0; i < perClass; i++) {
      const kind = i % 2 === 0 ? 'hit' : 'long';
      writeSound(join(folder, name, `${name}_${kind}_${i}.wav`), classSound(name, seconds, 1000 * c + i));
    }
  }
  return folder;
}

/** Copies a file of `tests/fixtures/audio` into a folder. */
export function copyFixture(name: string, folder: string, as = name): void {
  mkdirSync(dirname(join(folder, as)), { recursive: true });
  copyFileSync(join(import.meta.dirname, '../fixtures/audio', name), join(folder, as));
}

/** Collects the engine's events from now on; the function it gives stops that and answers with them. */
export function listen(client: EngineClient): () => Promise<EngineEvent[]> {
  const stop = new AbortController();
  const events: EngineEvent[] = [];
  // Begun now, so that nothing can be missed.
  const stream = client.stream('events', {}, { signal: stop.signal });
  const reading = (async () => {
    try {
      for await (const event of stream) events.push(event);
    } catch (thrown) {
      if (!stop.signal.aborted) throw thrown;
    }
  })();
  return async () => {
    // What was told before is still on its way.
    await new Promise((resolve) => setTimeout(resolve, 50));
    stop.abort();
    await reading;
    return events;
  };
}

/** Waits until a job is over. @throws EngineError with the job's own error when it failed or was cancelled */
export async function finished<K extends JobResult['kind']>(
  client: EngineClient,
  jobId: string,
  kind?: K,
): Promise<Extract<JobResult, { kind: K }>> {
  const job = await settled(client, jobId);
  if (job.error) throw EngineError.fromData(job.error);
  if (!job.result) throw new EngineError('cancelled', `The job ended as ${job.state}.`);
  if (kind !== undefined && job.result.kind !== kind)
    throw new Error(`Not a ${kind} job: ${job.result.kind}`);
  return job.result as Extract<JobResult, { kind: K }>;
}

/** Waits until a job is done, failed or cancelled. */
export async function settled(client: EngineClient, jobId: string): Promise<Job> {
  for (;;) {
    const job = await client.call('jobs.get', { jobId });
    if (job.finishedAt !== null) return job;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Opens the library of a folder and imports it. */
export async function importFolder(
  client: EngineClient,
  folder: string,
  options: Omit<Input<'libraries.open'>, 'folder'> = {},
): Promise<{ library: LibrarySummary; result: Extract<JobResult, { kind: 'import' }> }> {
  const { id } = await client.call('libraries.open', { folder, ...options });
  const result = await reimport(client, id);
  return { library: await client.call('libraries.get', { libraryId: id }), result };
}

export async function reimport(
  client: EngineClient,
  libraryId: string,
): Promise<Extract<JobResult, { kind: 'import' }>> {
  const { jobId } = await client.call('import.start', { libraryId });
  return finished(client, jobId, 'import');
}

/** All tracks of a library, by path. */
export async function tracksByPath(client: EngineClient, libraryId: string): Promise<Map<string, TrackRow>> {
  const { tracks } = await client.call('tracks.list', { libraryId, limit: 1000 });
  return new Map(tracks.map((track) => [track.path, track]));
}
