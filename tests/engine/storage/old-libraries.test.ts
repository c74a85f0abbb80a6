import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { trackQuerySchema } from '../../../engine/api/tracks.ts';
import { studyRequestSchema } from '../../../engine/api/studies.ts';
import { spaceKey } from '../../../models/embeddings/space.ts';
import { explainTrack } from '../../../engine/classify/explain.ts';
import { nearestTo } from '../../../engine/neighbours/query.ts';
import { resolveVector } from '../../../engine/neighbours/vector-ref.ts';
import type { SharedCard } from '../../../engine/library/shared-spaces.ts';
import { LibraryCatalogue } from '../../../engine/library/libraries.ts';
import { MediaTokens } from '../../../engine/media.ts';
import { ProjectionRepository } from '../../../engine/library/projections.ts';
import { SavedSearchRepository } from '../../../engine/library/searches.ts';
import { TrackSetRepository } from '../../../engine/library/sets.ts';
import { sonificationId, SonificationRepository } from '../../../engine/library/sonifications.ts';
import { Database } from '../../../engine/storage/database.ts';
import { migrate, schemaVersion } from '../../../engine/storage/migrate.ts';
import { migrations } from '../../../engine/storage/migrations/index.ts';
import { openLibraryDatabases } from '../../../engine/storage/open.ts';
import { startTestEngine } from '../../support/engine.ts';
import { testFolder } from '../../support/music.ts';
import { OLD, OLD_WITH_SPACES, oldLibrary } from '../../support/old-library.ts';

type Row = Record<string, unknown>;

/** Rows of a table of a database as it lies on the disk. */
function rowsOf(path: string, sql: string): Row[] {
  const db = new Database(path);
  const rows = db.prepare(sql).all();
  db.close();
  return rows;
}

describe('a library of schema 3', () => {
  it('keeps tracks, labels, edits, experiments, reductions, studies and every embedding', () => {
    const { dataFolder, folder } = oldLibrary();
    const before = (name: string, sql: string): Row[] => rowsOf(join(folder, name), sql);
    const tracks = before(
      'library.db',
      'SELECT id, path, state, content_hash, window_count FROM tracks ORDER BY path',
    );
    const overrides = before('library.db', 'SELECT * FROM label_overrides');
    const labels = before('library.db', 'SELECT * FROM track_labels ORDER BY track_id, position');
    const experiments = before('library.db', 'SELECT id, pack_sha256 FROM experiments');
    const revisions = before('library.db', 'SELECT * FROM experiment_revisions ORDER BY revision');
    const reductions = before(
      'library.db',
      `SELECT id, pack_sha256, prototypes, study_id, full_score, reduced_score, scores, created_at
         FROM reductions ORDER BY rowid DESC`,
    );
    const split = before('library.db', 'SELECT track_id, split FROM reduction_tracks');
    const sql = 'SELECT track_id, pack_sha256, windows, vectors FROM';
    const embeddings = before('cache.db', `${sql} embeddings UNION ALL ${sql} kept_embeddings`);
    expect([tracks.length, embeddings.length, revisions.length, reductions.length]).toEqual([13, 45, 3, 3]);

    const catalogue = new LibraryCatalogue(dataFolder);
    const library = catalogue.get(OLD.id);
    const space = library.space();
    expect(space).toMatchObject({ packId: 'compact', windows: 'all', deformation: null });
    expect(space.packSha256).toBe(experiments[0]?.['pack_sha256']);
    expect(library.spaces.list().map(({ packId, windows, tracks: n }) => [packId, windows, n])).toEqual(
      expect.arrayContaining([
        ['compact', 'all', expect.any(Number)],
        ['compact', 2, expect.any(Number)],
        ['', 'all', expect.any(Number)],
      ]),
    );
    expect(library.summary()).toMatchObject({
      name: OLD.name,
      tracks: { total: 13, ready: 11, failed: 1, missing: 1, pending: 0 },
    });
    // Every row is there under the key of its own pack and windows, byte for byte.
    const vectorsOf = library.db.prepare<{ vectors: ArrayBuffer }>(
      'SELECT vectors FROM cache.embeddings WHERE space = ? AND track_id = ?',
    );
    for (const row of embeddings as {
      track_id: string;
      pack_sha256: string;
      windows: string;
      vectors: ArrayBuffer;
    }[]) {
      const windows = row.windows === 'all' ? 'all' : Number(row.windows);
      const key = spaceKey({ encoderSha256: row.pack_sha256, windows, deformation: null });
      expect(vectorsOf.get([key, row.track_id])?.vectors).toEqual(row.vectors);
    }
    const media = new MediaTokens();
    for (const track of tracks) {
      const detail = library.tracks.get(media, {
        trackId: String(track['id']),
        taxonomyId: null,
        experimentId: null,
      });
      expect([detail.path, detail.state, detail.contentHash]).toEqual([
        track['path'],
        track['state'],
        track['content_hash'],
      ]);
      if (track['state'] === 'ready') expect(detail.windowCount).toBe(track['window_count']);
      // Nobody wrote it down then.
      expect(detail.computedBy).toBeNull();
    }
    expect(library.db.prepare('SELECT * FROM label_overrides').all()).toEqual(overrides);
    expect(library.db.prepare('SELECT * FROM track_labels ORDER BY track_id, position').all()).toEqual(
      labels,
    );
    // Thresholds of labels came later; this experiment gives one class.
    expect(library.db.prepare('SELECT * FROM experiment_revisions ORDER BY revision').all()).toEqual(
      revisions.map((revision) => ({ ...revision, thresholds: null, edit: null, name: '' })),
    );

    const [experiment] = library.experiments.list();
    expect(experiment).toMatchObject({ id: experiments[0]?.['id'], space, revision: 3 });
    expect(library.experiments.tracksOf(experiment?.id ?? '')).toHaveLength(12);
    expect(library.experiments.network(experiment?.id ?? '').prototypeCount).toBeGreaterThan(3);
    expect(library.reductions.list().map(({ id, space: its }) => [id, its?.key])).toEqual(
      reductions.map(({ id }) => [id, space.key]),
    );
    expect(library.reductions.setOf(String(reductions[0]?.['id'])).prototypes).toEqual(
      new Float32Array(reductions[0]?.['prototypes'] as ArrayBuffer),
    );
    // What was made alone is a study of one run now, with its split, its scores and its id.
    const [alone] = reductions.filter(({ study_id: study }) => study === null);
    const id = String(alone?.['id']);
    const taxonomyId = String(labels[0]?.['taxonomy_id']);
    expect(library.studies.list(() => false)).toMatchObject([
      { state: 'done', finished: 2 },
      {
        ...{ id, name: 'Folders: MChen p 40', state: 'done', planned: 1, finished: 1, corpus: null },
        ...{ splits: [{ train: 9, test: 3 }], createdAt: alone?.['created_at'] },
        request: {
          source: { kind: 'library', taxonomyId, level: 'track' },
          runs: [{ method: 'MChen', parameters: { p: 40, exclude: 'Base', merging: 'Base' } }],
          ...{ classifiers: ['lpknn'], k: [1], noise: [0], seed: 1 },
          split: { kind: 'holdout', test: 0.3, repeats: 1 },
        },
        full: [{ noise: 0, scores: [{ classifier: 'lpknn', k: 1, metrics: { f1Macro: [0.75] } }] }],
      },
    ]);
    expect(library.reductions.get(id)).toMatchObject({
      ...{ studyId: id, method: 'MChen', seed: 1, corpusRows: 9, testRows: 3 },
      full: JSON.parse(String(alone?.['full_score'])) as unknown,
      reduced: JSON.parse(String(alone?.['reduced_score'])) as unknown,
      scores: JSON.parse(String(alone?.['scores'])) as unknown,
    });
    expect(library.studies.splitsOf(id)).toEqual(
      new Map(split.map((row) => [row['track_id'], row['split']])),
    );
    const { request } = library.studies.get(id);
    expect(studyRequestSchema.parse(request)).toEqual(request);
    const taxonomy = library.db.prepare<{ id: string }>('SELECT id FROM taxonomies').get();
    const byHand = String(overrides[0]?.['track_id']);
    expect(library.labels.of(taxonomy?.id ?? '').get(byHand)).toEqual(['mid', 'loud']);
    expect(library.db.prepare('PRAGMA foreign_key_check').all()).toEqual([]);
    catalogue.close();
    // The copy that was made first is the library as it was.
    const [backup] = readdirSync(join(folder, 'backups'));
    expect(
      rowsOf(
        join(folder, 'backups', backup ?? ''),
        'SELECT id, path, state, content_hash, window_count FROM tracks ORDER BY path',
      ),
    ).toEqual(tracks);
  });

  it('works on in the engine: explains, and lists prototypes with their nearest tracks', async () => {
    const { dataFolder } = oldLibrary();
    const { client } = await startTestEngine({ dataFolder });
    const libraryId = OLD.id;
    const [experiment] = await client.call('experiments.list', { libraryId });
    const experimentId = experiment?.id ?? '';
    const { tracks } = await client.call('tracks.list', { libraryId, filter: { state: 'ready' } });
    expect(tracks).toHaveLength(11);
    const trackId = tracks[0]?.id ?? '';
    const { bias, contributions, logit } = await client.call('explain.track', {
      libraryId,
      experimentId,
      trackId,
    });
    expect(contributions.reduce((sum, { contribution }) => sum + contribution, bias)).toBeCloseTo(logit, 4);
    const prototypes = await client.call('prototypes.list', { libraryId, experimentId });
    expect(prototypes.every(({ nearest }) => nearest.length > 0)).toBe(true);
  });

  it('whose cache is gone keeps its settings and everything a person made', () => {
    const { dataFolder, folder } = oldLibrary();
    rmSync(join(folder, 'cache.db'));
    const catalogue = new LibraryCatalogue(dataFolder);
    const library = catalogue.get(OLD.id);
    expect(library.space()).toMatchObject({ packId: 'compact', windows: 'all', packSha256: '' });
    expect(library.summary().tracks).toMatchObject({ ready: 0, pending: 11, failed: 1, missing: 1 });
    expect(library.experiments.get(library.experiments.list()[0]?.id ?? '').space.packSha256).not.toBe('');
    catalogue.close();
    // With the pack at hand its hash is known again.
    const with1 = new LibraryCatalogue(dataFolder, {
      pack: () => ({ sha256: 'abc', encoderSha256: 'def' }),
    });
    expect(with1.get(OLD.id).space()).toMatchObject({ packId: 'compact', packSha256: 'abc' });
    with1.close();
  });

  it('whose pack was changed without an import since keeps the new one, unread', () => {
    const { dataFolder, folder } = oldLibrary();
    const db = new Database(join(folder, 'library.db'));
    db.exec(
      `UPDATE library SET pack_id = 'other'; UPDATE tracks SET state = 'pending' WHERE state = 'ready'`,
    );
    db.close();
    const catalogue = new LibraryCatalogue(dataFolder, { pack: () => null });
    const library = catalogue.get(OLD.id);
    expect(library.space()).toMatchObject({ packId: 'other', windows: 'all', packSha256: '' });
    expect(library.summary().tracks).toMatchObject({ ready: 0, pending: 11 });
    catalogue.close();
  });
});

describe('a library of schema 4', () => {
  it('keeps its spaces, labels, experiments, reductions, studies, sounds and every embedding', () => {
    const { dataFolder, folder } = oldLibrary(4);
    const before = (name: string, sql: string): Row[] => rowsOf(join(folder, name), sql);
    expect(before('library.db', 'PRAGMA user_version')).toEqual([{ user_version: 4 }]);
    const tables: [name: string, sql: string][] = [
      ['library.db', 'SELECT key, pack_id, pack_sha256, windows, deformation FROM spaces ORDER BY key'],
      ['library.db', 'SELECT id, path, bytes, modified_ms, content_hash FROM tracks ORDER BY path'],
      ['library.db', 'SELECT taxonomy_id, track_id, label FROM track_labels ORDER BY track_id, position'],
      ['library.db', 'SELECT taxonomy_id, track_id, labels, derived FROM label_overrides'],
      ['library.db', 'SELECT revision, change, metrics, network FROM experiment_revisions ORDER BY revision'],
      ['library.db', 'SELECT track_id, split, labels FROM experiment_tracks ORDER BY track_id'],
      ['library.db', 'SELECT id, prototypes, labelsets FROM reductions ORDER BY id'],
      ['cache.db', 'SELECT space, track_id, vectors FROM embeddings ORDER BY space, track_id'],
      ['cache.db', 'SELECT track_id, class, probability, split, revision FROM predictions ORDER BY track_id'],
      ['cache.db', 'SELECT track_id, duration_seconds, peaks FROM peaks ORDER BY track_id'],
    ];
    const rows = tables.map(([name, sql]) => before(name, sql));
    const studies = before('library.db', 'SELECT id, full_scores FROM studies');
    const [alone] = before('library.db', 'SELECT id, full_score FROM reductions WHERE study_id IS NULL');
    expect(rows.map(({ length }) => length)).toEqual([2, 13, 14, 1, 2, 12, 3, 24, 12, 12]);

    const catalogue = new LibraryCatalogue(dataFolder);
    const library = catalogue.get(OLD_WITH_SPACES.id);
    expect(schemaVersion(library.db)).toBe(migrations.library.length);
    expect(library.listening.list()).toEqual([]);
    expect(library.summary()).toMatchObject({
      name: OLD_WITH_SPACES.name,
      tracks: { total: 13, ready: 11, failed: 1, missing: 1, pending: 0 },
    });
    expect(library.space()).toMatchObject({ packId: 'compact', windows: 'all', deformation: null });
    const [experiment] = library.experiments.list();
    expect(experiment).toMatchObject({ revision: 2, space: library.space() });
    expect(library.experiments.network(experiment?.id ?? '').prototypeCount).toBe(5);
    // What was edited before there was a history can be taken back, and made again.
    const id = experiment?.id ?? '';
    expect(library.experiments.log(id)).toMatchObject({ current: 2, undo: 1, redo: null });
    library.experiments.move(id, 'undo');
    expect(library.experiments.network(id).prototypeCount).toBe(6);
    expect(library.experiments.log(id)).toMatchObject({ current: 1, undo: null, redo: 2 });
    library.experiments.move(id, 'redo');
    // What was made alone is a study by now, beside the one that was.
    expect(library.studies.list(() => false).map(({ id }) => id)).toEqual(
      expect.arrayContaining([studies[0]?.['id'], alone?.['id']]),
    );
    expect(library.reductions.get(String(alone?.['id']))).toMatchObject({
      studyId: alone?.['id'],
      full: JSON.parse(String(alone?.['full_score'])) as unknown,
    });
    // None of these was ever read for notes of damage, or told when it was changed.
    expect(library.db.prepare('SELECT DISTINCT note, changed_ms FROM tracks').all()).toEqual([
      { note: null, changed_ms: null },
    ]);
    expect(library.db.prepare('PRAGMA foreign_key_check').all()).toEqual([]);
    catalogue.close();
    expect(tables.map(([name, sql]) => before(name, sql))).toEqual(rows);
  });

  it('works on in the engine: retrains, and scores its tracks', async () => {
    const { dataFolder } = oldLibrary(4);
    const { client } = await startTestEngine({ dataFolder });
    const libraryId = OLD_WITH_SPACES.id;
    const [experiment] = await client.call('experiments.list', { libraryId });
    const experimentId = experiment?.id ?? '';
    const { tracks } = await client.call('tracks.list', { libraryId, filter: { state: 'ready' } });
    expect(tracks).toHaveLength(11);
    const { bias, contributions, logit } = await client.call('explain.track', {
      ...{ libraryId, experimentId, trackId: tracks[0]?.id ?? '' },
    });
    expect(contributions.reduce((sum, { contribution }) => sum + contribution, bias)).toBeCloseTo(logit, 4);
    const sounds = await client.call('prototypes.list', { libraryId, experimentId });
    expect(sounds.every(({ nearest }) => nearest.length > 0)).toBe(true);
  });
});

describe('a database that cannot be opened', () => {
  it('when it is damaged names its newest backup, which opens', () => {
    const { folder } = oldLibrary();
    openLibraryDatabases(folder).close();
    const path = join(folder, 'library.db');
    const broken = readFileSync(path).fill(0xff, 4096, 4096 * 8);
    writeFileSync(path, broken);
    const [backup = ''] = readdirSync(join(folder, 'backups'));
    expect(() => openLibraryDatabases(folder)).toThrow(
      expect.objectContaining({
        code: 'database',
        hint: expect.stringContaining(join(folder, 'backups', backup)) as string,
      }) as Error,
    );
    expect(readFileSync(path)).toEqual(broken);
    copyFileSync(join(folder, 'backups', backup), path);
    const db = openLibraryDatabases(folder);
    expect(db.prepare('SELECT COUNT(*) AS n FROM tracks').get()).toEqual({ n: 13 });
    db.close();
  });

  it('when it is newer is left byte for byte, its cache too', () => {
    const { folder } = oldLibrary();
    openLibraryDatabases(folder).close();
    const db = new Database(join(folder, 'library.db'));
    db.exec('PRAGMA user_version = 99');
    db.close();
    const bytes = (): Buffer[] => ['library.db', 'cache.db'].map((name) => readFileSync(join(folder, name)));
    const before = bytes();
    expect(() => openLibraryDatabases(folder)).toThrow(
      expect.objectContaining({ code: 'database-newer' }) as Error,
    );
    expect(bytes()).toEqual(before);
  });
});

describe('something made in another space', () => {
  it('goes on in its own while that is kept, and is never held against vectors of another', async () => {
    const { dataFolder } = oldLibrary();
    const catalogue = new LibraryCatalogue(dataFolder);
    const library = catalogue.get(OLD.id);
    const own = library.space();
    const [experiment] = library.experiments.list();
    const experimentId = experiment?.id ?? '';
    const two = library.spaces.list().find(({ windows }) => windows === 2) ?? own;
    expect(two.key).not.toBe(own.key);
    const prototype = resolveVector(library, { kind: 'prototype', experimentId, index: 0 });
    const before = await nearestTo(library, prototype, { level: 'window', k: 3, metric: 'euclidean' });
    const trackId = library.embeddings.load().trackIds[0] ?? '';

    library.use(two);
    expect(library.summary().tracks).toMatchObject({ ready: 11, pending: 0 });
    expect(library.embeddings.load().count).toBe(22);
    expect(await nearestTo(library, prototype, { level: 'window', k: 3, metric: 'euclidean' })).toEqual(
      before,
    );
    expect(
      explainTrack(library, { experimentId, trackId, class: null, windowIndex: null }).scores,
    ).toHaveLength(3);

    // Its vectors are gone: those of the space in use must not stand in for them.
    library.db.prepare('DELETE FROM cache.embeddings WHERE space = ?').run([own.key]);
    const refused = expect.objectContaining({
      code: 'other-space',
      hint: expect.stringMatching(/./) as string,
    }) as Error;
    expect(() => explainTrack(library, { experimentId, trackId, class: null, windowIndex: null })).toThrow(
      refused,
    );
    await expect(
      nearestTo(library, prototype, { level: 'window', k: 3, metric: 'euclidean' }),
    ).rejects.toEqual(refused);
    expect(() => library.embeddings.madeIn(own, 'This experiment')).toThrow(/two windows|2 windows/);
    catalogue.close();
  });
});

describe('a library of every earlier schema', () => {
  it.each([1, 2, 3])('%i opens, with its tracks', (version) => {
    const folder = testFolder();
    const made = new Database(join(folder, 'library.db'));
    migrate(made, migrations.library.slice(0, version), { backup: false });
    made.exec(`INSERT INTO library (id, name, folder, pack_id, windows, is_demo, created_at, opened_at)
      VALUES ('l', 'Old', '/music', 'compact', '5', 0, '', '')`);
    for (const [id, state] of [
      ['a', 'ready'],
      ['b', 'failed'],
      ['c', 'missing'],
      ['d', 'pending'],
    ])
      made
        .prepare(
          `INSERT INTO tracks (id, path, state, title, search_text, added_at, content_hash) VALUES (?, ?, ?, '', '', '', 'h')`,
        )
        .run([id ?? '', `${id ?? ''}.wav`, state ?? '']);
    if (version >= 2)
      for (const [id, method] of [
        ['r1', 'MChen'],
        ['r2', 'MRHC'],
      ] as const)
        addReduction(made, id, method);
    made.close();
    const cache = new Database(join(folder, 'cache.db'));
    migrate(cache, migrations.cache.slice(0, version), { backup: false });
    cache.exec(
      `INSERT INTO embeddings VALUES ('a', 'sha', 'h', '5', 1, 1, 1.0, x'00000000', x'00000000', x'00000000', x'0000803f')`,
    );
    cache.close();

    const db = openLibraryDatabases(folder);
    expect(schemaVersion(db)).toBe(migrations.library.length);
    expect(db.prepare('SELECT id, file_state FROM tracks ORDER BY id').all()).toEqual([
      { id: 'a', file_state: 'present' },
      { id: 'b', file_state: 'failed' },
      { id: 'c', file_state: 'missing' },
      { id: 'd', file_state: 'present' },
    ]);
    const key = spaceKey({ encoderSha256: 'sha', windows: 5, deformation: null });
    expect(db.prepare('SELECT space FROM library').all()).toEqual([{ space: key }]);
    expect(db.prepare('SELECT space, track_id FROM cache.embeddings').all()).toEqual([
      { space: key, track_id: 'a' },
    ]);
    expect(db.prepare('PRAGMA foreign_key_check').all()).toEqual([]);
    // As schema 2 left them: without parameters, sizes and scores in the form of studies.
    const runs = db
      .prepare('SELECT id, study_id, method, seed, parameters, sizes, source FROM reductions')
      .all();
    const source = '{"kind":"library","taxonomyId":"t","level":"window"}';
    const one = { seed: 3, sizes: '[20.0]', source };
    expect(runs).toEqual(
      version < 2
        ? []
        : [
            { id: 'r1', study_id: 'r1', method: 'MChen', parameters: '{"p":25}', ...one },
            { id: 'r2', study_id: 'r2', method: 'MRHC', parameters: '{}', ...one },
          ],
    );
    const studies = db.prepare('SELECT name, request FROM studies ORDER BY id').all();
    expect(studies.map(({ name }) => name)).toEqual(version < 2 ? [] : ['Tags: MChen p 25', 'Tags: MRHC']);
    const scores = db.prepare<{ scores: string }>('SELECT scores FROM reductions').all();
    for (const row of scores)
      expect(JSON.parse(row.scores)).toEqual([
        {
          ...{ classifier: 'lpknn', k: 5, labelF1: [] },
          metrics: { hammingLoss: [0.25], exactMatch: [0.5], f1Samples: [0.75], f1Macro: [0.125] },
        },
      ]);
    db.close();
  });
});

describe('a library from before times of change', () => {
  it('opens, and does not know any yet', () => {
    const folder = testFolder();
    const made = new Database(join(folder, 'library.db'));
    migrate(made, migrations.library.slice(0, 5), { backup: false });
    made.exec(`INSERT INTO tracks (id, path, title, search_text, added_at, bytes, modified_ms, note)
      VALUES ('a', 'a.mp3', 'A', '', '', 3, 4, 'cut short')`);
    made.close();
    const db = openLibraryDatabases(folder);
    expect(schemaVersion(db)).toBe(migrations.library.length);
    expect(
      db.prepare('SELECT bytes, modified_ms, note, changed_ms, left_out, notes FROM tracks').all(),
    ).toEqual([{ bytes: 3, modified_ms: 4, note: 'cut short', changed_ms: null, left_out: 0, notes: null }]);
    db.close();
  });
});

describe('a library from before searches could be saved', () => {
  it('opens with its tracks, has none, and keeps those that are saved', () => {
    const folder = testFolder();
    const made = new Database(join(folder, 'library.db'));
    migrate(made, migrations.library.slice(0, 12), { backup: false });
    made.exec(
      `INSERT INTO tracks (id, path, title, search_text, added_at) VALUES ('a', 'a.mp3', 'A', 'a', '')`,
    );
    made.close();
    const db = openLibraryDatabases(folder);
    const searches = new SavedSearchRepository(db);
    expect(searches.list()).toEqual([]);
    const saved = searches.save('Soft', 'p<0.5');
    expect(searches.list()).toEqual([saved]);
    expect(db.prepare('SELECT id FROM tracks').all()).toEqual([{ id: 'a' }]);
    db.close();
  });
});

describe('a library from before sets', () => {
  it('opens with its tracks, has none, keeps those that are made, and they lose tracks that go', () => {
    const folder = testFolder();
    const made = new Database(join(folder, 'library.db'));
    migrate(made, migrations.library.slice(0, 14), { backup: false });
    made.exec(
      `INSERT INTO tracks (id, path, title, search_text, added_at) VALUES ('a', 'a.mp3', 'A', 'a', ''), ('b', 'b.mp3', 'B', 'b', '')`,
    );
    made.close();
    const db = openLibraryDatabases(folder);
    const sets = new TrackSetRepository(db, () => undefined);
    expect(sets.list()).toEqual([]);
    const { id } = sets.save('Soft', ['b', 'a']);
    expect(sets.tracks(id)).toEqual(['a', 'b']);
    db.prepare('DELETE FROM tracks WHERE id = ?').run(['a']);
    expect(sets.list()).toEqual([{ id, name: 'Soft', tracks: 1 }]);
    db.close();
  });
});

describe('a library from before listening tests', () => {
  it('has none, keeps those that are taken, and they go with their experiment', () => {
    const { dataFolder } = oldLibrary(4);
    const catalogue = new LibraryCatalogue(dataFolder);
    const { listening, experiments } = catalogue.get(OLD_WITH_SPACES.id);
    expect(listening.list()).toEqual([]);
    const experimentId = experiments.list()[0]?.id ?? '';
    const round = { kind: 'class' as const, index: 1, class: 'low', choices: ['low', 'mid'], answer: 'mid' };
    const test = {
      ...{ id: 'test', experimentId, revision: 2, seed: 3, rounds: [round] },
      settings: { seed: 1, steps: 4, guidance: 0, from: { origin: 'noise' as const } },
      ...{ createdAt: '2026-01-01T00:00:00Z', finishedAt: null },
    };
    listening.insert(test);
    catalogue.close();

    const again = new LibraryCatalogue(dataFolder);
    const library = again.get(OLD_WITH_SPACES.id);
    expect(library.listening.list()).toEqual([test]);
    library.experiments.remove(experimentId);
    expect(library.listening.list()).toEqual([]);
    again.close();
  });
});

describe('a library from before experiments of several views', () => {
  it('has experiments that look at one space', () => {
    const { dataFolder } = oldLibrary(4);
    const catalogue = new LibraryCatalogue(dataFolder);
    const { experiments } = catalogue.get(OLD_WITH_SPACES.id);
    const [experiment] = experiments.list();
    expect(experiment?.views).toBeNull();
    expect(experiment?.parameters.views).toBeNull();
    expect(experiments.anyNetwork(experiment?.id ?? '')).toEqual(experiments.network(experiment?.id ?? ''));
    catalogue.close();
  });
});

describe('a library from before sounds could start from recordings', () => {
  it('keeps its sounds, all of them from noise, under the names they had', () => {
    const folder = testFolder();
    const made = new Database(join(folder, 'cache.db'));
    migrate(made, migrations.cache.slice(0, 6), { backup: false });
    const key = { packSha256: 'p', vectorSha256: 'v', seed: 1, steps: 8, guidance: 0, recording: null };
    const id = sonificationId(key);
    expect(id).toBe(createHash('sha256').update('p\nv\n1\n8\n0').digest('hex').slice(0, 32));
    made
      .prepare(`INSERT INTO sonifications VALUES (?, 'p', 'v', 1, 8, 0, ?, 4, -20, 0, 0.8, '')`)
      .run([id, `${id}.wav`]);
    made.close();
    const db = openLibraryDatabases(folder);
    const sounds = new SonificationRepository(db, folder);
    mkdirSync(join(folder, 'sonifications'));
    writeFileSync(sounds.path(id), '');
    const media = new MediaTokens();
    expect(sounds.find(media, id)).toMatchObject({ id, steps: 8, from: { origin: 'noise' } });
    db.close();
  });
});

describe('a library from before maps were laid out by our own kernel', () => {
  it('forgets its maps, which are made anew, and stores new ones', () => {
    const folder = testFolder();
    const made = new Database(join(folder, 'cache.db'));
    migrate(made, migrations.cache.slice(0, 8), { backup: false });
    made.exec(`INSERT INTO projections VALUES ('m', x'0000803f', x'0000803f', '[]', 0.5, NULL, NULL)`);
    made.close();
    const db = openLibraryDatabases(folder);
    const maps = new ProjectionRepository(db);
    expect(maps.find('m')).toBeNull();
    const map = { x: Float32Array.of(1, 2), y: Float32Array.of(3, 4), prototypes: 1, trust: 0.25 };
    maps.put('m', { ...map, explained: [0.5, 0.25] });
    expect(maps.find('m')).toEqual({ ...map, explained: [0.5, 0.25] });
    db.close();
  });
});

describe('a library from before thresholds of labels', () => {
  it('predicts labels from a half on, and does not judge what was kept of several labels', () => {
    const { dataFolder, folder } = oldLibrary();
    const cache = new Database(join(folder, 'cache.db'));
    const stored = cache.prepare<{ n: number }>('SELECT count(*) AS n FROM predictions').get();
    cache.close();
    expect(stored?.n).toBeGreaterThan(0);
    const library = new LibraryCatalogue(dataFolder).get(OLD.id);
    library.db.exec(`UPDATE experiments SET parameters = json_set(parameters, '$.task', 'multi')`);
    const [experiment] = library.experiments.list();
    expect(experiment?.thresholds).toEqual(
      experiment?.classes.map(() => ({ value: 0.5, source: 'default' })),
    );
    expect(experiment?.metrics.every(({ microF1 }) => microF1 === null)).toBe(true);
    const query = trackQuerySchema.parse({ libraryId: OLD.id, experimentId: experiment?.id });
    const predictions = library.tracks.list(query).tracks.flatMap(({ prediction }) => prediction ?? []);
    expect(predictions).toHaveLength(stored?.n ?? 0);
    expect(predictions.every(({ labels, correct }) => labels === null && correct === null)).toBe(true);
    library.close();
  });
});

/** A reduction as schema 2 knew them. */
function addReduction(db: Database, id: string, method: string): void {
  const score = {
    classifier: 'LP-kNN',
    k: 5,
    hammingLoss: 0.25,
    exactMatch: 0.5,
    f1Samples: 0.75,
    f1Macro: 0.125,
  };
  const split = { train: 0.7, validation: 0, test: 0.3 };
  const request = { taxonomyId: 't', level: 'window', method, percent: 25, k: 5, seed: 3, split };
  db.prepare(
    `INSERT INTO reductions (id, taxonomy_id, taxonomy_name, pack_id, pack_sha256, request, labels, corpus_rows,
       test_rows, full_score, reduced_score, created_at, seconds, dim, prototypes, labelsets, cluster_sizes)
     VALUES (?, 't', 'Tags', 'compact', 'sha', ?, '["a"]', 10, 4, ?, ?, '2026-01-01', 1, 1, x'', x'', '[5,5]')`,
  ).run([id, JSON.stringify(request), JSON.stringify(score), JSON.stringify(score)]);
  db.prepare(`INSERT INTO reduction_tracks VALUES (?, 'a', 'train')`).run([id]);
}

describe('a library from before decisions on labels', () => {
  it('has none and no report, and keeps those made from then on', () => {
    const { dataFolder } = oldLibrary();
    const catalogue = new LibraryCatalogue(dataFolder);
    const library = catalogue.get(OLD.id);
    const [taxonomy] = library.taxonomies.list();
    const taxonomyId = taxonomy?.id ?? '';
    const trackId = library.embeddings.load().trackIds[0] ?? '';
    expect(library.mistakes.report(taxonomyId, library.space().key)).toBeNull();
    expect(library.mistakes.decisions(taxonomyId)).toEqual([]);
    library.mistakes.putFold('run', 0, Float32Array.of(0.25, 0.75));
    const asked = {
      trackId,
      topic: 'given',
      label: 'a',
      tab: 'likely-wrong',
      given: 'a',
      suggested: 'b',
    } as const;
    library.mistakes.decide(taxonomyId, {
      ...asked,
      ...{ decision: 'keep', before: ['a'], after: ['a'], report: 'run', decidedAt: '2026' },
    });
    catalogue.close();

    const again = new LibraryCatalogue(dataFolder).get(OLD.id);
    expect(again.mistakes.decisions(taxonomyId)).toMatchObject([{ ...asked, decision: 'keep' }]);
    expect(again.mistakes.fold('run', 0)).toEqual(Float32Array.of(0.25, 0.75));
    again.db.close();
  });

  it('keeps the folds of other runs that did not end, the newest few', () => {
    const { dataFolder } = oldLibrary();
    const catalogue = new LibraryCatalogue(dataFolder);
    const { mistakes, taxonomies } = catalogue.get(OLD.id);
    for (const run of ['a', 'b', 'c', 'd', 'e', 'done']) mistakes.putFold(run, 0, Float32Array.of(1));
    const taxonomyId = taxonomies.list()[0]?.id ?? '';
    mistakes.put(
      {
        ...{ id: 'report', taxonomyId, space: 's', task: 'single', folds: 2, askedFolds: 2, seed: 1 },
        ...{ groupBy: 'track', createdAt: '', seconds: 1, tracks: 0, classes: 0 },
        ...{ accuracy: null, previousAccuracy: null, problem: null },
        ...{ history: [], leftOutClasses: [], mistakes: [] },
      },
      'done',
    );
    expect(['a', 'b', 'c', 'd', 'e', 'done'].filter((run) => mistakes.fold(run, 0))).toEqual([
      'b',
      'c',
      'd',
      'e',
    ]);
    catalogue.close();
  });
});

describe('closing a library', () => {
  it('leaves whole files: a copy of each is a copy of everything', async () => {
    const { dataFolder, folder } = oldLibrary();
    const { client, engine } = await startTestEngine({ dataFolder });
    const [taxonomy] = await client.call('taxonomies.list', { libraryId: OLD.id });
    const { tracks } = await client.call('tracks.list', { libraryId: OLD.id });
    const trackId = tracks[0]?.id ?? '';
    await client.call('labels.set', {
      libraryId: OLD.id,
      taxonomyId: taxonomy?.id ?? '',
      changes: [{ trackId, labels: ['copied'] }],
    });
    await engine.close();
    const left = readdirSync(dataFolder, { recursive: true, encoding: 'utf8' });
    expect(left.filter((name) => /-(wal|shm|journal)$/.test(name))).toEqual([]);
    const copy = join(testFolder(), 'copy.db');
    copyFileSync(join(folder, 'library.db'), copy);
    expect(rowsOf(copy, `SELECT track_id FROM track_labels WHERE label = 'copied'`)).toEqual([
      { track_id: trackId },
    ]);
    expect(existsSync(join(dataFolder, 'jobs.db-wal'))).toBe(false);
    expect(readFileSync(copy).subarray(18, 20)).toEqual(Buffer.from([1, 1]));
  });
});

describe('a library from before playlists', () => {
  it('has none, and keeps those that are added', async () => {
    const { dataFolder } = oldLibrary(4);
    const catalogue = new LibraryCatalogue(dataFolder);
    const { playlists, tracks } = catalogue.get(OLD_WITH_SPACES.id);
    expect(await playlists.matched()).toEqual([]);
    const path = tracks.tagged()[0]?.path ?? '';
    const entries = [path, 'elsewhere/none.mp3'].map((location) => ({ location, artist: null, title: null }));
    playlists.add([{ name: 'Evening', format: 'm3u', path: '/lists/evening.m3u', entries }]);
    catalogue.close();

    const again = new LibraryCatalogue(dataFolder);
    const kept = await again.get(OLD_WITH_SPACES.id).playlists.matched();
    expect(kept).toMatchObject([{ name: 'Evening', entries: 2, tracks: 1, unmatched: 1 }]);
    again.close();
  });
});

describe('a library from before spaces of covers and words', () => {
  it('has none, and keeps one that is learned', () => {
    const { dataFolder } = oldLibrary(4);
    const catalogue = new LibraryCatalogue(dataFolder);
    const { sharedSpaces, spaces } = catalogue.get(OLD_WITH_SPACES.id);
    expect(sharedSpaces.list()).toEqual([]);
    const card: SharedCard = {
      ...{ classesFrom: { kind: 'artist' }, classesTitle: 'artists', classes: [{ name: 'A', tracks: 3 }] },
      settings: { dim: 2, steps: 1, scale: 10, margin: 0, seed: 1 },
      ...{ tracks: 3, groups: 1, trials: [], fits: [], withoutCover: 3, unreadCovers: [], wordsLeftOut: 0 },
      ...{ lyrics: 0, inputs: { audio: 4 }, covers: [], imageNetwork: null },
    };
    const stored = { id: 'S', title: 'Covers', space: spaces.current().key, card, createdAt: '2026-01-01' };
    sharedSpaces.insert(stored, Float32Array.from([1, 2, 3]));
    catalogue.close();

    const again = new LibraryCatalogue(dataFolder);
    const kept = again.get(OLD_WITH_SPACES.id).sharedSpaces;
    expect(kept.get('S')).toEqual({ ...stored, numbers: Float32Array.from([1, 2, 3]) });
    kept.remove('S');
    expect(() => kept.get('S')).toThrow('no such space');
    again.close();
  });
});

describe('a library from before reasons of covers', () => {
  it('says of no cover why it was not taken, until the track is read again', () => {
    const { dataFolder } = oldLibrary(4);
    const catalogue = new LibraryCatalogue(dataFolder);
    const { tracks } = catalogue.get(OLD_WITH_SPACES.id);
    const described = tracks.described();
    expect(described.length).toBeGreaterThan(0);
    expect(described.every(({ coverProblem }) => coverProblem === null)).toBe(true);
    catalogue.close();
  });
});
