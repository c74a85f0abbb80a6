/**
 * An engine in a process of its own that works on a library until it is killed. Arguments: the options as JSON, the music
 * folder, a folder for what is exported, the scenario. Tells one JSON value a line: what it found (`state`), what it was
 * promised is kept (`ack`, `stored`), which files it decoded whole (`decoded`), and `begun`.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { writeSync } from 'node:fs';
import type { EngineClient } from '../../engine/api/contract.ts';
import type { Job } from '../../engine/api/jobs.ts';
import { DecodePool } from '../../engine/decode/index.ts';
import { createEngine, type EngineOptions } from '../../engine/engine.ts';
import { TrackStore } from '../../engine/import/track-store.ts';
import { Database } from '../../engine/storage/database.ts';
import { checkSound } from '../../engine/storage/check.ts';
import type { KillLine, KillScenario } from '../support/kills.ts';

const [optionsText = '{}', folder = '', exportFolder = '', scenario = 'import'] = process.argv.slice(2);
// Written by the test beside this file.
const options = JSON.parse(optionsText) as EngineOptions;

/** Written at once: what a killed process had said must have been read. */
const tell = (line: KillLine): void => void writeSync(1, `${JSON.stringify(line)}\n`);

/* oxlint-disable typescript/unbound-method -- called with their own this */
const { decode } = DecodePool.prototype;
DecodePool.prototype.decode = async function* (path, settings) {
  tell({ kind: 'begun-decoding', path });
  yield* decode.call(this, path, settings);
  tell({ kind: 'decoded', path });
};
const { putResult } = TrackStore.prototype;
TrackStore.prototype.putResult = function (id, ...rest) {
  putResult.call(this, id, ...rest);
  tell({ kind: 'stored', id });
};
/* oxlint-enable typescript/unbound-method */

const engine = await createEngine(options);
const client = engine.client();
const { id: libraryId, dataFolder } = await client.call('libraries.open', { folder });
setInterval(() => undefined, 1000);

/** The taxonomy that is edited. */
async function mine(): Promise<string | null> {
  const taxonomies = await client.call('taxonomies.list', { libraryId });
  return taxonomies.find(({ name }) => name === 'Mine')?.id ?? null;
}

/** What a killed process had left, before anything else is done. */
async function found(): Promise<void> {
  const db = new Database(join(dataFolder, 'library.db'));
  checkSound(db);
  db.attachCache(join(dataFolder, 'cache.db'));
  const rows = db
    .prepare<{ id: string; path: string; vectors: ArrayBuffer | null }>(
      `SELECT t.id, t.path, e.vectors FROM tracks t LEFT JOIN cache.embeddings e
         ON e.track_id = t.id AND e.content_hash = t.content_hash`,
    )
    .all();
  const vectors = Object.fromEntries(
    rows.flatMap(({ id, vectors: bytes }) =>
      bytes === null
        ? []
        : [[id, createHash('sha256').update(new Uint8Array(bytes)).digest('hex').slice(0, 16)]],
    ),
  );
  const taxonomyId = await mine();
  const labels: Record<string, string[]> = {};
  if (taxonomyId !== null)
    for (let offset = 0; ; offset += 1000) {
      const { tracks, total } = await client.call('tracks.list', {
        libraryId,
        taxonomyId,
        offset,
        limit: 1000,
      });
      for (const track of tracks) labels[track.id] = track.labels;
      if (offset + tracks.length >= total) break;
    }
  const experiments = (await client.call('experiments.list', { libraryId })).map(({ id }) => id);
  tell({ kind: 'state', libraryId, taxonomyId, vectors, labels, experiments });
}

const over = async (jobId: string): Promise<Job> => {
  for (;;) {
    const job = await client.call('jobs.get', { jobId });
    if (job.finishedAt !== null) return job;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};

async function edit(engineClient: EngineClient): Promise<void> {
  const taxonomyId = await mine();
  const { tracks } = await engineClient.call('tracks.list', { libraryId, limit: 50 });
  for (let i = 0; taxonomyId !== null; i = (i + 1) % tracks.length) {
    const trackId = tracks[i]?.id ?? '';
    const labels = [`${scenario} ${Math.random().toString(36).slice(2)}`];
    tell({ kind: 'trying', trackId, labels });
    await engineClient.call('labels.set', {
      libraryId,
      taxonomyId,
      changes: [{ trackId, labels }],
    });
    tell({ kind: 'ack', trackId, labels });
  }
}

async function train(): Promise<string> {
  const { id: taxonomyId } = await client.call('taxonomies.create', {
    libraryId,
    source: { kind: 'folders' },
  });
  const request = { taxonomyId, steps: 60, prototypesPerClass: 2, minimumTracks: 3 };
  const { jobId } = await client.call('experiments.train', { libraryId, request });
  const { result } = await over(jobId);
  const experimentId = result?.kind === 'train' ? result.experimentId : '';
  tell({ kind: 'trained', experimentId });
  await client.call('taxonomies.remove', { libraryId, taxonomyId });
  return experimentId;
}

const scenarios: Record<KillScenario, () => Promise<void>> = {
  import: async () => {
    await over((await client.call('import.start', { libraryId })).jobId);
  },
  edit: () => edit(client),
  train: async () => {
    for (;;) await train();
  },
  export: async () => {
    const [known] = await client.call('experiments.list', { libraryId });
    const experimentId = known?.id ?? (await train());
    for (let i = 0; ; i++) {
      const target = join(exportFolder, `bundle-${process.pid}-${i}`);
      const subject = { kind: 'experiment' as const, experimentId };
      await over((await client.call('exports.start', { libraryId, subject, folder: target })).jobId);
    }
  },
  backup: async () => {
    for (;;) await client.call('libraries.backUp', { libraryId });
  },
  carry: async () => {
    for (let i = 0; ; i++) {
      const target = join(exportFolder, `library-${process.pid}-${i}`);
      await over((await client.call('libraries.bundle', { libraryId, folder: target })).jobId);
    }
  },
  reduce: async () => {
    const { id: taxonomyId } = await client.call('taxonomies.create', {
      libraryId,
      source: { kind: 'folders' },
    });
    for (let seed = 0; ; seed++) {
      const { jobId } = await client.call('reductions.study', {
        libraryId,
        request: {
          source: { kind: 'library', taxonomyId, level: 'window' },
          runs: [{ method: 'MRHC' }],
          seed,
        },
      });
      await over(jobId);
    }
  },
};

await found();
tell({ kind: 'begun' });
await scenarios[scenario as KillScenario]();
tell({ kind: 'over' });
