import { mkdirSync, readdirSync } from 'node:fs';
import { dirname, join, parse, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compactPackFolder } from '../../../models/packs/index.ts';
import { finished, importFolder, startTestEngine } from '../../support/engine.ts';
import { testFolder } from '../../support/music.ts';
import { sharedFolder } from '../../support/shared.ts';
import { trainOn } from '../../support/trained.ts';
import { noFfmpeg, versions, writeVersions } from '../../support/versions.ts';

/** Recordings of one-shots that come with the demo; other takes of some are among them. */
const samples = resolve(import.meta.dirname, '../../../node_modules/supersonic-scsynth-samples/samples');
const takes = [
  'bd_ada',
  'bd_boom',
  'bd_fat',
  'drum_snare_hard',
  'drum_snare_soft',
  'guit_e_fifths',
  'guit_e_slide',
];
const notes = sharedFolder('audio/philharmonia/bassoon');

/** A folder per recording, with the recording as WAV and its versions. */
function writeAll(recordings: readonly string[]): string {
  const folder = testFolder();
  for (const from of recordings) {
    const { name } = parse(from);
    mkdirSync(join(folder, name));
    const plain = { name: 'original', format: 'wav', steps: ['-c:a', 'pcm_s16le'] };
    writeVersions(
      from,
      [plain, ...versions].map((version, i) => ({
        version,
        to: join(folder, name, `${String(i)}.${version.format}`),
      })),
    );
  }
  return folder;
}

/** Of each version how many are in one group with their recording, and the groups that hold two recordings. */
async function lookFor(folder: string) {
  const { client } = await startTestEngine({ packFolders: [dirname(compactPackFolder())] });
  const { library } = await importFolder(client, folder);
  const libraryId = library.id;
  const source = { kind: 'folders' } as const;
  const { id: taxonomyId } = await client.call('taxonomies.create', { libraryId, source });
  const { jobId } = await client.call('mistakes.compute', { libraryId, taxonomyId, folds: 2 });
  await finished(client, jobId, 'mistakes');
  const { mistakes } = await client.call('mistakes.list', { libraryId, taxonomyId, tab: 'near-duplicates' });
  const groups = mistakes.map(({ track, others }) => [track, ...others].map(({ path }) => path));
  const wrong = groups.filter((paths) => new Set(paths.map((path) => dirname(path))).size > 1);
  const found = Object.fromEntries(
    versions.map(({ name }, v) => {
      const is = (path: string, i: number): boolean => parse(path).name === String(i);
      const own = groups.filter((paths) =>
        paths.some((path) => is(path, v + 1) && paths.includes(join(dirname(path), '0.wav'))),
      );
      return [name, own.length] as const;
    }),
  );
  return { client, libraryId, taxonomyId, groups, wrong, found };
}

const every = (count: number) => Object.fromEntries(versions.map(({ name }) => [name, count]));

describe.skipIf(noFfmpeg)('versions of a recording', { timeout: 300_000 }, () => {
  it('are found at other rates, codecs and gains, told from other takes, and kept together by splits', async () => {
    const { client, libraryId, taxonomyId, groups, wrong, found } = await lookFor(
      writeAll(takes.map((name) => join(samples, `${name}.flac`))),
    );
    expect(found).toEqual(every(takes.length));
    expect(wrong).toEqual([]);
    for (const seed of [1, 2]) {
      const { id: experimentId } = await trainOn(client, libraryId, { taxonomyId, seed, steps: 10 });
      const { tracks } = await client.call('tracks.list', {
        libraryId,
        taxonomyId,
        experimentId,
        limit: 200,
      });
      const parts = new Map(tracks.map(({ path, prediction }) => [path, prediction?.split]));
      for (const paths of groups) expect(new Set(paths.map((path) => parts.get(path))).size).toBe(1);
    }
  });

  it.skipIf(notes.missing)('are found of soft notes, which are told from each other', async () => {
    const names = readdirSync(notes.path()).sort().slice(0, 8);
    const { wrong, found } = await lookFor(writeAll(names.map((name) => notes.path(name))));
    expect(wrong).toEqual([]);
    expect(found).toEqual(every(names.length));
  });
});
