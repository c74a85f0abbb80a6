import { describe, expect, it } from 'vitest';
import { exportFormats, exportFormatSchema, formatsOf } from '../../../engine/api/exports.ts';
import { testFolder } from '../../support/music.ts';
import { exported, trainedLibrary } from '../../support/trained.ts';
import { join } from 'node:path';

describe('the table of export formats', () => {
  it('describes every format of the contract once', () => {
    expect(exportFormats.map(({ id }) => id)).toEqual(exportFormatSchema.options);
    expect(new Set(exportFormats.map(({ title }) => title)).size).toBe(exportFormats.length);
    // Sounds and playlists are of tracks, which a data set file has not.
    expect(formatsOf('dataset')).toEqual(
      formatsOf('experiment').filter((id) => id !== 'wav' && id !== 'm3u8'),
    );
  });

  it('says the extensions of the files that each format writes, and each writes something', async () => {
    const lib = await trainedLibrary({ perClass: 4 });
    const subjects = {
      experiment: { kind: 'experiment' as const, experimentId: lib.experiment.id },
      tracks: { kind: 'tracks' as const, trackIds: null },
    };
    for (const { id, extensions, sources } of exportFormats) {
      const subject = sources.includes('experiment') ? subjects.experiment : subjects.tracks;
      const { files } = await exported(lib.test.client, lib.libraryId, {
        ...{ subject, folder: join(testFolder(), id), formats: [id] },
      });
      const written = files.map(({ path }) => path).filter((path) => path !== 'manifest.json');
      expect([...new Set(written.map((path) => path.split('.').at(-1)))].sort()).toEqual(
        [...extensions].sort(),
      );
    }
  }, 60_000);
});
