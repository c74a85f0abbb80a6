import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Input, Output } from '../../../engine/api/contract.ts';
import { reimport, tracksByPath } from '../../support/engine.ts';
import { classSound, testFolder, writeSound } from '../../support/music.ts';
import { trainedLibrary, type TrainedLibrary } from '../../support/trained.ts';

type Request = Omit<Input<'neighbours.similar'>, 'libraryId'>;
type Answer = Output<'neighbours.similar'>;

describe('similar sounds', () => {
  let lib: TrainedLibrary;
  let ids: Map<string, string>;
  const similar = (request: Request): Promise<Answer> =>
    lib.test.client.call('neighbours.similar', { libraryId: lib.libraryId, ...request });
  const track = (path: string) => ({ kind: 'track', trackId: ids.get(path) ?? '' }) as const;
  const paths = ({ sounds }: Answer): string[] => sounds.map((sound) => sound.track.path);

  beforeAll(async () => {
    lib = await trainedLibrary();
    copyFileSync(join(lib.folder, 'bass', 'bass_hit_0.wav'), join(lib.folder, 'bass', 'again.wav'));
    await reimport(lib.test.client, lib.libraryId);
    const tracks = await tracksByPath(lib.test.client, lib.libraryId);
    ids = new Map([...tracks].map(([path, { id }]) => [path, id]));
  });

  it.each(['trained', 'standardised'] as const)(
    'come with labels and distances that rise, without what was asked for or its copies (%s)',
    async (scaling) => {
      const found = await similar({
        queries: [{ of: track('bass/bass_hit_0.wav') }],
        k: 6,
        scaling,
        taxonomyId: lib.taxonomyId,
      });
      expect(found.names).toEqual(['bass_hit_0.wav']);
      expect(found.copies).toBeGreaterThanOrEqual(1);
      expect(paths(found)).not.toContain('bass/bass_hit_0.wav');
      expect(paths(found)).not.toContain('bass/again.wav');
      expect(found.sounds).toHaveLength(6);
      expect(found.sounds.every((sound) => sound.track.labels[0] === 'bass')).toBe(true);
      const distances = found.sounds.map(({ distance }) => distance);
      expect(distances).toEqual([...distances].sort((a, b) => a - b));
      const withCopies = await similar({
        queries: [{ of: track('bass/bass_hit_0.wav') }],
        copies: true,
        scaling,
      });
      expect(withCopies.sounds[0]).toMatchObject({ track: { path: 'bass/again.wav' } });
      expect(withCopies.sounds[0]?.distance).toBeCloseTo(0, 5);
      expect(withCopies.sounds[0]?.similarity).toBeCloseTo(1, 5);
    },
  );

  it('are those of the plain search in the space as trained', async () => {
    for (const metric of ['euclidean', 'cosine'] as const) {
      const plain = await lib.test.client.call('neighbours.query', {
        libraryId: lib.libraryId,
        target: track('mid/mid_long_1.wav'),
        k: 8,
        metric,
      });
      const found = await similar({
        queries: [{ of: track('mid/mid_long_1.wav') }],
        k: 8,
        metric,
        scaling: 'trained',
        copies: true,
      });
      expect(found.sounds.map(({ track: { id }, distance }) => [id, distance])).toEqual(
        plain.map(({ trackId, distance }) => [trackId, distance]),
      );
    }
  });

  it.each(['euclidean', 'cosine'] as const)(
    'of several lie between them, nearer to the heavier (%s)',
    async (metric) => {
      const [a, b] = [track('bass/bass_long_1.wav'), track('high/high_long_1.wav')];
      const single = async (of: typeof a): Promise<Map<string, number>> => {
        const { sounds } = await similar({ queries: [{ of }], k: 100, metric, copies: true });
        return new Map(sounds.map((sound) => [sound.track.id, sound.distance]));
      };
      const [toA, toB] = [await single(a), await single(b)];
      const mixed = await similar({
        queries: [{ of: a, weight: 3 }, { of: b }],
        k: 100,
        metric,
        copies: true,
      });
      expect(mixed.sounds.length).toBe(toA.size - 1);
      for (const {
        track: { id },
        distance,
      } of mixed.sounds) {
        const [da, db] = [toA.get(id) ?? NaN, toB.get(id) ?? NaN];
        const expected = metric === 'euclidean' ? Math.sqrt((3 * da ** 2 + db ** 2) / 4) : (3 * da + db) / 4;
        expect(distance).toBeCloseTo(expected, 3);
      }
      expect(mixed.sounds[0]?.track.path).toMatch(/^bass/);
    },
  );

  it('are windows, of other tracks unless asked for', async () => {
    const of = { kind: 'window', trackId: track('mid/mid_hit_0.wav').trackId, windowIndex: 0 } as const;
    const others = await similar({ queries: [{ of }], level: 'window', k: 50 });
    expect(paths(others)).not.toContain('mid/mid_hit_0.wav');
    const all = await similar({ queries: [{ of }], level: 'window', k: 1000, sameTrack: true, copies: true });
    expect(all.sounds).toHaveLength(all.compared - 1);
    expect(all.names).toEqual(['window 1 of mid_hit_0.wav']);
  });

  it('are found of a prototype and of a file outside the library', async () => {
    const file = join(testFolder(), 'new.wav');
    writeSound(file, classSound('high', 1, 99));
    const found = await similar({ queries: [{ of: { kind: 'file', path: file } }], k: 3, copies: true });
    expect(found.names).toEqual(['new.wav']);
    expect(paths(found).map((path) => path.split('/')[0])).toEqual(['high', 'high', 'high']);
    const prototype = { kind: 'prototype', experimentId: lib.experiment.id, index: 0 } as const;
    expect(paths(await similar({ queries: [{ of: prototype }], k: 1 }))[0]).toMatch(/^bass/);
  });

  it('refuses what is not there', async () => {
    await expect(similar({ queries: [{ of: { kind: 'track', trackId: 'none' } }] })).rejects.toMatchObject({
      code: 'not-found',
    });
    await expect(
      similar({ queries: [{ of: { kind: 'file', path: '/nowhere.wav' } }] }),
    ).rejects.toMatchObject({
      code: expect.stringMatching(/unreadable|not-found|audio|missing/) as string,
    });
  });
});
