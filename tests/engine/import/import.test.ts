import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { JobProgress } from '../../../engine/api/jobs.ts';
import { openLibraryDatabases } from '../../../engine/storage/open.ts';
import {
  importFolder,
  listen,
  reimport,
  settled,
  startTestEngine,
  tracksByPath,
} from '../../support/engine.ts';
import { classSound, copyFixture, testFolder, writeMusic, writeSound } from '../../support/music.ts';

function embeddingsOf(libraryFolder: string): Map<string, { vectors: Float32Array; index: number[] }> {
  const db = openLibraryDatabases(libraryFolder);
  const rows = db
    .prepare<{ path: string; vectors: ArrayBuffer; window_index: ArrayBuffer }>(
      'SELECT t.path, e.vectors, e.window_index FROM tracks t JOIN cache.embeddings e ON e.track_id = t.id',
    )
    .all();
  db.close();
  return new Map(
    rows.map((row) => [
      row.path,
      { vectors: new Float32Array(row.vectors), index: [...new Int32Array(row.window_index)] },
    ]),
  );
}

describe('import', () => {
  it('embeds a library, tells its progress and leaves the music untouched', async () => {
    const { client } = await startTestEngine();
    const folder = writeMusic({ perClass: 3 });
    const before = readdirSync(folder, { recursive: true });
    const progress: JobProgress[] = [];
    const kinds = new Set<string>();
    const heard = listen(client);
    const { library, result } = await importFolder(client, folder);
    for (const event of await heard()) {
      kinds.add(event.type === 'library-changed' ? `changed ${event.what}` : event.type);
      if (event.type === 'job') progress.push(event.job.progress);
    }

    expect(result).toMatchObject({ imported: 9, unchanged: 0, failed: 0, missing: 0, windows: 36 });
    expect(library.tracks).toEqual({ total: 9, ready: 9, failed: 0, pending: 0, missing: 0 });
    expect(library.windowCount).toBe(36);
    expect(library.durationSeconds).toBeCloseTo(9 * 1.6, 3);
    expect([...kinds].sort()).toEqual(['changed tracks', 'job', 'libraries-changed']);
    const last = progress.at(-1);
    expect(last).toMatchObject({ done: 9, total: 9, unit: 'files', windows: 36, failures: 0 });
    expect(last?.audioSecondsPerSecond).toBeGreaterThan(0);
    expect(readdirSync(folder, { recursive: true })).toEqual(before);

    // Labels are derived again from what an import found, which is told too.
    const libraryId = library.id;
    await client.call('taxonomies.create', { libraryId, source: { kind: 'folders' } });
    const heardAgain = listen(client);
    await reimport(client, libraryId);
    expect(await heardAgain()).toContainEqual({ type: 'library-changed', libraryId, what: 'taxonomies' });
  });

  it('embeds beside the space in use, which stays', async () => {
    const { client } = await startTestEngine();
    const { library } = await importFolder(client, writeMusic({ perClass: 1 }));
    const libraryId = library.id;
    const embed = async (packId: string): Promise<void> => {
      const { jobId } = await client.call('import.start', { libraryId, packId });
      expect(await settled(client, jobId)).toMatchObject({
        title: expect.stringContaining('MFCC') as string,
        state: 'done',
        result: { imported: 3 },
      });
    };
    await expect(client.call('import.start', { libraryId, packId: 'nobody' })).rejects.toThrow('nobody');
    await embed('mfcc');
    expect(await client.call('libraries.spaces', { libraryId })).toMatchObject([
      { packId: 'compact', tracks: 3 },
      { packId: 'mfcc', tracks: 3 },
    ]);
    expect(await client.call('libraries.get', { libraryId })).toMatchObject({ packId: 'compact' });
    expect(await client.call('libraries.get', { libraryId })).toMatchObject({ tracks: { ready: 3 } });
  });

  it('skips what is unchanged, by time and size or by content', async () => {
    const { client } = await startTestEngine();
    const folder = writeMusic({ perClass: 2 });
    const { library } = await importFolder(client, folder);
    const before = embeddingsOf(library.dataFolder);
    const again = await reimport(client, library.id);
    expect(again).toMatchObject({ imported: 0, unchanged: 6, windows: 0 });

    utimesSync(join(folder, 'bass/bass_hit_0.wav'), new Date(), new Date(1e12));
    expect(await reimport(client, library.id)).toMatchObject({ imported: 0, unchanged: 6 });

    writeSound(join(folder, 'bass/bass_hit_0.wav'), classSound('high', 1.6, 7));
    expect(await reimport(client, library.id)).toMatchObject({ imported: 1, unchanged: 5, windows: 4 });
    const after = embeddingsOf(library.dataFolder);
    expect(after.get('bass/bass_hit_0.wav')).not.toEqual(before.get('bass/bass_hit_0.wav'));
    expect(after.get('mid/mid_hit_0.wav')).toEqual(before.get('mid/mid_hit_0.wav'));
  });

  it('knows a moved file, sees duplicates and notices what is gone', async () => {
    const { client } = await startTestEngine();
    const folder = writeMusic({ perClass: 2 });
    const { library } = await importFolder(client, folder);
    const before = await tracksByPath(client, library.id);
    mkdirSync(join(folder, 'elsewhere'));
    renameSync(join(folder, 'bass/bass_hit_0.wav'), join(folder, 'elsewhere/renamed.wav'));
    writeFileSync(join(folder, 'twin.wav'), readFileSync(join(folder, 'mid/mid_hit_0.wav')));
    rmSync(join(folder, 'high/high_long_1.wav'));

    const result = await reimport(client, library.id);
    expect(result).toMatchObject({ imported: 1, unchanged: 5, missing: 1, failed: 0 });
    const after = await tracksByPath(client, library.id);
    expect(after.get('elsewhere/renamed.wav')?.id).toBe(before.get('bass/bass_hit_0.wav')?.id);
    expect(after.has('bass/bass_hit_0.wav')).toBe(false);
    expect(after.get('high/high_long_1.wav')?.state).toBe('missing');
    const twin = await client.call('tracks.get', {
      libraryId: library.id,
      trackId: after.get('twin.wav')?.id ?? '',
    });
    expect(twin.duplicates).toEqual([before.get('mid/mid_hit_0.wav')?.id]);
    expect(twin.windows).toHaveLength(4);
    expect(twin.computedBy).toMatchObject({ provider: 'cpu' });

    // It comes back: same track, nothing to embed.
    writeSound(join(folder, 'high/high_long_1.wav'), classSound('high', 1.6, 2001));
    expect(await reimport(client, library.id)).toMatchObject({ imported: 0, unchanged: 7, missing: 0 });
    expect((await tracksByPath(client, library.id)).get('high/high_long_1.wav')).toMatchObject({
      id: before.get('high/high_long_1.wav')?.id,
      state: 'ready',
    });
  });

  it('lists broken files with their reason and goes on', async () => {
    const { client } = await startTestEngine();
    const folder = writeMusic({ perClass: 1 });
    writeFileSync(join(folder, 'text.mp3'), 'This is a shopping list, not a song.\n'.repeat(50));
    writeFileSync(join(folder, 'nothing.wav'), '');
    const whole = readFileSync(join(import.meta.dirname, '../../fixtures/audio/stereo.flac'));
    writeFileSync(join(folder, 'header-only.flac'), whole.subarray(0, 60));
    symlinkSync(join(folder, 'nowhere.wav'), join(folder, 'dangling.wav'));
    const { library, result } = await importFolder(client, folder);
    expect(result).toMatchObject({ imported: 3, failed: 4 });
    const failed = [...(await tracksByPath(client, library.id)).values()].filter((t) => t.state === 'failed');
    expect(failed.map((t) => [t.path, t.problem?.code])).toEqual([
      ['dangling.wav', 'unreadable'],
      ['header-only.flac', 'audio'],
      ['nothing.wav', 'audio'],
      ['text.mp3', 'audio'],
    ]);
    for (const track of failed) {
      expect(track.problem?.message).not.toBe('');
      expect(track.problem?.hint).not.toBe('');
    }
    // Files that cannot become whole by themselves are not tried again until they change.
    expect(await reimport(client, library.id)).toMatchObject({ imported: 0, unchanged: 3, failed: 4 });
    writeSound(join(folder, 'nothing.wav'), classSound('mid', 1, 1));
    expect(await reimport(client, library.id)).toMatchObject({ imported: 1, unchanged: 3, failed: 3 });
  });

  it('embeds N evenly spaced windows, the same vectors as with all windows', async () => {
    const { client } = await startTestEngine();
    const folder = testFolder();
    writeSound(join(folder, 'long.wav'), classSound('mid', 10, 1));
    writeSound(join(folder, 'short.wav'), classSound('bass', 0.9, 2));
    // MP3 without a length in its header: the decoder finds another length than the probe.
    copyFixture('stereo-cbr.mp3', folder);
    const all = await importFolder(client, folder);
    const allVectors = embeddingsOf(all.library.dataFolder);
    const { client: other } = await startTestEngine();
    const some = await importFolder(other, folder, { windows: 3 });
    const someVectors = embeddingsOf(some.library.dataFolder);

    expect(someVectors.get('long.wav')?.index).toEqual([3, 10, 16]);
    expect(someVectors.get('short.wav')?.index).toEqual([0, 1]);
    for (const [path, { vectors, index }] of someVectors) {
      const full = allVectors.get(path);
      const dim = vectors.length / index.length;
      expect(index.length).toBe(Math.min(3, full?.index.length ?? 0));
      index.forEach((position, row) => {
        const own = vectors.subarray(row * dim, (row + 1) * dim);
        const same = full?.vectors.subarray(position * dim, (position + 1) * dim) ?? [];
        own.forEach((value, d) => expect(value).toBeCloseTo(same[d] ?? NaN, 5));
      });
    }
    // Another choice of windows is another import.
    await other.call('libraries.open', { folder, windows: 2 });
    expect(await reimport(other, some.library.id)).toMatchObject({ imported: 3, unchanged: 0 });
  });

  it('rebuilds everything that was in a deleted cache; labels survive', async () => {
    const first = await startTestEngine();
    const folder = writeMusic({ perClass: 2 });
    const { library } = await importFolder(first.client, folder);
    const taxonomy = await first.client.call('taxonomies.create', {
      libraryId: library.id,
      source: { kind: 'folders' },
    });
    const trackId = [...(await tracksByPath(first.client, library.id)).values()][0]?.id ?? '';
    await first.client.call('labels.set', {
      libraryId: library.id,
      taxonomyId: taxonomy.id,
      changes: [{ trackId, labels: ['mine'] }],
    });
    const before = embeddingsOf(library.dataFolder);
    await first.engine.close();
    for (const name of readdirSync(library.dataFolder)) {
      if (name.startsWith('cache.db')) rmSync(join(library.dataFolder, name));
    }
    const second = await startTestEngine({ dataFolder: first.dataFolder });
    const emptied = await second.client.call('libraries.get', { libraryId: library.id });
    expect(emptied.tracks).toMatchObject({ ready: 0, pending: 6 });
    expect(await reimport(second.client, library.id)).toMatchObject({ imported: 6, unchanged: 0 });
    expect(embeddingsOf(library.dataFolder)).toEqual(before);
    const detail = await second.client.call('tracks.get', {
      libraryId: library.id,
      trackId,
      taxonomyId: taxonomy.id,
    });
    expect(detail.labels).toEqual(['mine']);
  });

  it('refuses a folder that is not there or holds no audio, and marks nothing missing', async () => {
    const { client } = await startTestEngine();
    await expect(client.call('libraries.open', { folder: '/no/such/folder' })).rejects.toMatchObject({
      code: 'missing-folder',
    });
    const folder = writeMusic({ perClass: 1 });
    const { library } = await importFolder(client, folder);
    const aside = `${folder}-aside`;
    renameSync(folder, aside);
    await expect(reimport(client, library.id)).rejects.toMatchObject({ code: 'missing-folder' });
    mkdirSync(folder);
    await expect(reimport(client, library.id)).rejects.toMatchObject({ code: 'empty-folder' });
    expect((await client.call('libraries.get', { libraryId: library.id })).tracks.missing).toBe(0);

    const relinked = await client.call('libraries.relink', { libraryId: library.id, folder: aside });
    expect(relinked.folders).toEqual([aside]);
    expect(await reimport(client, library.id)).toMatchObject({ imported: 0, unchanged: 3 });
    rmSync(aside, { recursive: true });
  });

  it('tells job events at most ten times a second, the last one always', async () => {
    const { client } = await startTestEngine();
    const folder = writeMusic({ perClass: 10 });
    const heard = listen(client);
    const { result } = await importFolder(client, folder);
    const events = await heard();
    const jobs = events.filter((event) => event.type === 'job');
    expect(jobs.length).toBeLessThan(result.seconds * 10 + 6);
    const last = jobs.at(-1);
    expect(last?.type === 'job' && last.job.state).toBe('done');
  });
});
