import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Library } from '../../../engine/library/library.ts';
import { LibraryCatalogue } from '../../../engine/library/libraries.ts';
import { trackQuerySchema, type TrackRow } from '../../../engine/api/tracks.ts';
import { TrackStore } from '../../../engine/import/track-store.ts';
import { Database } from '../../../engine/storage/database.ts';
import { migrate } from '../../../engine/storage/migrate.ts';
import { migrations } from '../../../engine/storage/migrations/index.ts';
import { AudioError } from '../../../models/audio/index.ts';
import { earlierEncoders } from '../../../engine/packs/earlier-packs.ts';
import { compactPackFolder, readPack } from '../../../models/packs/index.ts';
import { importFolder, startTestEngine } from '../../support/engine.ts';
import { testFolder, writeMusic } from '../../support/music.ts';
import { OLD, oldLibrary } from '../../support/old-library.ts';
import { writeTinyPack } from '../../support/tiny-pack.ts';

/** Packs by name: of each the hash of its encoder. */
const packs: Record<string, string> = { one: 'e', two: 'e', three: 'f' };

/** A library of some tracks, in a shelf that knows the packs above. */
function shelf(dataFolder: string, known: (packSha256: string) => string | null = () => null) {
  return new LibraryCatalogue(dataFolder, {
    pack: (id) => ({ sha256: `pack-${id}`, encoderSha256: packs[id] ?? '' }),
    encoderOf: known,
  });
}

function addTracks(library: Library, ids: readonly string[]): void {
  for (const id of ids)
    library.db
      .prepare(
        `INSERT INTO tracks (id, path, title, search_text, added_at, content_hash) VALUES (?, ?, '', '', '', ?)`,
      )
      .run([id, `${id}.wav`, `content of ${id}`]);
}

function embed(library: Library, trackId: string, value: number): void {
  const z = Float32Array.of(value);
  library.embeddings.put(library.space(), trackId, [{ index: 0, startSeconds: 0, seconds: 1, z }], null);
}

describe('an embedding space', () => {
  it('is shared by packs that differ in their decoder only, and by no others', () => {
    const catalogue = shelf(testFolder());
    const music = testFolder();
    const library = catalogue.open(music, { packId: 'one' });
    addTracks(library, ['a', 'b']);
    embed(library, 'a', 1);
    embed(library, 'b', 2);
    const first = library.space();
    catalogue.open(music, { packId: 'two' });
    expect(library.space()).toEqual({ ...first, packId: 'two', packSha256: 'pack-two' });
    expect(library.summary().tracks).toMatchObject({ ready: 2, pending: 0 });
    catalogue.open(music, { packId: 'three' });
    expect(library.space().key).not.toBe(first.key);
    expect(library.summary().tracks).toMatchObject({ ready: 0, pending: 2 });
    catalogue.open(music, { packId: 'one', windows: 3 });
    expect(library.spaces.list()).toHaveLength(3);
    catalogue.close();
  });

  it('of an import goes on when the pack is exchanged for one with another decoder and other defaults', async () => {
    const folder = testFolder();
    const pack = (options: object): Promise<string> =>
      writeTinyPack(join(folder, 'compact'), { seed: 1, id: 'compact', ...options });
    await pack({});
    const engine = await startTestEngine({ packFolders: [folder] });
    const music = writeMusic({ perClass: 2 });
    const { library, result } = await importFolder(engine.client, music);
    expect(result).toMatchObject({ imported: 6 });

    await pack({ steps: 7, replace: { decoder: Uint8Array.of(1, 2, 3) } });
    const later = await engine.restart();
    const [opened] = await later.client.call('libraries.list', {});
    expect(opened?.tracks).toMatchObject({ ready: 6, pending: 0 });
    const again = await importFolder(later.client, music);
    expect(again.result).toMatchObject({ imported: 0, unchanged: 6 });
    const { space } = again.library;
    expect(space?.key).toBe(library.space?.key);
    expect(space?.packSha256).toBe((await readPack(join(folder, 'compact'))).sha256);

    await pack({ seed: 2 });
    const last = await later.restart();
    const anew = await importFolder(last.client, music);
    expect(anew.result).toMatchObject({ imported: 6, unchanged: 0 });
    expect(anew.library.space?.key).not.toBe(library.space?.key);
  });
});

describe('a failure to embed a track', () => {
  it('belongs to the space and the content: what one pack cannot embed is there for another', () => {
    const catalogue = shelf(testFolder());
    const music = testFolder();
    const library = catalogue.open(music, { packId: 'three' });
    const three = library.space();
    catalogue.open(music, { packId: 'one' });
    addTracks(library, ['a', 'b', 'c']);
    embed(library, 'a', 1);
    const one = library.space();
    // A second pack embeds the library while its own is looked at.
    const store = new TrackStore(library, three, '1');
    store.putNotEmbedded('a', new AudioError('corrupt', 'This file is damaged.'));
    store.putNotEmbedded('b', new Error('a fault of the pack'));
    expect(library.summary().tracks).toMatchObject({ ready: 1, pending: 2, failed: 0 });
    const rows = (): TrackRow[] =>
      library.tracks.list(trackQuerySchema.parse({ libraryId: library.id })).tracks;
    expect(rows().map(({ state, problem }) => [state, problem])).toEqual([
      ['ready', null],
      ['pending', null],
      ['pending', null],
    ]);
    const failsAgain = (): boolean[] => store.known().map((track) => store.failsAgain(track));
    expect(failsAgain()).toEqual([true, false, false]);

    library.use(three);
    expect(library.summary().tracks).toMatchObject({ ready: 0, pending: 1, failed: 2 });
    expect(rows()[0]).toMatchObject({ state: 'failed', problem: { message: 'This file is damaged.' } });
    expect(library.mistakes.damaged()).toMatchObject([{ trackId: 'a' }, { trackId: 'b' }]);
    // Another content is another matter, and so is a second try.
    library.db.prepare(`UPDATE tracks SET content_hash = 'new' WHERE id = 'a'`).run([]);
    expect(store.takeBack('b')).toBe('failed');
    expect(library.summary().tracks).toMatchObject({ ready: 0, pending: 3, failed: 0 });
    expect(failsAgain()).toEqual([false, false, false]);
    library.use(one);
    catalogue.close();
  });

  it('of an earlier version stays where it came about, and what is wrong with a file stays with the file', () => {
    const db = new Database(join(testFolder(), 'library.db'));
    migrate(db, migrations.library.slice(0, 20), { backup: false });
    db.exec(`INSERT INTO spaces (key, pack_id, pack_sha256, windows, encoder_sha256) VALUES ('s', 'p', 'h', 'all', 'e');
      INSERT INTO library (id, name, folder, is_demo, created_at, opened_at, space)
        VALUES ('l', 'l', '/', 0, '', '', 's');
      INSERT INTO tracks (id, path, title, search_text, added_at, content_hash, file_state, problem, problem_detail, problem_version)
        VALUES ('embedding', 'a', '', '', '', 'known', 'failed', '{}', 'corrupt', '1'),
               ('file', 'b', '', '', '', NULL, 'failed', '{}', 'unreadable', '1');`);
    migrate(db, migrations.library, { backup: false });
    expect(
      db.prepare('SELECT space, track_id, content_hash, problem_detail FROM embedding_failures').all(),
    ).toEqual([{ space: 's', track_id: 'embedding', content_hash: 'known', problem_detail: 'corrupt' }]);
    expect(db.prepare('SELECT id, file_state, problem FROM tracks ORDER BY path').all()).toEqual([
      { id: 'embedding', file_state: 'present', problem: null },
      { id: 'file', file_state: 'failed', problem: '{}' },
    ]);
    db.close();
  });
});

describe('a space of an earlier version, known by its pack alone', () => {
  it('stays ready when a pack with the same encoder takes the place of its own', () => {
    const { dataFolder } = oldLibrary();
    const before = new LibraryCatalogue(dataFolder);
    const old = before.get(OLD.id).space();
    expect(old.encoderSha256).toBe('');
    before.close();

    const catalogue = new LibraryCatalogue(dataFolder, {
      pack: () => ({ sha256: 'newer', encoderSha256: 'e' }),
      encoderOf: (packSha256) => (packSha256 === old.packSha256 ? 'e' : null),
    });
    const library = catalogue.get(OLD.id);
    const space = library.use({ ...library.space(), packSha256: 'newer', encoderSha256: 'e' });
    expect(space).toMatchObject({ key: old.key, packSha256: 'newer', encoderSha256: 'e' });
    expect(library.summary().tracks).toMatchObject({ ready: 11, pending: 0 });
    expect(library.experiments.list()[0]?.space.key).toBe(old.key);
    catalogue.close();
  });

  it('stays apart from other packs while nobody knows its encoder', () => {
    const { dataFolder } = oldLibrary();
    const catalogue = shelf(dataFolder);
    const library = catalogue.get(OLD.id);
    const old = library.space();
    const other = library.use({ ...old, packSha256: 'newer', encoderSha256: 'e' });
    expect(other.key).not.toBe(old.key);
    expect(library.summary().tracks).toMatchObject({ ready: 0, pending: 11 });
    expect(library.use(old).key).toBe(old.key);
    catalogue.close();
  });

  it('becomes one with those that prove to be the same, with everything in them', () => {
    const dataFolder = testFolder();
    const music = testFolder();
    const made = new LibraryCatalogue(dataFolder);
    const library = made.open(music, {});
    addTracks(library, ['a', 'b', 'c', 'd']);
    const facts = { packId: 'compact', encoderSha256: '', windows: 'all', deformation: null } as const;
    const older = library.use({ ...facts, packSha256: 'older' });
    for (const id of ['a', 'b', 'd']) embed(library, id, 1);
    const newer = library.use({ ...facts, packSha256: 'newer' });
    for (const id of ['b', 'c', 'd']) embed(library, id, 2);
    // What lies there of b was made of another content of its file.
    library.db
      .prepare(`UPDATE cache.embeddings SET content_hash = 'earlier' WHERE space = ? AND track_id = 'b'`)
      .run([older.key]);
    library.db
      .prepare(
        `INSERT INTO studies (id, name, request, corpus, fingerprint, splits, full_scores, failures, planned, state,
           space, created_at, seconds) VALUES ('s', 's', '{}', 'null', '', '[]', '[]', '[]', 0, 'done', ?, '', 0)`,
      )
      .run([newer.key]);
    made.close();

    const catalogue = shelf(dataFolder, () => 'e');
    const opened = catalogue.open(music, {});
    expect(opened.spaces.list().filter(({ packSha256 }) => packSha256 !== '')).toMatchObject([
      { key: older.key, encoderSha256: 'e', tracks: 4 },
    ]);
    expect(opened.space().key).toBe(older.key);
    expect(opened.studies.get('s').space?.key).toBe(older.key);
    expect(opened.summary().tracks).toMatchObject({ ready: 4, pending: 0 });
    expect([...opened.embeddings.load().vectors]).toEqual([1, 2, 2, 1]);
    expect(opened.db.prepare('PRAGMA foreign_key_check').all()).toEqual([]);
    catalogue.close();
  });
});

describe('the packs that came with versions', () => {
  it('have the one that comes with this version among them', async () => {
    const pack = await readPack(compactPackFolder());
    expect(earlierEncoders.get(pack.sha256)).toBe(pack.encoderSha256);
  });

  it('are told apart by their encoders: 0.4.0 has that of 0.4.1, 0.3.1 has another', () => {
    const [new4, old4, new3] = [
      '840d97697d9abe04b86994e2e9eaa4b479949786627dff99625e982531786b14',
      '67fcfbd11659c0133b2e024515660b8949cb5f2a124beb7d46a9888bf4c11419',
      'e190fd1077af39bd0cf471f05839ac82087ccf6635c8f72849d355ad16b1eb3e',
    ].map((pack) => earlierEncoders.get(pack));
    expect(old4).toBe(new4);
    expect(new3).toMatch(/^[0-9a-f]{64}$/);
    expect(new3).not.toBe(new4);
  });
});
