import { copyFileSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { join } from 'node:path';
import { finished, listen, settled, startTestEngine, importFolder } from '../../support/engine.ts';
import { testFolder, writeMusic } from '../../support/music.ts';
import { writeTinyPack } from '../../support/tiny-pack.ts';
import { audibleGainDb } from '../../../engine/sonify/measures.ts';
import { rmsDbfs as referenceLevel } from '../../support/sound.ts';
import { readWav } from '../../support/wav.ts';
import type { VectorRef } from '../../../engine/api/neighbours.ts';
import type { Input } from '../../../engine/api/contract.ts';
import type { SoundOrigin } from '../../../engine/api/sonify.ts';
import { exported, trainedLibrary, type TrainedLibrary } from '../../support/trained.ts';

describe('sonification', () => {
  let lib: TrainedLibrary;

  beforeAll(async () => {
    lib = await trainedLibrary({ perClass: 5 });
  });

  const sonify = async (options: { seed?: number; steps?: number; guidance?: number } = {}) => {
    const { jobId } = await lib.test.client.call('sonify.start', {
      libraryId: lib.libraryId,
      targets: [{ kind: 'prototype', experimentId: lib.experiment.id, index: 0 }],
      ...options,
    });
    const { sonifications } = await finished(lib.test.client, jobId, 'sonify');
    const sonification = sonifications[0]?.sonification;
    const path = lib.test.engine.media.resolve(sonification?.url.split('/').at(-1) ?? '')?.path;
    if (!sonification || path === undefined) throw new Error('no sound');
    return { sonification, path };
  };

  it('is called after what it makes audible', async () => {
    const { client } = lib.test;
    const { experiment, libraryId } = lib;
    const prototype = (index: number) => ({ kind: 'prototype', experimentId: experiment.id, index }) as const;
    const { tracks } = await client.call('tracks.list', { libraryId, limit: 2 });
    const window = { kind: 'window', trackId: tracks[1]?.id ?? '', windowIndex: 1 } as const;
    const titleOf = async (...targets: (ReturnType<typeof prototype> | typeof window)[]) => {
      const { jobId } = await client.call('sonify.start', { libraryId, targets, steps: 1 });
      await settled(client, jobId);
      return (await client.call('jobs.get', { jobId })).title;
    };
    expect(await titleOf(prototype(1))).toMatch(/^Sonify \w+ #2$/);
    expect(await titleOf(prototype(0), prototype(1))).toBe(`Sonify 2 prototypes of ${experiment.name}`);
    expect(await titleOf(window, window)).toBe('Sonify 2 windows');
    expect(await titleOf(window, prototype(0))).toBe('Sonify 2 vectors');
    expect(await titleOf(window)).toBe(
      `Sonify window 2 of ${(tracks[1]?.path ?? '').split('/').at(-1) ?? ''}`,
    );
  });

  it('writes a WAV file whose level and cycle cosine are as told', async () => {
    const { sonification, path } = await sonify();
    const { samples, sampleRate } = readWav(readFileSync(path));
    expect(samples.length / sampleRate).toBeCloseTo(sonification.durationSeconds, 6);
    expect(samples.every(Number.isFinite)).toBe(true);
    expect(sonification.rmsDbfs).toBeCloseTo(referenceLevel(samples), 1);
    expect(sonification.rmsDbfs).toBeGreaterThan(-120);
    expect(sonification.gainDb).toBeGreaterThanOrEqual(0);
    expect(Math.abs(sonification.cycleCosine)).toBeLessThanOrEqual(1);
  });

  it('takes the same sound from the cache, and makes it again bit by bit when it was deleted', async () => {
    const first = await sonify({ seed: 3 });
    const bytes = readFileSync(first.path);
    const made = statSync(first.path).mtimeMs;
    const second = await sonify({ seed: 3 });
    expect(second).toEqual(first);
    expect(statSync(second.path).mtimeMs).toBe(made);
    rmSync(first.path);
    const third = await sonify({ seed: 3 });
    expect(third.path).toBe(first.path);
    expect(readFileSync(third.path).equals(bytes)).toBe(true);
  });

  it('makes another sound for another seed, number of steps or guidance', async () => {
    const sounds = [
      await sonify({ seed: 1 }),
      await sonify({ seed: 2 }),
      await sonify({ seed: 1, steps: 3 }),
    ];
    sounds.push(await sonify({ seed: 1, guidance: 0 }));
    const contents = sounds.map(({ path }) => readFileSync(path).toString('latin1'));
    expect(new Set(contents).size).toBe(4);
  });

  it('is shown with the prototype it was made from', async () => {
    const { sonification } = await sonify();
    const [prototype] = await lib.test.client.call('prototypes.list', {
      libraryId: lib.libraryId,
      experimentId: lib.experiment.id,
    });
    expect(prototype?.sonification).toMatchObject({
      steps: sonification.steps,
      guidance: sonification.guidance,
    });
  });

  it('sonifies the line between two prototypes, whose ends are theirs', async () => {
    const { client } = lib.test;
    const { libraryId } = lib;
    const experimentId = lib.experiment.id;
    const between = (share: number) => ({ kind: 'between', experimentId, from: 0, to: 3, share }) as const;
    const prototype = (index: number) => ({ kind: 'prototype', experimentId, index }) as const;
    const ofTargets = async (targets: VectorRef[]) => {
      const { jobId } = await client.call('sonify.start', { libraryId, targets });
      const { sonifications } = await finished(client, jobId, 'sonify');
      const { title } = await client.call('jobs.get', { jobId });
      return { title, ids: sonifications.map(({ sonification }) => sonification.id) };
    };
    const [first, last] = (await ofTargets([prototype(0), prototype(3)])).ids;
    const { ids, title } = await ofTargets([0, 0.5, 1].map(between));
    expect([ids[0], ids[2]]).toEqual([first, last]);
    expect(new Set(ids).size).toBe(3);
    expect(title).toMatch(/^Sonify 3 points between \w+ #1 and \w+ #4$/);
    // The middle is as far from one end as from the other.
    const nearest = await client.call('neighbours.query', { libraryId, target: between(0.5), k: 1 });
    expect(nearest).toHaveLength(1);
    await expect(
      client.call('neighbours.query', { libraryId, target: { ...between(0.5), to: 99 } }),
    ).rejects.toMatchObject({ code: 'not-found' });
  });

  it('can start such a sound from a recording of either class', async () => {
    const { client } = lib.test;
    const target = { kind: 'between', experimentId: lib.experiment.id, from: 0, to: 3, share: 0.5 } as const;
    const { jobId } = await client.call('sonify.start', {
      ...{ libraryId: lib.libraryId, targets: [target] },
      from: { origin: 'recording' },
    });
    const { sonifications } = await finished(client, jobId, 'sonify');
    expect(sonifications[0]?.sonification.from).toMatchObject({ origin: 'recording' });
  });

  it('draws a sound and a window of a recording', async () => {
    const { client } = lib.test;
    const { libraryId } = lib;
    const { sonification } = await sonify();
    const { tracks } = await client.call('tracks.list', { libraryId, limit: 1 });
    const trackId = tracks[0]?.id ?? '';
    const picture = (of: Input<'sonify.picture'>['of']) => client.call('sonify.picture', { libraryId, of });
    const sound = await picture({ kind: 'sound', soundId: sonification.id });
    expect(sound.durationSeconds).toBeCloseTo(sonification.durationSeconds, 2);
    const window = await picture({ kind: 'window', trackId, windowIndex: 0 });
    expect(window.levels).toHaveLength(window.bands * window.frames);
    expect(Math.max(...window.levels)).toBe(1);
    expect(Math.min(...window.levels)).toBeGreaterThanOrEqual(0);
    await expect(picture({ kind: 'sound', soundId: 'f'.repeat(32) })).rejects.toMatchObject({
      code: 'not-found',
    });
    await expect(picture({ kind: 'window', trackId, windowIndex: 999 })).rejects.toMatchObject({
      code: 'not-found',
    });
  });

  it('sonifies tracks and windows too', async () => {
    const { client } = lib.test;
    const { tracks } = await client.call('tracks.list', { libraryId: lib.libraryId });
    const trackId = tracks[0]?.id ?? '';
    const { jobId } = await client.call('sonify.start', {
      libraryId: lib.libraryId,
      targets: [
        { kind: 'track', trackId },
        { kind: 'window', trackId, windowIndex: 1 },
      ],
    });
    const { sonifications } = await finished(client, jobId, 'sonify');
    expect(new Set(sonifications.map(({ sonification }) => sonification.id)).size).toBe(2);
    const job = await client.call('jobs.get', { jobId });
    expect(job.progress.done).toBe(job.progress.total);
    expect(job.progress.unit).toBe('steps');
  });

  describe('from several draws', () => {
    const heard = async (targets: 1 | 2) => {
      const packs = testFolder();
      await writeTinyPack(join(packs, 'compact'), { seed: 1, id: 'compact', candidates: 6 });
      const test = await startTestEngine({ packFolders: [packs] });
      const { library } = await importFolder(test.client, writeMusic({ perClass: 1 }));
      const { tracks } = await test.client.call('tracks.list', { libraryId: library.id });
      const told = listen(test.client);
      const { jobId } = await test.client.call('sonify.start', {
        libraryId: library.id,
        targets: tracks.slice(0, targets).map(({ id }) => ({ kind: 'track' as const, trackId: id })),
      });
      const { sonifications } = await finished(test.client, jobId, 'sonify');
      const fileOf = (url: string) => test.engine.media.resolve(url.split('/').at(-1) ?? '')?.path ?? '';
      const [made] = sonifications;
      if (!made) throw new Error('no sound');
      return {
        events: await told(),
        made,
        bytes: readFileSync(fileOf(made.sonification.url)),
        fileOf,
        jobId,
      };
    };

    it('tells the first draw before the best one is there, which is the same bytes as without', async () => {
      const { events, made, bytes, fileOf, jobId } = await heard(1);
      const firsts = events.filter((event) => event.type === 'first-sound');
      expect(firsts).toMatchObject([{ target: made.target, soundId: made.sonification.id }]);
      const end = events.findIndex(
        (event) => event.type === 'job' && event.job.id === jobId && event.job.state === 'done',
      );
      const [first] = firsts;
      if (!first) throw new Error('nothing was told');
      expect(events.indexOf(first)).toBeLessThan(end);
      expect(first.sonification.id).not.toBe(made.sonification.id);
      expect(first.sonification.cycleCosine).toBeLessThanOrEqual(made.sonification.cycleCosine);
      const { samples, sampleRate } = readWav(readFileSync(fileOf(first.sonification.url)));
      expect(samples.length / sampleRate).toBeCloseTo(first.sonification.durationSeconds, 6);
      expect(referenceLevel(samples)).toBeCloseTo(first.sonification.rmsDbfs, 1);

      // Two are work: nobody waits for the first draw of the first.
      const silent = await heard(2);
      expect(silent.events.filter((event) => event.type === 'first-sound')).toEqual([]);
      expect(silent.made.sonification.seed).toBe(made.sonification.seed);
      expect(silent.bytes.equals(bytes)).toBe(true);
    });
  });

  describe('from a recording', () => {
    const recording = (share: number) => ({ origin: 'recording', share }) as const;
    const fromOf = async (target: VectorRef, from: SoundOrigin) => {
      const { client, engine } = lib.test;
      const { jobId } = await client.call('sonify.start', {
        libraryId: lib.libraryId,
        targets: [target],
        from,
      });
      const { sonifications } = await finished(client, jobId, 'sonify');
      const sonification = sonifications[0]?.sonification;
      if (!sonification) throw new Error('no sound');
      const path = engine.media.resolve(sonification.url.split('/').at(-1) ?? '')?.path ?? '';
      return { sonification, bytes: readFileSync(path), path };
    };
    const prototype = (index: number): VectorRef => ({
      kind: 'prototype',
      experimentId: lib.experiment.id,
      index,
    });

    it('starts from the nearest one of its class, the same each time, and says which', async () => {
      const noise = await fromOf(prototype(0), { origin: 'noise' });
      expect(noise.sonification.from).toEqual({ origin: 'noise' });
      const first = await fromOf(prototype(0), recording(0.3));
      const { from } = first.sonification;
      if (from.origin !== 'recording') throw new Error('from noise');
      expect(from.share).toBe(0.3);
      // The folders are the classes.
      const list = await lib.test.client.call('prototypes.list', {
        libraryId: lib.libraryId,
        experimentId: lib.experiment.id,
      });
      expect(from.recording.path.split('/')[0]).toBe(list[0]?.class);
      const nearest = list[0]?.nearest.find(({ path }) => path.split('/')[0] === list[0]?.class);
      expect(from.recording.trackId).toBe(nearest?.trackId);
      rmSync(first.path);
      const again = await fromOf(prototype(0), recording(0.3));
      expect(again.bytes.equals(first.bytes)).toBe(true);
      const other = await fromOf(prototype(0), recording(0.6));
      const ids = [noise, first, other].map(({ sonification }) => sonification.id);
      expect(new Set(ids).size).toBe(3);
      expect(first.bytes.equals(other.bytes) || first.bytes.equals(noise.bytes)).toBe(false);
    });

    it('starts a window from itself', async () => {
      const { tracks } = await lib.test.client.call('tracks.list', { libraryId: lib.libraryId, limit: 1 });
      const trackId = tracks[0]?.id ?? '';
      const made = await fromOf({ kind: 'window', trackId, windowIndex: 1 }, recording(0.3));
      expect(made.sonification.from).toMatchObject({ recording: { trackId, windowIndex: 1 } });
    });

    it('is said in an export, file by file, without what differs between installations', async () => {
      const folder = join(testFolder(), 'bundle');
      await exported(lib.test.client, lib.libraryId, {
        subject: { kind: 'experiment', experimentId: lib.experiment.id },
        folder,
        formats: ['wav'],
        soundsFrom: recording(0.3),
      });
      const { audio } = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as {
        audio: { from: { recordings: { file: string; path: string }[] } };
      };
      expect(audio.from).toMatchObject({ origin: 'recording', share: 0.3 });
      expect(audio.from.recordings).toHaveLength(6);
      for (const { file, path, ...more } of audio.from.recordings) {
        expect(statSync(join(folder, file)).size).toBeGreaterThan(1000);
        expect(statSync(join(lib.folder, path)).isFile()).toBe(true);
        expect(Object.keys(more)).toEqual(['windowIndex', 'startSeconds']);
      }
    });

    it('says which file vanished or changed, and that noise needs none', async () => {
      const test = await startTestEngine();
      const folder = writeMusic({ perClass: 1 });
      const { library } = await importFolder(test.client, folder);
      const { tracks } = await test.client.call('tracks.list', { libraryId: library.id });
      const [track, other] = tracks;
      if (!track || !other) throw new Error('no tracks');
      const failure = async () => {
        const { jobId } = await test.client.call('sonify.start', {
          libraryId: library.id,
          targets: [{ kind: 'track', trackId: track.id }],
          from: recording(0.5),
        });
        return (await settled(test.client, jobId)).error;
      };
      const path = join(folder, track.path);
      rmSync(path);
      const gone = await failure();
      expect(gone?.code).toBe('unreadable');
      expect(gone?.message).toContain(track.path);
      expect(gone?.hint).toContain('from noise');
      copyFileSync(join(folder, other.path), path);
      const changed = await failure();
      expect(changed?.message).toContain('not what it was');
      expect(changed?.hint).toContain('Import');
      writeFileSync(path, 'no sound');
      expect((await failure())?.message).toContain('cannot be read');
      // Once the library knows that it is gone, it has nothing of that track to start from.
      rmSync(path);
      await importFolder(test.client, folder);
      expect((await failure())?.code).toBe('not-found');
    });
  });

  it('cancels between steps', async () => {
    const { client } = lib.test;
    const { jobId } = await client.call('sonify.start', {
      libraryId: lib.libraryId,
      targets: [{ kind: 'prototype', experimentId: lib.experiment.id, index: 1 }],
      steps: 1000,
      seed: 99,
    });
    for (;;) {
      const { state } = await client.call('jobs.get', { jobId });
      if (state === 'running') break;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await client.call('jobs.cancel', { jobId });
    expect((await settled(client, jobId)).state).toBe('cancelled');
  });

  it('says that an embedding-only pack cannot make sound', async () => {
    const packs = testFolder();
    await writeTinyPack(join(packs, 'compact'), { seed: 1, id: 'compact', kind: 'embedding-only' });
    const test = await startTestEngine({ packFolders: [packs] });
    const { library } = await importFolder(test.client, writeMusic({ perClass: 1 }));
    const { tracks } = await test.client.call('tracks.list', { libraryId: library.id });
    const { jobId } = await test.client.call('sonify.start', {
      libraryId: library.id,
      targets: [{ kind: 'track', trackId: tracks[0]?.id ?? '' }],
    });
    const job = await settled(test.client, jobId);
    expect(job.error?.code).toBe('pack');
    expect(job.error?.hint).not.toBe('');
  });
});

describe('audibleGainDb', () => {
  const tone = (amplitude: number): Float32Array =>
    Float32Array.from({ length: 4800 }, (_, i) => amplitude * Math.sin(i / 5));

  it('leaves loud sounds and silence alone', () => {
    expect(audibleGainDb(tone(0.5))).toBe(0);
    expect(audibleGainDb(new Float32Array(100))).toBe(0);
  });

  it('raises a quiet sound to -26 dBFS', () => {
    const quiet = tone(0.001);
    const gain = audibleGainDb(quiet);
    expect(referenceLevel(quiet) + gain).toBeCloseTo(-26, 1);
  });

  it('never lets a peak clip, nor raises noise by more than 40 dB', () => {
    const click = new Float32Array(48_000);
    click[0] = 0.5;
    expect(0.5 * 10 ** (audibleGainDb(click) / 20)).toBeCloseTo(0.89, 3);
    expect(audibleGainDb(tone(1e-5))).toBe(40);
  });
});
