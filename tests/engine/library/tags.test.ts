import { describe, expect, it } from 'vitest';
import { tagTrack } from '../../../engine/classify/tag-library.ts';
import { Library } from '../../../engine/library/library.ts';
import { fromSortable, sortable } from '../../../engine/library/tags.ts';
import { openLibraryDatabases } from '../../../engine/storage/open.ts';
import type { Readers } from '../../../engine/readers/readers.ts';
import type { Pack } from '../../../models/packs/index.ts';
import { Random } from '../../../models/numerics/random.ts';
import { startTestEngine, type TestEngine } from '../../support/engine.ts';
import { testFolder } from '../../support/music.ts';

const TRACKS = 20_000;
const CLASSES = 400;
const classes = Array.from({ length: CLASSES }, (_, i) => `tag ${String(i)}`);

/** A library of rows with tags of most of them: every tenth has none, every eleventh was heard before its file changed. */
async function tagged(
  count: number,
  width = CLASSES,
): Promise<{ test: TestEngine; libraryId: string; dataFolder: string }> {
  const first = await startTestEngine();
  const { id: libraryId, dataFolder } = await first.client.call('libraries.open', { folder: testFolder() });
  await first.engine.close();
  const db = openLibraryDatabases(dataFolder);
  const random = new Random(3);
  const track = db.prepare(
    `INSERT INTO tracks (id, path, file_state, title, genre, content_hash, search_text, added_at)
       VALUES (?, ?, 'present', ?, '[]', ?, '', '')`,
  );
  const heard = db.prepare(
    'INSERT INTO cache.tag_means (tagger, track_id, content_hash, means) VALUES (?, ?, ?, ?)',
  );
  const tagger = db.prepare(
    'INSERT INTO cache.taggers (id, pack_id, head_id, key, title, classes) VALUES (?, ?, ?, ?, ?, ?)',
  );
  db.transaction(() => {
    tagger.run([1, 'gone', '', 'k', 'Gone', JSON.stringify(classes.slice(0, width))]);
    tagger.run([2, 'gone', 'mood', 'm', 'Mood', JSON.stringify(['happy', 'non_happy'])]);
    for (let i = 0; i < count; i++) {
      const id = `t${String(i).padStart(6, '0')}`;
      track.run([id, `${id}.wav`, id, `h${String(i)}`]);
      if (i % 10 === 0) continue;
      const means = Float32Array.from({ length: width }, () => random.uniform());
      heard.run([1, id, i % 11 === 0 ? 'before' : `h${String(i)}`, sortable(means)]);
      heard.run([2, id, `h${String(i)}`, sortable([i / count, 1 - i / count])]);
    }
  })();
  db.close();
  return { test: await startTestEngine({ dataFolder: first.dataFolder }), libraryId, dataFolder };
}

describe('tags of the tracks of a library', () => {
  it('are bytes in the order of the numbers', () => {
    const values = [-Infinity, -3.5e38, -2, -1e-40, 0, 1e-40, 0.25, 0.5, 1, 7e10, Infinity];
    const bytes = values.map((value) => Buffer.from(sortable([value])).toString('hex'));
    expect([...bytes].sort()).toEqual(bytes);
    const written = sortable(values);
    values.forEach((value, i) =>
      expect(fromSortable(written.buffer as ArrayBuffer, i)).toBe(Math.fround(value)),
    );
    expect(sortable([-0])).toEqual(sortable([0]));
  });

  it('sort, filter and stand in the rows as reading all of them says', async () => {
    const { test, libraryId } = await tagged(200, 3);
    const { client } = test;
    const names = ['gone/tag 1', 'gone#mood/happy', 'gone/none'];
    const { tracks: all } = await client.call('tracks.list', { libraryId, tags: names, limit: 1000 });
    const meanOf = (track: (typeof all)[number]): number | undefined => track.tags['gone/tag 1'];
    expect(all.filter((track) => meanOf(track) === undefined).map(({ id }) => Number(id.slice(1)))).toEqual(
      Array.from({ length: 200 }, (_, i) => i).filter((i) => i % 10 === 0 || i % 11 === 0),
    );
    expect(all[11]?.tags).toEqual({ 'gone#mood/happy': Math.fround(11 / 200) });
    const sorted = await client.call('tracks.list', {
      ...{ libraryId, sort: 'tag', sortTag: 'gone/tag 1', descending: true, tags: names, limit: 1000 },
    });
    const wanted = all.toSorted((a, b) => (meanOf(b) ?? -1) - (meanOf(a) ?? -1)).map(({ id }) => id);
    expect(sorted.tracks.map(({ id }) => id)).toEqual(wanted);
    const cases: [string, (value: number | undefined, happy: number) => boolean][] = [
      ['tag:"tag 1"', (value) => value !== undefined && value >= 0.5],
      ['tag:"tag 1">0.7', (value) => value !== undefined && value > Math.fround(0.7)],
      ['tag:"gone/tag 1":20%..40%', (value) => value !== undefined && value >= 0.2 && value <= 0.4],
      ['-tag:"tag 1"<=0.7', (value) => value === undefined || value > 0.7],
      ['tag:happy:<0.1 tag:"tag 1"<1', (value, happy) => value !== undefined && happy < 0.1],
      ['tag:"tag 1",happy>0.9', (value, happy) => (value ?? 0) > 0.9 || happy > 0.9],
      ['tag:*happy>0.972', (_, happy) => happy > 0.972 || (happy > 0 && happy < 0.028)],
    ];
    for (const [search, holds] of cases) {
      const found = await client.call('tracks.list', { libraryId, search, limit: 1000 });
      const expected = all.filter((track) => holds(meanOf(track), track.tags['gone#mood/happy'] ?? 0));
      expect(
        found.tracks.map(({ id }) => id),
        search,
      ).toEqual(expected.map(({ id }) => id));
      expect(expected.length, search).toBeGreaterThan(0);
    }
    await expect(client.call('tracks.list', { libraryId, search: 'tag:jazz' })).rejects.toThrow(
      /No tag that is kept/,
    );
    const values = await client.call('tracks.values', { libraryId, field: 'tag', partial: 'happy' });
    expect(values).toEqual([
      { value: 'happy', tracks: 180 },
      { value: 'non_happy', tracks: 180 },
    ]);
    expect(await client.call('tags.kept', { libraryId })).toMatchObject([
      { packId: 'gone', headId: 'mood', tracks: 180 },
      { packId: 'gone', headId: null, tracks: 163 },
    ]);
  });

  it('tell that none are kept where none are', async () => {
    const { client } = await startTestEngine();
    const { id: libraryId } = await client.call('libraries.open', { folder: testFolder() });
    await expect(client.call('tracks.list', { libraryId, search: 'tag:jazz' })).rejects.toMatchObject({
      message: 'No tags are kept of this library.',
    });
  });

  it('are of the content that was heard, whatever its file has become meanwhile', async () => {
    const { test, libraryId, dataFolder } = await tagged(1, 3);
    await test.engine.close();
    const library = new Library(libraryId, dataFolder, openLibraryDatabases(dataFolder));
    const tagger = {
      pack: { manifest: { id: 'p', sampleRate: 8, windowSamples: 8 } } as Pack,
      ...{ headId: null, title: 'P', classes: ['loud'], positive: null, key: 'k' },
      ...{ patches: 1, patchSeconds: 1, hopSeconds: 1 },
      predict: (_: Float32Array, windows: number) => Promise.resolve(new Float32Array(windows).fill(0.5)),
    };
    let next: string | null = 'h1';
    const readers = {
      *decode() {
        if (next) library.db.prepare('UPDATE tracks SET content_hash = ?').run([next]);
        yield new Float32Array(8);
      },
    } as unknown as Readers;
    const { signal } = new AbortController();
    const kept = () => library.tags.meansOf({ ...tagger, packId: 'p' }, 't000000');
    try {
      await tagTrack({ readers }, library, tagger, 't000000', signal);
      expect(kept()).toBeNull();
      next = null;
      await tagTrack({ readers }, library, tagger, 't000000', signal);
      expect(kept()).toEqual(Float32Array.of(0.5));
    } finally {
      library.close();
    }
  });

  it(`cost little among ${String(TRACKS)} tracks`, async () => {
    const { test, libraryId } = await tagged(TRACKS);
    const { client } = test;
    const cpuMs = async (work: () => Promise<unknown>): Promise<number> => {
      const before = process.cpuUsage();
      await work();
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1000;
    };
    const tags = Array.from({ length: 8 }, (_, i) => `gone/tag ${String(i * 40)}`);
    const bare = { libraryId, offset: 0 } as const;
    await client.call('tracks.list', bare);
    const page = async (offset: number, with_: string[]): Promise<number> =>
      cpuMs(() => client.call('tracks.list', { ...bare, offset, tags: with_ }));
    const first = await page(5000, tags);
    const without = await page(10_000, []);
    const withTags = await page(10_000, tags);
    const sort = { ...bare, sort: 'tag', sortTag: 'gone/tag 7', tags } as const;
    const sorted = await cpuMs(() => client.call('tracks.list', sort));
    const next = await cpuMs(() => client.call('tracks.list', { ...sort, offset: 5000 }));
    const found = await cpuMs(() => client.call('tracks.list', { ...bare, search: 'tag:"tag 9">0.9' }));
    console.log(
      `${String(TRACKS)} tracks, ${String(CLASSES)} tags, 8 columns, processor ms: first page ${first.toFixed(0)}, page ${withTags.toFixed(0)} ` +
        `(without ${without.toFixed(0)}), sorted ${sorted.toFixed(0)}, its next page ${next.toFixed(0)}, searched ${found.toFixed(0)}`,
    );
    expect(withTags).toBeLessThan(150);
    expect(next).toBeLessThan(150);
    expect(sorted).toBeLessThan(2000);
    expect(found).toBeLessThan(2000);
  }, 120_000);
});
