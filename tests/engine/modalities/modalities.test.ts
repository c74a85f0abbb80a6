import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { EngineClient } from '../../../engine/api/contract.ts';
import type { SharedSpace } from '../../../engine/api/modalities.ts';
import { TINY } from '../../support/tiny-pack.ts';
import { writeAlbums } from '../../support/albums.ts';
import { finished, importFolder, settled, startTestEngine } from '../../support/engine.ts';
import { imageGraph, writeImageNetwork } from '../../support/image-network.ts';
import { testFolder, tinyPacks } from '../../support/music.ts';

const settings = { dim: 8, steps: 80 };
const timeout = 300_000;
const classes = { kind: 'artist' } as const;

let client: EngineClient;
let libraryId: string;
let music: string;

async function learn(): Promise<SharedSpace> {
  const { jobId } = await client.call('modalities.learn', { libraryId, classes, settings });
  const { sharedId } = await finished(client, jobId, 'learn-modalities');
  const found = (await client.call('modalities.list', { libraryId })).find(({ id }) => id === sharedId);
  if (!found) throw new Error('what was learned is not listed');
  return found;
}

beforeAll(async () => {
  ({ client } = await startTestEngine({ packFolders: [await tinyPacks(), testFolder()] }));
  music = testFolder();
  writeAlbums(music, { artists: 24, seconds: 0.6, sampleRate: TINY.sampleRate });
  // Of some albums one has a cover that is none, and one a cover that is cut off.
  const cover = (artist: string, name: string): string => join(music, artist, 'Album 1', name);
  writeFileSync(cover('Artist 03', 'cover.png'), 'no picture');
  writeFileSync(
    cover('Artist 04', 'cover.png'),
    readFileSync(cover('Artist 04', 'cover.png')).subarray(0, 300),
  );
  // One is a picture with 5 MiB behind it, more than covers may have.
  const heavy = readFileSync(cover('Artist 07', 'cover.png'));
  writeFileSync(cover('Artist 07', 'cover.png'), Buffer.concat([heavy, Buffer.alloc(5 * 2 ** 20)]));
  // And one says that it is as large as nobody draws it.
  const large = readFileSync(cover('Artist 06', 'cover.png'));
  large.writeUInt32BE(6000, 16);
  large.writeUInt32BE(5000, 20);
  writeFileSync(cover('Artist 06', 'cover.png'), large);
  libraryId = (await importFolder(client, music)).library.id;
});

describe('a space of sound, covers and words', () => {
  it('is refused for too few classes, with how many are needed', async () => {
    const { taxonomy } = {
      taxonomy: await client.call('taxonomies.create', { libraryId, source: { kind: 'folders' } }),
    };
    expect(await client.call('modalities.readiness', { libraryId, classes })).toMatchObject({
      ...{ classes: 24, tracks: 96, groups: 24, covers: 46, problem: null },
      withoutCover: {
        tracks: 4,
        examples: [
          { path: 'Artist 03/Album 1/01.wav', reason: expect.stringContaining('is no JPEG') as string },
          { path: 'Artist 03/Album 1/02.wav' },
          { path: 'Artist 07/Album 1/01.wav', reason: expect.stringContaining('has 5.0 MiB') as string },
          { path: 'Artist 07/Album 1/02.wav' },
        ],
      },
    });
    // Two albums of an artist are two groups.
    const few = { kind: 'taxonomy', taxonomyId: taxonomy.id } as const;
    const { problem } = await client.call('modalities.readiness', { libraryId, classes: few });
    expect(problem?.message).toMatch(/There are no classes of .* of 3 different albums.*at least 3/);
    await expect(client.call('modalities.learn', { libraryId, classes: few })).rejects.toMatchObject({
      code: 'too-few-labels',
    });
    await expect(
      client.call('modalities.learn', { libraryId, classes: { kind: 'taxonomy', taxonomyId: 'none' } }),
    ).rejects.toMatchObject({ code: 'not-found' });
  });

  it(
    'looks at covers by a network that somebody brought, and refuses another in its place',
    { timeout },
    async () => {
      const path = join(testFolder(), 'pictures.onnx');
      writeFileSync(path, imageGraph(1));
      const ask = { libraryId, classes, settings, imageNetwork: path };
      const refused = async (): Promise<unknown> => {
        const { jobId } = await client.call('modalities.learn', ask);
        return (await settled(client, jobId)).error;
      };
      expect(await refused()).toMatchObject({
        code: 'pack',
        message: expect.stringMatching(/pictures\.json/) as string,
      });
      writeImageNetwork(path);
      const { jobId } = await client.call('modalities.learn', ask);
      const { sharedId } = await finished(client, jobId, 'learn-modalities');
      const space = (await client.call('modalities.list', { libraryId })).find(({ id }) => id === sharedId);
      expect(space).toMatchObject({ imageNetwork: { name: 'Random pixels', path }, covers: 44, steps: 80 });
      const tells = space?.trials.find(({ a, b }) => a === 'audio' && b === 'cover');
      expect(tells?.usable).toBe(true);
      const by = { kind: 'cover', path: join(music, 'Artist 05', 'Album 1', 'cover.png') } as const;
      const found = await client.call('modalities.find', { libraryId, sharedId, by, k: 5 });
      expect(found.tracks).toHaveLength(5);
      writeFileSync(path, imageGraph(2));
      await expect(client.call('modalities.find', { libraryId, sharedId, by })).rejects.toThrow(
        /another network than the one/,
      );
      await client.call('modalities.remove', { libraryId, sharedId });
    },
  );

  it('is learned, measured against its control, and found by covers and words', { timeout }, async () => {
    const space = await learn();
    expect(space).toMatchObject({
      ...{ classes: 24, tracks: 96, groups: 24, covers: 44, lyrics: 96, current: true },
      ...{ modalities: ['audio', 'cover', 'words'], classesTitle: 'artists', withoutCover: 4 },
    });
    expect(space.unreadCovers).toMatchObject([
      { path: 'Artist 03/Album 1/01.wav', reason: expect.stringContaining('is no JPEG') as string },
      { path: 'Artist 03/Album 1/02.wav' },
      {
        path: 'Artist 07/Album 1/01.wav',
        reason: expect.stringContaining('covers of up to 4 MiB') as string,
      },
      { path: 'Artist 07/Album 1/02.wav' },
      { path: 'Artist 04/Album 1/01.wav', reason: expect.stringContaining('Its cover is damaged') as string },
      {
        path: 'Artist 06/Album 1/01.wav',
        reason: expect.stringContaining('Its cover has 6000 × 5000 pixels') as string,
      },
    ]);
    // The artist's name stands in lyrics and albums, and is the class.
    expect(space.wordsLeftOut).toBeGreaterThan(96);
    expect(space.trials).toHaveLength(6);
    const across = space.trials.filter(({ a, b }) => a === 'audio' && b !== 'audio');
    for (const { eer, control, usable } of across) {
      expect(eer.low).toBeLessThanOrEqual(eer.value);
      expect(eer.value).toBeLessThan(0.35);
      expect(control.value).toBeGreaterThan(0.3);
      expect(usable).toBe(true);
    }
    const by = { kind: 'cover', path: join(music, 'Artist 01', 'Album 1', 'cover.png') } as const;
    const low = await client.call('modalities.find', { libraryId, sharedId: space.id, by, k: 8 });
    expect(low.compared).toBe(96);
    const words = { kind: 'words', text: 'needle, SPARK & ice' } as const;
    const high = await client.call('modalities.find', { libraryId, sharedId: space.id, by: words, k: 8 });
    // A dark artist's cover finds darker sounds than the words of the brightest.
    const mean = ({ tracks }: typeof low): number =>
      tracks.reduce((sum, { artist }) => sum + Number(artist?.slice(-2)), 0) / tracks.length;
    expect(mean(low)).toBeLessThan(mean(high) - 4);
    expect(high.classes).toHaveLength(10);

    const own = await client.call('modalities.classes', { libraryId, sharedId: space.id });
    expect(own).toHaveLength(24);
    expect(own[0]).toMatchObject({ name: 'Artist 00', tracks: 4 });
    expect(own.filter(({ covers }) => covers.some((cover) => cover.own)).length).toBeGreaterThan(12);
    const fits = await client.call('modalities.covers', { libraryId, sharedId: space.id });
    expect(fits).toHaveLength(44);
    expect(fits.map(({ z }) => z)).toEqual(fits.map(({ z }) => z).sort((a, b) => a - b));
  });

  it('says what is wrong with a picture or with words that are looked for', async () => {
    const [space] = await client.call('modalities.list', { libraryId });
    const find = (by: Parameters<typeof client.call<'modalities.find'>>[1]['by']) =>
      client.call('modalities.find', { libraryId, sharedId: space?.id ?? '', by });
    const folder = testFolder();
    const [text, gone] = [join(folder, 'text.png'), join(folder, 'gone.png')];
    writeFileSync(text, 'This is no picture, whatever it is called.');
    copyFileSync(join(music, 'Artist 05', 'Album 1', 'cover.png'), join(folder, 'wide.png'));
    const wide = readFileSync(join(folder, 'wide.png'));
    wide.writeUInt32BE(20_000, 16);
    writeFileSync(join(folder, 'wide.png'), wide);
    await expect(find({ kind: 'cover', path: text })).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringContaining('is no picture') as string,
    });
    await expect(find({ kind: 'cover', path: gone })).rejects.toMatchObject({ code: 'not-found' });
    await expect(find({ kind: 'cover', path: join(folder, 'wide.png') })).rejects.toMatchObject({
      message: expect.stringContaining('20000 × 96') as string,
    });
    await expect(find({ kind: 'words', text: '!?' })).rejects.toMatchObject({ code: 'bad-input' });
    const { tracks } = await client.call('tracks.list', { libraryId, limit: 100 });
    const without = tracks.find(({ path }) => path === 'Artist 03/Album 1/01.wav');
    await expect(find({ kind: 'track-cover', trackId: without?.id ?? '' })).rejects.toMatchObject({
      code: 'not-found',
    });
  });

  it(
    'hides its searches where covers and words have nothing to do with the sound, is forgotten, and can be given up',
    { timeout },
    async () => {
      const loose = testFolder();
      writeAlbums(loose, { artists: 21, seconds: 0.5, sampleRate: TINY.sampleRate, tied: false, seed: 5 });
      libraryId = (await importFolder(client, loose)).library.id;
      const space = await learn();
      const across = space.trials.find(({ a, b }) => a === 'audio' && b === 'cover');
      expect(across).toMatchObject({ usable: false });
      await expect(
        client.call('modalities.find', {
          libraryId,
          sharedId: space.id,
          by: { kind: 'cover', path: join(loose, 'Artist 01', 'Album 1', 'cover.png') },
        }),
      ).rejects.toMatchObject({
        code: 'training',
        message: expect.stringMatching(/cannot tell .* errs in \d+ %/) as string,
      });
      await expect(client.call('modalities.covers', { libraryId, sharedId: space.id })).rejects.toMatchObject(
        {
          code: 'training',
        },
      );
      const { jobId } = await client.call('modalities.learn', {
        libraryId,
        classes,
        settings: { steps: 20_000 },
      });
      await client.call('jobs.cancel', { jobId });
      expect((await settled(client, jobId)).state).toBe('cancelled');
      expect(await client.call('modalities.list', { libraryId })).toHaveLength(1);
      await client.call('modalities.remove', { libraryId, sharedId: space.id });
      await expect(
        client.call('modalities.classes', { libraryId, sharedId: space.id }),
      ).rejects.toMatchObject({
        code: 'not-found',
      });
    },
  );
});
