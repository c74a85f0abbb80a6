import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { EngineClient } from '../../../engine/api/contract.ts';
import { Random } from '../../../models/numerics/random.ts';
import { finished, importFolder, startTestEngine } from '../../support/engine.ts';
import { classSound, testFolder, tinyPacks, writeMusic, writeSound } from '../../support/music.ts';

const settings = { dim: 8, leastSteps: 60, epochs: 1 };

let client: EngineClient;
let libraryId: string;
let music: string;

beforeAll(async () => {
  ({ client } = await startTestEngine({ packFolders: [await tinyPacks(), testFolder()] }));
  music = writeMusic({ perClass: 52, seconds: 0.5 });
  libraryId = (await importFolder(client, music)).library.id;
});

/** Each playlist keeps to one timbre. */
function writeLists(folder: string, count: number): void {
  const random = new Random(4);
  const names = ['bass', 'mid', 'high'];
  for (let i = 0; i < count; i++) {
    const name = names[i % 3] ?? '';
    const files = random
      .shuffle(Array.from({ length: 52 }, (_, n) => n))
      .slice(0, 40)
      .map((n) => join(music, name, `${name}_${n % 2 === 0 ? 'hit' : 'long'}_${n}.wav`));
    writeFileSync(join(folder, `${i}.m3u8`), `${files.join('\n')}\n`);
  }
}

describe('a similarity', () => {
  it('is refused for too few playlists or tracks, with their numbers', async () => {
    const some = testFolder();
    writeLists(some, 9);
    const none = await client.call('similarity.readiness', { libraryId });
    expect(none.problem?.hint).toMatch(/Add playlists/);
    await client.call('playlists.add', { libraryId, paths: [some] });
    const { playlists, tracks } = await client.call('similarity.readiness', { libraryId });
    expect(playlists).toBe(9);
    await expect(client.call('similarity.learn', { libraryId, settings })).rejects.toMatchObject({
      code: 'too-few-labels',
      message: expect.stringContaining(`There are 9 playlists`) as string,
    });
    expect(tracks).toBeGreaterThan(120);
  });

  it('is learned, measured, and a space as every other: neighbours, map, networks, new tracks; and back', async () => {
    const lists = testFolder();
    writeLists(lists, 15);
    await client.call('playlists.add', { libraryId, paths: [lists] });
    const before = await client.call('libraries.get', { libraryId });
    const started = await client.call('similarity.learn', { libraryId, settings, title: 'Mine' });
    const result = await finished(client, started.jobId, 'learn-similarity');
    expect(result).toMatchObject({ title: 'Mine', tracks: 156, used: true });
    const [space] = await client.call('similarity.list', { libraryId });
    expect(space).toMatchObject({ packId: result.packId, title: 'Mine', inUse: true });
    expect(space?.parent.packId).toBe('compact');
    const { all, otherArtists } = result.assessment;
    expect(space?.assessment).toEqual(result.assessment);
    expect(otherArtists).toBeNull();
    // Timbres lie apart in the tiny pack already: there is little to learn, and much above chance to keep.
    expect(all.methods.learned.ndcg.value).toBeGreaterThan(2 * all.chance.ndcg);

    const library = await client.call('libraries.get', { libraryId });
    expect(library).toMatchObject({ packId: result.packId, tracks: { ready: 156, pending: 0 } });
    const { tracks } = await client.call('tracks.list', { libraryId, limit: 500 });
    const bass = tracks.find(({ path }) => path === 'bass/bass_hit_0.wav');
    const similar = await client.call('neighbours.similar', {
      libraryId,
      queries: [{ of: { kind: 'track', trackId: bass?.id ?? '' } }],
    });
    expect(similar.compared).toBe(156);
    expect(similar.sounds.every(({ track }) => track.path.startsWith('bass/'))).toBe(true);
    let mapped = 0;
    for await (const event of client.stream('projection.compute', { libraryId, method: 'pca' }))
      if (event.type === 'result') mapped = event.projection.x.length;
    expect(mapped).toBe(156);
    const taxonomy = await client.call('taxonomies.create', { libraryId, source: { kind: 'folders' } });
    const training = await client.call('experiments.train', {
      libraryId,
      request: { taxonomyId: taxonomy.id, steps: 30, prototypesPerClass: 1 },
    });
    const { experimentId } = await finished(client, training.jobId, 'train');
    const experiment = await client.call('experiments.get', { libraryId, experimentId });
    expect(experiment.space.packId).toBe(result.packId);

    // The same once more is the same pack; nothing is switched under a job that waits.
    const again = await client.call('similarity.learn', { libraryId, settings, title: 'Mine' });
    const waiting = await client.call('experiments.train', {
      libraryId,
      request: { taxonomyId: taxonomy.id, steps: 5, prototypesPerClass: 1 },
    });
    const same = await finished(client, again.jobId, 'learn-similarity');
    expect(same).toMatchObject({ packId: result.packId, used: false });
    await finished(client, waiting.jobId, 'train');

    // A track that is imported in the learned space lies where the projection of its embedding lies.
    writeSound(join(music, 'bass', 'new.wav'), classSound('bass', 0.5, 9999));
    await importFolder(client, music);
    const vectorOf = async (name: string): Promise<Float32Array> => {
      const rows = await client.call('tracks.list', { libraryId, limit: 500 });
      const found = rows.tracks.find(({ path }) => path === name);
      const near = await client.call('neighbours.similar', {
        libraryId,
        queries: [{ of: { kind: 'track', trackId: found?.id ?? '' } }],
        scaling: 'trained',
        k: 5,
      });
      return Float32Array.from(near.sounds, ({ distance }) => distance);
    };
    const through = await vectorOf('bass/new.wav');
    await client.call('similarity.use', { libraryId, packId: null });
    expect((await client.call('libraries.get', { libraryId })).packId).toBe(before.packId);
    await importFolder(client, music);
    writeSound(join(music, 'bass', 'newer.wav'), classSound('bass', 0.5, 9999));
    await importFolder(client, music);
    // A copy of it that was imported in the other space is projected when the space is switched.
    const used = await client.call('similarity.use', { libraryId, packId: result.packId });
    expect(used.tracks).toBe(158);
    const derived = await vectorOf('bass/newer.wav');
    derived.forEach((value, i) => expect(value).toBeCloseTo(through[i] ?? NaN, 4));

    await client.call('similarity.remove', { libraryId, packId: result.packId });
    expect((await client.call('libraries.get', { libraryId })).packId).toBe('compact');
    expect(await client.call('similarity.list', { libraryId })).toEqual([]);
  });

  it('can be cancelled, and leaves nothing', async () => {
    const { jobId } = await client.call('similarity.learn', { libraryId, settings: { leastSteps: 50_000 } });
    await client.call('jobs.cancel', { jobId });
    await expect(finished(client, jobId)).rejects.toMatchObject({ code: 'cancelled' });
    expect(await client.call('similarity.list', { libraryId })).toEqual([]);
  });
});
