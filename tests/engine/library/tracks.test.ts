import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { searchText } from '../../../engine/library/search-text.ts';
import { openLibraryDatabases } from '../../../engine/storage/open.ts';
import { computedHere } from '../../../models/packs/index.ts';
import { finished, importFolder, reimport, startTestEngine, tracksByPath } from '../../support/engine.ts';
import { testFolder, writeMusic } from '../../support/music.ts';

const pad = (n: number): string => String(n).padStart(6, '0');

/** Fills a library with rows only: the table must be quick long before a test could embed that many files. */
function fillTracks(libraryFolder: string, count: number): void {
  const db = openLibraryDatabases(libraryFolder);
  const insert = db.prepare(
    `INSERT INTO tracks (id, path, file_state, title, artist, album, genre, duration_seconds, search_text, added_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, '')`,
  );
  const label = db.prepare(
    `INSERT INTO track_labels (taxonomy_id, track_id, position, label) VALUES ('tax', ?, 0, ?)`,
  );
  const predict = db.prepare(
    `INSERT INTO cache.predictions (experiment_id, track_id, class, probability, split, revision)
       VALUES ('exp', ?, ?, ?, 'test', 1)`,
  );
  db.transaction(() => {
    db.exec(
      `INSERT INTO taxonomies (id, name, source, created_at) VALUES ('tax', 'T', '{"kind":"hand"}', '');
       INSERT INTO experiments (id, name, taxonomy_id, taxonomy_name, parameters, classes, dropped_classes, counts,
         curve, revision, created_at, seconds, space) VALUES ('exp', 'E', 'tax', 'T', '{"task":"single"}', '["a","b"]', '[]', '{}', '[]', 1,
         '', 0, (SELECT space FROM library))`,
    );
    for (let i = 0; i < count; i++) {
      const path = `disc ${i % 97}/Ärtist ${i % 1000} - track ${pad(i)}.flac`;
      const artist = i % 10 === 0 ? null : `Ärtist ${i % 1000}`;
      const title = `Title ${pad((i * 7919) % count)}`;
      const state = i % 50 === 0 ? 'failed' : 'present';
      insert.run([
        `t${pad(i)}`, path, state, title, artist, `Album ${i % 300}`, '["Rock"]', i % 600,
        searchText([path, title, artist, 'rock']),
      ]); // prettier-ignore
      label.run([`t${pad(i)}`, i % 2 === 0 ? 'a' : 'b']);
      if (i % 4 !== 3) predict.run([`t${pad(i)}`, i % 3 === 0 ? 'a' : 'b', (i % 1000) / 1000]);
    }
  })();
  db.close();
}

/** Processor time of a call: what it costs, however busy the machine is. Nothing in it waits. */
async function cpuMs(body: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await body();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

describe('table of tracks', () => {
  it('pages through 100,000 rows quickly, in every order, without gaps or repeats', async () => {
    const first = await startTestEngine();
    const { id: libraryId, dataFolder } = await first.client.call('libraries.open', { folder: testFolder() });
    await first.engine.close();
    fillTracks(dataFolder, 100_000);
    const { client } = await startTestEngine({ dataFolder: first.dataFolder });
    const query = { libraryId, taxonomyId: 'tax', experimentId: 'exp' } as const;

    const timings: string[] = [];
    const sorts = ['path', 'title', 'artist', 'duration', 'label', 'probability'] as const;
    for (const sort of sorts) {
      const firstPage = await cpuMs(() => client.call('tracks.list', { ...query, sort }));
      const pages: number[] = [];
      for (let offset = 0; offset < 100_000; offset += 9973) {
        pages.push(await cpuMs(() => client.call('tracks.list', { ...query, sort, offset })));
      }
      const worst = Math.max(...pages);
      timings.push(`${sort}: first ${firstPage.toFixed(0)} ms, then at most ${worst.toFixed(1)} ms`);
      expect(worst).toBeLessThan(50);
    }
    const search = { ...query, search: 'artist 7 TRACK flac 05' };
    timings.push(`search: ${(await cpuMs(() => client.call('tracks.list', search))).toFixed(0)} ms`);
    const searches = [
      'artist:"ärtist 7"',
      '-file:"disc 3*" rock',
      'label:b pred:a -title:7 p<0.5 len<90 split:test',
      'is:wrong -label:a',
      'state:ready windows:0',
    ];
    for (const text of searches) {
      const cold = await cpuMs(() => client.call('tracks.list', { ...query, search: text }));
      // Another page of another order: what is remembered of the first is not its answer.
      const again = (word: string): Promise<number> =>
        cpuMs(() => client.call('tracks.list', { ...query, search: `${text} -${word}` }));
      // The less of two: what is collected meanwhile is of the tests before.
      const warm = Math.min(await again('zzz'), await again('yyy'));
      timings.push(`${text}: ${cold.toFixed(0)} ms, then ${warm.toFixed(0)} ms`);
      expect(warm).toBeLessThan(400);
    }
    console.log(`100,000 tracks, pages of 200, processor time\n${timings.join('\n')}`);
    const found = await client.call('tracks.list', search);
    expect(found.total).toBeGreaterThan(0);
    for (const track of found.tracks) expect(`${track.path} ${track.title}`).toMatch(/7.*05|05.*7/);

    const seen = new Set<string>();
    let last = '';
    for (let offset = 0; offset < 100_000; offset += 1000) {
      const { tracks } = await client.call('tracks.list', { ...query, sort: 'title', offset, limit: 1000 });
      for (const track of tracks) {
        expect(track.title >= last).toBe(true);
        last = track.title;
        seen.add(track.id);
      }
    }
    expect(seen.size).toBe(100_000);
  }, 180_000);

  it('finds by fields what reading every row finds', async () => {
    const first = await startTestEngine();
    const { id: libraryId, dataFolder } = await first.client.call('libraries.open', { folder: testFolder() });
    await first.engine.close();
    fillTracks(dataFolder, 200);
    const { client } = await startTestEngine({ dataFolder: first.dataFolder });
    const query = { libraryId, taxonomyId: 'tax', experimentId: 'exp', limit: 1000 } as const;
    const all = (await client.call('tracks.list', query)).tracks;
    const cases: [string, (track: (typeof all)[number]) => boolean][] = [
      ['label:a', ({ labels }) => labels.includes('a')],
      ['-label:A', ({ labels }) => !labels.includes('a')],
      ['label:*', () => true],
      ['pred:b,a', ({ prediction }) => prediction !== null],
      ['-pred:b', ({ prediction }) => prediction?.class !== 'b'],
      ['p<0.1', ({ prediction }) => prediction !== null && prediction.probability < 0.1],
      ['-p<0.1', ({ prediction }) => !(prediction !== null && prediction.probability < 0.1)],
      ['p:5%..10%', ({ prediction: p }) => p !== null && p.probability >= 0.05 && p.probability <= 0.1],
      ['len>=1:00', ({ durationSeconds }) => (durationSeconds ?? 0) >= 60],
      ['split:test', ({ prediction }) => prediction?.split === 'test'],
      ['split:train', () => false],
      ['is:wrong', ({ prediction }) => prediction?.correct === false],
      ['is:right', ({ prediction }) => prediction?.correct === true],
      ['-is:judged', ({ prediction }) => (prediction?.correct ?? null) === null],
      ['is:right,wrong', ({ prediction }) => typeof prediction?.correct === 'boolean'],
      ['artist="artist 7"', ({ artist }) => artist === 'Ärtist 7'],
      ['artist:*19', ({ artist }) => artist?.endsWith('19') ?? false],
      ['-artist:rt', ({ artist }) => artist === null],
      ['artist:"*"', () => false],
      ['genre:ROCK', () => true],
      ['state:failed', ({ state }) => state === 'failed'],
      ['-state:failed windows:0', ({ state }) => state !== 'failed'],
      ['file:"disc 1/" -title:7', ({ path, title }) => path.startsWith('disc 1/') && !title.includes('7')],
      ['is:left-out', () => false],
      ['"artist 19 -"', ({ path }) => path.includes('Ärtist 19 -')],
      ['margin<1', () => false],
    ];
    for (const [search, holds] of cases) {
      const found = await client.call('tracks.list', { ...query, search });
      expect(
        found.tracks.map(({ path }) => path),
        search,
      ).toEqual(all.filter(holds).map(({ path }) => path));
    }

    const refused = { code: 'bad-input', detail: { of: 'search' } };
    for (const [search, message] of [
      ['label:c', 'No label of the taxonomy is called “c”.'],
      ['kick second:zz', 'No class of the experiment is called “zz”.'],
      ['foo:1', 'There is no field “foo”.'],
    ] as const)
      await expect(client.call('tracks.list', { ...query, search })).rejects.toMatchObject({
        ...refused,
        message,
      });
    for (const search of ['label:a', 'is:labelled', 'p<0.5', 'is:wrong', 'pred:a'])
      await expect(client.call('tracks.list', { libraryId, search }), search).rejects.toMatchObject(refused);

    const values = async (field: 'artist' | 'genre' | 'label' | 'pred', partial = ''): Promise<string[]> =>
      (await client.call('tracks.values', { ...query, limit: 3, field, partial })).map(
        ({ value, tracks }) => `${value} ${tracks}`,
      );
    expect(await values('label')).toEqual(['a 100', 'b 100']);
    expect(await values('pred', 'B')).toEqual(['b 100']);
    expect(await values('genre', 'ro')).toEqual(['Rock 200']);
    expect(await values('artist', 'artist 19')).toEqual(['Ärtist 19 1', 'Ärtist 191 1', 'Ärtist 192 1']);
  });

  it('keeps notes, finds and sorts by them, and gives back what was noted before', async () => {
    const test = await startTestEngine();
    const music = writeMusic({ perClass: 2 });
    const { library } = await importFolder(test.client, music);
    const libraryId = library.id;
    const all = async (search = '') =>
      (await test.client.call('tracks.list', { libraryId, search, sort: 'notes' })).tracks;
    const [a, b] = await all();
    if (!a || !b) throw new Error('no tracks');
    expect([a.notes, b.notes]).toEqual(['', '']);
    const set = async (trackId: string, notes: string) =>
      test.client.call('tracks.setNotes', { libraryId, changes: [{ trackId, notes }] });
    expect(await set(b.id, '  für später; 50% “loud”\nsecond line ')).toEqual({
      previous: [{ trackId: b.id, notes: '' }],
    });
    expect((await all())[0]).toMatchObject({ id: b.id, notes: 'für später; 50% “loud”\nsecond line' });
    for (const search of ['spater', 'notes:spat', 'notes:*line', '-notes:zzz spater'])
      expect(
        (await all(search)).map(({ id }) => id),
        search,
      ).toEqual([b.id]);
    // An import leaves what a person wrote.
    await reimport(test.client, libraryId);
    expect((await all())[0]?.notes).toContain('second line');
    const { previous } = await set(b.id, '');
    expect(previous[0]?.notes).toContain('für später');
    expect(await all('notes:*')).toEqual([]);
    expect(await set('nobody', 'x')).toEqual({ previous: [] });
  });

  it('sorts unknown values last both ways, filters and searches', async () => {
    const first = await startTestEngine();
    const { id: libraryId, dataFolder } = await first.client.call('libraries.open', { folder: testFolder() });
    await first.engine.close();
    fillTracks(dataFolder, 200);
    const { client } = await startTestEngine({ dataFolder: first.dataFolder });
    const query = { libraryId, taxonomyId: 'tax', experimentId: 'exp', limit: 1000 } as const;
    for (const descending of [false, true]) {
      const { tracks } = await client.call('tracks.list', { ...query, sort: 'artist', descending });
      expect(tracks.slice(-20).every((track) => track.artist === null)).toBe(true);
      expect(tracks.slice(0, 180).every((track) => track.artist !== null)).toBe(true);
    }
    const failed = await client.call('tracks.list', { ...query, filter: { state: 'failed' } });
    expect(failed.total).toBe(4);
    const labelled = await client.call('tracks.list', { ...query, filter: { label: 'a' } });
    expect(labelled.total).toBe(100);
    expect(labelled.tracks.every((track) => track.labels[0] === 'a')).toBe(true);
    const predicted = await client.call('tracks.list', { ...query, filter: { predicted: 'a' } });
    expect(predicted.tracks.every((track) => track.prediction?.class === 'a')).toBe(true);
    const errors = await client.call('tracks.list', { ...query, filter: { errorsOnly: true } });
    const all = await client.call('tracks.list', query);
    const wrong = all.tracks.filter((track) => track.prediction?.correct === false);
    expect(errors.tracks.map((t) => t.id)).toEqual(wrong.map((t) => t.id));
    expect(wrong.length).toBeGreaterThan(10);
    for (const { prediction, labels } of all.tracks) {
      if (prediction) expect(prediction.correct).toBe(prediction.class === labels[0]);
    }
    const some = await client.call('tracks.list', {
      ...query,
      filter: { trackIds: ['t000003', 't000001', 'nobody'] },
    });
    expect(some.tracks.map((t) => t.id)).toEqual(['t000001', 't000003']);
    const search = await client.call('tracks.list', { ...query, search: '  ARTIST 19\tflac' });
    expect(search.tracks.map((t) => t.path)).toEqual(
      all.tracks
        .map((t) => t.path)
        .filter((_, i) => /19/.test(`${all.tracks[i]?.path} ${all.tracks[i]?.title}`)),
    );
    // Wildcards of SQL are plain characters.
    expect((await client.call('tracks.list', { ...query, search: '%' })).total).toBe(0);
    expect((await client.call('tracks.list', { ...query, search: 'a_tist' })).total).toBe(0);
    await expect(
      client.call('tracks.list', { libraryId, filter: { errorsOnly: true } }),
    ).rejects.toMatchObject({ code: 'bad-input' });
    await expect(client.call('tracks.list', { libraryId, experimentId: 'nope' })).rejects.toMatchObject({
      code: 'not-found',
    });
  });

  it('judges neither classes that were left out nor predictions seen under another taxonomy', async () => {
    const first = await startTestEngine();
    const { id: libraryId, dataFolder } = await first.client.call('libraries.open', { folder: testFolder() });
    await first.engine.close();
    fillTracks(dataFolder, 40);
    const db = openLibraryDatabases(dataFolder);
    db.exec(`UPDATE track_labels SET label = 'left out' WHERE track_id IN ('t000000', 't000001', 't000002');
             INSERT INTO taxonomies (id, name, source, created_at) VALUES ('tax2', 'U', '{"kind":"hand"}', '');
             INSERT INTO track_labels (taxonomy_id, track_id, position, label)
               SELECT 'tax2', id, 0, 'a' FROM tracks;`);
    db.close();
    const { client } = await startTestEngine({ dataFolder: first.dataFolder });
    const query = { libraryId, taxonomyId: 'tax', experimentId: 'exp', limit: 1000 } as const;
    const own = await client.call('tracks.list', query);
    const leftOut = own.tracks.filter((track) => track.labels[0] === 'left out');
    expect(leftOut.map((track) => track.prediction?.correct)).toEqual([null, null, null]);
    const errors = await client.call('tracks.list', { ...query, filter: { errorsOnly: true } });
    expect(errors.total).toBe(own.tracks.filter((track) => track.prediction?.correct === false).length);
    expect(errors.total).toBeGreaterThan(3);

    const other = { ...query, taxonomyId: 'tax2' };
    const foreign = await client.call('tracks.list', other);
    expect(foreign.tracks.some((track) => track.prediction !== null)).toBe(true);
    for (const { prediction } of foreign.tracks) expect(prediction?.correct ?? null).toBeNull();
    const none = await client.call('tracks.list', { ...other, filter: { errorsOnly: true } });
    expect(none.total).toBe(0);
  });

  it('shows a change at once', async () => {
    const { client } = await startTestEngine();
    const folder = writeMusic({ perClass: 1 });
    const { id: libraryId } = await client.call('libraries.open', { folder });
    expect((await client.call('tracks.list', { libraryId })).total).toBe(0);
    const { jobId } = await client.call('import.start', { libraryId });
    await finished(client, jobId);
    expect((await client.call('tracks.list', { libraryId })).total).toBe(3);
  });

  it('tells everything about a track', async () => {
    const { client } = await startTestEngine();
    const folder = writeMusic({ perClass: 1 });
    const { library } = await importFolder(client, folder);
    const row = [...(await tracksByPath(client, library.id)).values()][0];
    const detail = await client.call('tracks.get', { libraryId: library.id, trackId: row?.id ?? '' });
    const sha = execFileSync('sha256sum', [`${folder}/bass/bass_hit_0.wav`])
      .toString()
      .slice(0, 64);
    expect(detail).toMatchObject({
      path: 'bass/bass_hit_0.wav',
      absolutePath: `${folder}/bass/bass_hit_0.wav`,
      title: 'bass_hit_0',
      format: 'wav',
      sampleRate: 8000,
      channels: 1,
      bytes: 44 + 2 * 12_800,
      contentHash: sha,
      windowCount: 4,
      duplicates: [],
      coverUrl: null,
      state: 'ready',
      computedBy: computedHere('cpu'),
    });
    expect(detail.windows.map((w) => [w.index, w.startSeconds, w.durationSeconds])).toEqual([
      [0, 0, 0.5],
      [1, 0.5, 0.5],
      [2, 1, 0.5],
      [3, 1.5, expect.closeTo(0.1, 5)],
    ]);
    await expect(
      client.call('tracks.get', { libraryId: library.id, trackId: 'nobody' }),
    ).rejects.toMatchObject({
      code: 'not-found',
    });
  });
});
