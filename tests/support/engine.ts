import type { EngineClient, Input } from '../../engine/api/contract.ts';
import type { EngineEvent } from '../../engine/api/app.ts';
import type { Job, JobResult } from '../../engine/api/jobs.ts';
import type { LibrarySummary } from '../../engine/api/libraries.ts';
import type { TrackRow } from '../../engine/api/tracks.ts';
import { EngineError } from '../../engine/api/errors.ts';
import { createEngine, type Engine, type EngineOptions } from '../../engine/engine.ts';
import { afterFile } from './after-file.ts';
import { testFolder, tinyPacks } from './music.ts';
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
