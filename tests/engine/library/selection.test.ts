import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { beforeAll, describe, expect, it } from 'vitest';
import type { TrackRow } from '../../../engine/api/tracks.ts';
import { finished, importFolder, settled, startTestEngine, type TestEngine } from '../../support/engine.ts';
import { testFolder, writeMusic } from '../../support/music.ts';

describe('chosen tracks', () => {
  let test: TestEngine;
  let libraryId: string;
  let taxonomyId: string;
  let music: string;
  let rows: TrackRow[];
  const list = async (): Promise<TrackRow[]> =>
    (await test.client.call('tracks.list', { libraryId, taxonomyId })).tracks;

  beforeAll(async () => {
    test = await startTestEngine();
    music = writeMusic({ perClass: 6 });
    const { library } = await importFolder(test.client, music);
    libraryId = library.id;
    const taxonomy = await test.client.call('taxonomies.create', { libraryId, source: { kind: 'folders' } });
    taxonomyId = taxonomy.id;
    rows = await list();
  });

  it('have paths, in the order asked for', async () => {
    const chosen = [rows[3], rows[0]].flatMap((row) => row ?? []);
    const trackIds = chosen.map(({ id }) => id);
    expect(await test.client.call('tracks.paths', { libraryId, trackIds })).toEqual(
      chosen.map(({ path }) => join(music, path)),
    );
    await expect(test.client.call('tracks.paths', { libraryId, trackIds: ['nobody'] })).rejects.toMatchObject(
      { code: 'not-found' },
    );
  });

  it('can be left out of training, and taken in again', async () => {
    const bass = rows.filter(({ labels }) => labels.includes('bass')).map(({ id }) => id);
    const [first = ''] = bass;
    const one = { libraryId, trackIds: [first], leftOut: true };
    expect(await test.client.call('tracks.leaveOut', one)).toEqual({ changed: [first] });
    // Only those that were not left out before.
    const all = { libraryId, trackIds: bass, leftOut: true };
    const { changed } = await test.client.call('tracks.leaveOut', all);
    expect([...changed].sort()).toEqual(bass.slice(1).sort());
    expect((await list()).filter(({ leftOut }) => leftOut).map(({ id }) => id)).toEqual(bass);
    const { jobId } = await test.client.call('experiments.train', {
      libraryId,
      request: { taxonomyId, steps: 20, prototypesPerClass: 1, minimumTracks: 3 },
    });
    const { experimentId } = await finished(test.client, jobId, 'train');
    const experiment = await test.client.call('experiments.get', { libraryId, experimentId });
    expect(experiment.classes).toEqual(['high', 'mid']);
    // They are classified all the same.
    const { tracks } = await test.client.call('tracks.list', { libraryId, taxonomyId, experimentId });
    expect(tracks.find(({ id }) => id === first)?.prediction?.split).toBeNull();
    await test.client.call('tracks.leaveOut', { ...all, leftOut: false });
    expect((await list()).some(({ leftOut }) => leftOut)).toBe(false);
  });

  it('leave as playlist, table and copies, which are what the files are', async () => {
    const chosen = rows.slice(2, 5);
    const folder = join(testFolder(), 'chosen');
    const subject = {
      kind: 'tracks' as const,
      trackIds: chosen.map(({ id }) => id),
      taxonomyId,
      copyFiles: true,
    };
    const formats = ['csv' as const, 'm3u8' as const];
    const { jobId } = await test.client.call('exports.start', { libraryId, subject, folder, formats });
    const result = await finished(test.client, jobId, 'export');
    expect(result.export.files.map(({ path }) => path)).toContain('tracks.m3u8');
    const table = parse<Record<string, string>>(readFileSync(join(folder, 'tracks.csv')), { columns: true });
    expect(table.map((row) => [row['path'], row['labels']])).toEqual(
      chosen.map(({ path, labels }) => [path, labels.join(';')]),
    );
    const playlist = readFileSync(join(folder, 'tracks.m3u8'), 'utf8');
    for (const { path } of chosen) expect(playlist).toContain(join(music, path));
    const copies = readdirSync(join(folder, 'files'));
    expect(copies).toHaveLength(3);
    const originals = chosen.map(({ path }) => readFileSync(join(music, path)).toString('base64'));
    expect(copies.map((name) => readFileSync(join(folder, 'files', name)).toString('base64')).sort()).toEqual(
      originals.sort(),
    );
  });

  it('leave nothing behind when a file is gone, and say which', async () => {
    const [gone] = rows;
    rmSync(join(music, gone?.path ?? ''));
    const folder = join(testFolder(), 'chosen');
    const subject = { kind: 'tracks' as const, trackIds: [gone?.id ?? ''], copyFiles: true };
    const { jobId } = await test.client.call('exports.start', { libraryId, subject, folder });
    const job = await settled(test.client, jobId);
    expect(job.error).toMatchObject({ code: 'unreadable' });
    expect(job.error?.message).toContain(gone?.path);
    expect(existsSync(folder)).toBe(false);
  });

  it('are counted by what their tags put together', async () => {
    expect(await test.client.call('tracks.groups', { libraryId })).toMatchObject({ tracks: 18 });
  });
});
