import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LabelRepository } from '../../../engine/library/labels.ts';
import { openLibraryDatabases } from '../../../engine/storage/open.ts';
import { labelsFromFolders, labelsFromTags, labelsFromTokens } from '../../../engine/taxonomies/derive.ts';
import type { TaggedTrack } from '../../../engine/library/tracks.ts';
import { importFolder, reimport, startTestEngine, tracksByPath } from '../../support/engine.ts';
import { classSound, testFolder, writeMusic, writeSound } from '../../support/music.ts';

const track = (path: string, more: Partial<TaggedTrack> = {}): TaggedTrack => ({
  id: path,
  path,
  genre: [],
  artist: null,
  album: null,
  year: null,
  key: null,
  ...more,
});

describe('labels from folders', () => {
  it('are top-level folders; tracks beside them have none', () => {
    const labels = labelsFromFolders([track('jazz/a.wav'), track('jazz/1959/b.wav'), track('c.wav')]);
    expect([...labels.values()]).toEqual([['jazz'], ['jazz'], []]);
  });
});

describe('labels from file names', () => {
  it('are words in file order without numbers; rare words only as the class', () => {
    const labels = labelsFromTokens([
      track('x/drum_snare_hard.flac'),
      track('Drum-Snare 02.flac'),
      track('loop_hard_amen_808state.flac'),
      track('123.flac'),
      track('drum_drum.v2.wav'),
    ]);
    expect([...labels.values()]).toEqual([
      ['drum', 'snare', 'hard'],
      ['drum', 'snare'],
      ['loop', 'hard'],
      [],
      ['drum'],
    ]);
  });

  it('never repeat, never are numbers, and all but the first occur twice', () => {
    const word = fc.constantFrom('a', 'B', '7', 'snare', '');
    const names = fc.array(fc.tuple(fc.array(word, { minLength: 1 }), fc.constantFrom('_', '-', ' ')));
    fc.assert(
      fc.property(names, (list) => {
        const tracks = list.map(([words, separator], i) => track(`${i}/${words.join(separator)}.wav`));
        const sets = [...labelsFromTokens(tracks).values()];
        for (const labels of sets) {
          expect(new Set(labels).size).toBe(labels.length);
          labels.forEach((label, index) => {
            expect(label).toMatch(/^\D/);
            expect(label).toBe(label.toLowerCase());
            if (index > 0)
              expect(tracks.filter((t) => t.path.toLowerCase().includes(label)).length).toBeGreaterThan(1);
          });
        }
      }),
    );
  });
});

describe('labels from tags', () => {
  it('take every value', () => {
    const tracks = [track('a', { genre: ['Rock; Pop', 'Rock'], year: 1999 }), track('b')];
    expect([...labelsFromTags(tracks, 'genre').values()]).toEqual([['Rock', 'Pop'], []]);
    expect([...labelsFromTags(tracks, 'year').values()]).toEqual([['1999'], []]);
  });
});

describe('taxonomies', () => {
  it('come from four sources, follow the library and keep what was set by hand', async () => {
    const { client } = await startTestEngine();
    const folder = writeMusic({ perClass: 2 });
    const { library } = await importFolder(client, folder);
    const libraryId = library.id;
    const csv = join(testFolder(), 'mood.csv');
    writeFileSync(csv, 'path,label\nbass_hit_0.wav,dark\nnew.wav,bright\nnobody.wav,lost\n');
    const folders = await client.call('taxonomies.create', { libraryId, source: { kind: 'folders' } });
    const tokens = await client.call('taxonomies.create', { libraryId, source: { kind: 'tokens' } });
    const mood = await client.call('taxonomies.create', { libraryId, source: { kind: 'csv', path: csv } });
    const hand = await client.call('taxonomies.create', {
      libraryId,
      source: { kind: 'hand' },
      name: 'Mine',
    });
    expect(folders).toMatchObject({ multilabel: false, labelledTracks: 6, unmatched: 0, name: 'Folders' });
    expect(folders.labels).toEqual(['bass', 'high', 'mid'].map((name) => ({ name, tracks: 2 })));
    expect(tokens.labels).toEqual([
      { name: 'hit', tracks: 3 },
      { name: 'long', tracks: 3 },
      { name: 'bass', tracks: 2 },
      { name: 'high', tracks: 2 },
      { name: 'mid', tracks: 2 },
    ]);
    expect(tokens.multilabel).toBe(true);
    expect(mood).toMatchObject({ labelledTracks: 1, unmatched: 2, name: 'mood.csv' });
    expect(hand).toMatchObject({ labelledTracks: 0, labels: [], name: 'Mine' });

    const tracks = await tracksByPath(client, libraryId);
    const first = tracks.get('bass/bass_hit_0.wav')?.id ?? '';
    const second = tracks.get('bass/bass_long_1.wav')?.id ?? '';
    const { previous } = await client.call('labels.set', {
      libraryId,
      taxonomyId: folders.id,
      changes: [
        { trackId: first, labels: ['dub', 'bass'] },
        { trackId: second, labels: [] },
      ],
    });
    expect(previous).toEqual([
      { trackId: first, labels: ['bass'] },
      { trackId: second, labels: ['bass'] },
    ]);
    writeSound(join(folder, 'high/new.wav'), classSound('high', 1, 5));
    await reimport(client, libraryId);
    const after = new Map((await client.call('taxonomies.list', { libraryId })).map((t) => [t.id, t]));
    expect(after.get(folders.id)?.labels).toEqual([
      { name: 'high', tracks: 3 },
      { name: 'mid', tracks: 2 },
      { name: 'bass', tracks: 1 },
      { name: 'dub', tracks: 1 },
    ]);
    expect(after.get(mood.id)).toMatchObject({ labelledTracks: 2, unmatched: 1 });

    // Undo gives the tracks back to their folders.
    await client.call('labels.set', { libraryId, taxonomyId: folders.id, changes: previous });
    const undone = await client.call('tracks.get', { libraryId, trackId: first, taxonomyId: folders.id });
    expect(undone.labels).toEqual(['bass']);

    await client.call('taxonomies.remove', { libraryId, taxonomyId: mood.id });
    expect(await client.call('taxonomies.list', { libraryId })).toHaveLength(3);
    await expect(
      client.call('labels.set', {
        libraryId,
        taxonomyId: mood.id,
        changes: [{ trackId: first, labels: ['x'] }],
      }),
    ).rejects.toMatchObject({ code: 'not-found' });
    await expect(
      client.call('labels.set', {
        libraryId,
        taxonomyId: hand.id,
        changes: [
          { trackId: first, labels: ['x'] },
          { trackId: 'nobody', labels: ['x'] },
        ],
      }),
    ).rejects.toMatchObject({ code: 'not-found' });
    const untouched = await client.call('tracks.get', { libraryId, trackId: first, taxonomyId: hand.id });
    expect(untouched.labels).toEqual([]);
    await expect(
      client.call('taxonomies.create', { libraryId, source: { kind: 'csv', path: '/no/such.csv' } }),
    ).rejects.toMatchObject({ code: 'unreadable' });
  });

  it('that is removed while its file is read again says so', async () => {
    const { client } = await startTestEngine();
    const { library } = await importFolder(client, writeMusic({ perClass: 1 }));
    const libraryId = library.id;
    const path = join(testFolder(), 'mood.csv');
    writeFileSync(path, 'path,label\nbass_hit_0.wav,dark\n');
    const source = { kind: 'csv', path } as const;
    const { id: taxonomyId } = await client.call('taxonomies.create', { libraryId, source });
    const refreshed = client.call('taxonomies.refresh', { libraryId, taxonomyId });
    const outcome = expect(refreshed).rejects.toMatchObject({ code: 'not-found' });
    await client.call('taxonomies.remove', { libraryId, taxonomyId });
    await outcome;
  });
});

it('labels of a track that went while they were made are left out', () => {
  const db = openLibraryDatabases(testFolder());
  db.exec(
    `INSERT INTO taxonomies (id, name, source, created_at) VALUES ('tax', 'T', '{"kind":"hand"}', '');
     INSERT INTO tracks (id, path, file_state, title, genre, search_text, added_at)
       VALUES ('there', 'a.wav', 'present', 'A', '[]', '', '')`,
  );
  const labels = new LabelRepository(db, () => undefined);
  labels.replace('tax', new Map([['there', ['a', 'b']], ['gone', ['c']]])); // prettier-ignore
  expect(labels.of('tax')).toEqual(new Map([['there', ['a', 'b']]]));
  db.close();
});
