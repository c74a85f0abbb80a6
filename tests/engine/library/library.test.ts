import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evenlySpaced, expectedWindows } from '../../../engine/import/choose-windows.ts';
import { Speedometer } from '../../../engine/import/progress.ts';
import { LibraryVectors } from '../../../engine/library/vectors.ts';
import { LibraryCatalogue } from '../../../engine/library/libraries.ts';
import { cutWindows } from '../../../models/audio/index.ts';
import { importFolder, startTestEngine } from '../../support/engine.ts';
import { tinyPacks, writeMusic } from '../../support/music.ts';
import { writeTinyPack } from '../../support/tiny-pack.ts';

describe('choice of windows', () => {
  it('spreads evenly: distinct, in range, gaps differ by one at most', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 5000 }), fc.integer({ min: 1, max: 300 }), (total, wanted) => {
        const chosen = [...evenlySpaced(total, wanted)];
        expect(chosen).toHaveLength(Math.min(total, wanted));
        const gaps = chosen.slice(1).map((index, i) => index - (chosen[i] ?? 0));
        for (const index of chosen) expect(index >= 0 && index < total).toBe(true);
        for (const gap of gaps) expect(gap).toBeGreaterThan(0);
        if (gaps.length > 0) expect(Math.max(...gaps) - Math.min(...gaps)).toBeLessThanOrEqual(1);
      }),
    );
    expect([...evenlySpaced(10, 1)]).toEqual([5]);
  });

  it('expects as many windows as are cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 5000 }), async (samples) => {
        let count = 0;
        async function* mono(): AsyncGenerator<Float32Array> {
          yield await Promise.resolve(new Float32Array(samples));
        }
        for await (const window of cutWindows(mono(), { windowSamples: 320 })) count = window.index + 1;
        expect(expectedWindows(samples / 8000, 320 / 8000)).toBe(count);
      }),
    );
    // The rest is just long enough, but for a rounding.
    expect(expectedWindows(2260 / 8000, 320 / 8000)).toBe(8);
    expect(expectedWindows(0, 4)).toBe(0);
  });
});

describe('Speedometer', () => {
  it('tells audio seconds per second of work, not counting pauses', () => {
    let now = 0;
    const speed = new Speedometer(() => now);
    expect(speed.rate()).toBeNull();
    for (let i = 0; i < 600; i++) {
      now += 0.1;
      speed.add(2);
    }
    expect(speed.rate()).toBeCloseTo(20, 3);
    now += 3600;
    speed.add(2);
    expect(speed.rate()).toBeGreaterThan(14);
  });
});

describe('libraries', () => {
  it('are found again by their folder, listed newest first, and removed without a trace in the music', async () => {
    const { client, dataFolder, restart } = await startTestEngine();
    const folder = writeMusic({ perClass: 1 });
    const other = writeMusic({ perClass: 1 });
    const first = await client.call('libraries.open', { folder, name: 'First', windows: 5 });
    expect(first).toMatchObject({
      name: 'First',
      folders: [folder],
      windows: 5,
      packId: 'compact',
      isDemo: false,
    });
    await client.call('libraries.open', { folder: other });
    const again = await client.call('libraries.open', { folder: join(folder, 'bass', '..') });
    expect(again.id).toBe(first.id);
    expect(again.windows).toBe(5);
    expect((await client.call('libraries.list', {})).map((l) => l.folders[0])).toEqual([folder, other]);
    const { client: later } = await restart();
    expect((await later.call('libraries.list', {})).map((l) => l.id)).toContain(first.id);
    await expect(
      later.call('libraries.relink', { libraryId: first.id, folder: other }),
    ).rejects.toMatchObject({
      code: 'bad-input',
    });
    const before = readdirSync(folder, { recursive: true });
    await later.call('libraries.remove', { libraryId: first.id });
    await expect(later.call('libraries.get', { libraryId: first.id })).rejects.toMatchObject({
      code: 'not-found',
    });
    expect(readdirSync(join(dataFolder, 'libraries'))).toHaveLength(1);
    expect(readdirSync(folder, { recursive: true })).toEqual(before);
    await expect(later.call('libraries.open', { folder, packId: 'nope' })).rejects.toMatchObject({
      code: 'pack',
    });
    await expect(later.call('libraries.openDemo', {})).rejects.toMatchObject({ code: 'missing-folder' });
  });

  it('open the demo as such', async () => {
    const demoFolder = writeMusic({ perClass: 1 });
    const labelledDemoFolder = writeMusic({ perClass: 2 });
    const [first = '', second = ''] = readdirSync(labelledDemoFolder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.wav'))
      .sort();
    mkdirSync(join(labelledDemoFolder, 'Playlists'));
    const list = join(labelledDemoFolder, 'Playlists', 'Two.m3u8');
    writeFileSync(list, `../${first}\n../${second}\n`);
    const { client } = await startTestEngine({ demoFolder, labelledDemoFolder });
    const demo = await client.call('libraries.openDemo', {});
    expect(demo).toMatchObject({ isDemo: true, name: 'Demo', folders: [labelledDemoFolder] });
    await importFolder(client, labelledDemoFolder);
    const playlists = await client.call('playlists.list', { libraryId: demo.id });
    expect(playlists).toMatchObject([{ name: 'Two', entries: 2, tracks: 2, unmatched: 0 }]);
    // What was removed stays so when the demo is opened again.
    await client.call('playlists.remove', { libraryId: demo.id, playlistIds: playlists.map(({ id }) => id) });
    expect(await client.call('libraries.openDemo', {})).toMatchObject({ id: demo.id });
    expect(await client.call('playlists.list', { libraryId: demo.id })).toEqual([]);
    expect(await client.call('libraries.openDemo', { demo: 'samples' })).toMatchObject({
      ...{ isDemo: true, name: 'Demo samples', folders: [demoFolder] },
    });
    expect(await client.call('app.info', {})).toMatchObject({ version: '0.0.0-test', provider: 'cpu' });
  });

  it('never write to music files', async () => {
    const { client } = await startTestEngine();
    const folder = writeMusic({ perClass: 2 });
    const look = () =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .map((name) => join(folder, name))
        .filter((path) => statSync(path).isFile())
        .map((path) => [path, statSync(path).mtimeMs, readFileSync(path).toString('base64')]);
    const before = look();
    await importFolder(client, folder);
    expect(look()).toEqual(before);
  });

  it('embed anew with another pack, keep what is there, and never mix two', async () => {
    const packs = await tinyPacks();
    await writeTinyPack(join(packs, 'other'), { seed: 99, id: 'other' });
    const { client, engine, dataFolder } = await startTestEngine();
    const folder = writeMusic({ perClass: 2 });
    const { library } = await importFolder(client, folder);
    const changed = await client.call('libraries.open', { folder, packId: 'other' });
    expect(changed.tracks).toMatchObject({ ready: 0, pending: 6 });
    const { result } = await importFolder(client, folder);
    expect(result).toMatchObject({ imported: 6, unchanged: 0 });
    await engine.close();
    rmSync(join(packs, 'other'), { recursive: true });
    const catalogue = new LibraryCatalogue(dataFolder);
    const open = catalogue.get(library.id);
    expect(open.spaces.list().map(({ packId, tracks }) => [packId, tracks])).toEqual([
      ['compact', 6],
      ['other', 6],
    ]);
    expect(open.packId()).toBe('other');
    const other = open.embeddings.load().vectors;
    // Back at once: nothing has to be read again.
    const compact = open.spaces.list().find(({ packId }) => packId === 'compact') ?? open.space();
    open.use(compact);
    expect(open.summary().tracks).toMatchObject({ ready: 6, pending: 0 });
    expect(open.embeddings.load().vectors).not.toEqual(other);
    catalogue.close();
  });
});

describe('embeddings', () => {
  it('are one matrix ordered by path and window; a track is the mean of its windows', async () => {
    const { client, engine, dataFolder } = await startTestEngine();
    const folder = writeMusic({ perClass: 3 });
    const { library } = await importFolder(client, folder);
    const taxonomy = await client.call('taxonomies.create', {
      libraryId: library.id,
      source: { kind: 'folders' },
    });
    const { tracks } = await client.call('tracks.list', { libraryId: library.id });
    await engine.close();
    const catalogue = new LibraryCatalogue(dataFolder);
    const open = catalogue.get(library.id);
    const windows = open.embeddings.load();
    expect(windows).toMatchObject({ dim: 32, count: 36 });
    expect(windows.trackIds).toEqual(tracks.map((track) => track.id));
    expect([...windows.trackOf]).toEqual(Array.from({ length: 36 }, (_, row) => Math.floor(row / 4)));
    expect([...windows.windowIndex.subarray(0, 5)]).toEqual([0, 1, 2, 3, 0]);
    expect([...windows.startSeconds.subarray(0, 5)]).toEqual([0, 0.5, 1, 1.5, 0]);
    expect(windows.durationSeconds[3]).toBeCloseTo(0.1, 5);

    const two = open.embeddings.load(open.space(), [tracks[5]?.id ?? '', tracks[2]?.id ?? '', 'nobody']);
    expect(two.trackIds).toEqual([tracks[2]?.id, tracks[5]?.id]);
    expect(two.vectors.subarray(0, 128)).toEqual(windows.vectors.subarray(8 * 32, 12 * 32));

    const { vectors, trackIds } = new LibraryVectors(windows).tracks;
    expect(trackIds).toEqual(windows.trackIds);
    for (let d = 0; d < 32; d++) {
      const mean = [4, 5, 6, 7].reduce((sum, row) => sum + (windows.vectors[row * 32 + d] ?? NaN), 0) / 4;
      expect(vectors[32 + d]).toBeCloseTo(mean, 6);
    }
    const labels = open.labels.of(taxonomy.id);
    expect(labels.get(tracks[0]?.id ?? '')).toEqual(['bass']);
    // The tiny pack tells the three sounds apart: nearest other track is of the same class.
    const distance = (a: number, b: number): number =>
      vectors
        .subarray(a * 32, a * 32 + 32)
        .reduce((sum, v, d) => sum + (v - (vectors[b * 32 + d] ?? 0)) ** 2, 0);
    for (let a = 0; a < 9; a++) {
      const others = [...Array(9).keys()]
        .filter((b) => b !== a)
        .sort((b, c) => distance(a, b) - distance(a, c));
      expect(Math.floor((others[0] ?? 0) / 3)).toBe(Math.floor(a / 3));
    }
    catalogue.close();
  });
});
