import { join } from 'node:path';
import { rmSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Input } from '../../../engine/api/contract.ts';
import type { Experiment } from '../../../engine/api/experiments.ts';
import { EngineError } from '../../../engine/api/errors.ts';
import { viewed } from '../../../engine/experiments/viewed-tracks.ts';
import {
  finished,
  importFolder,
  reimport,
  startTestEngine,
  tracksByPath,
  type TestEngine,
} from '../../support/engine.ts';
import { classSound, testFolder, writeMusic, writeSound } from '../../support/music.ts';
import { writeTinyPack } from '../../support/tiny-pack.ts';
import { trainOn } from '../../support/trained.ts';

type Views = NonNullable<Input<'experiments.train'>['request']['views']>;

/** A library in two spaces: one track is in the first only, one in the second only. */
describe('an experiment of several views', () => {
  let test: TestEngine;
  let folder: string;
  let libraryId: string;
  let taxonomyId: string;
  let experiment: Experiment;

  beforeAll(async () => {
    const packs = testFolder();
    await writeTinyPack(join(packs, 'compact'), { seed: 1, id: 'compact' });
    await writeTinyPack(join(packs, 'other'), { seed: 2, id: 'other' });
    test = await startTestEngine({ packFolders: [packs] });
    folder = writeMusic({ perClass: 8 });
    const { client } = test;
    // One window of a track each: a space that is not of all windows.
    await importFolder(client, folder, { windows: 1 });
    await importFolder(client, folder, { windows: 'all' });
    await importFolder(client, folder, { packId: 'other' });
    writeSound(join(folder, 'bass/bass_late_9.wav'), classSound('bass', 1.6, 77));
    const { library } = await importFolder(client, folder, { packId: 'other' });
    libraryId = library.id;
    ({ id: taxonomyId } = await client.call('taxonomies.create', { libraryId, source: { kind: 'folders' } }));
    experiment = await train({});
  });

  /** The whole space of `compact`: it has two. */
  async function whole(): Promise<string> {
    const spaces = await test.client.call('libraries.spaces', { libraryId });
    return spaces.find(({ packId, windows }) => packId === 'compact' && windows === 'all')?.key ?? '';
  }

  async function train(change: Partial<Views>, more: object = {}): Promise<Experiment> {
    const views = { spaces: [await whole(), 'other'], ...change };
    return trainOn(test.client, libraryId, { taxonomyId, views, ...more });
  }

  async function refusal(change: Partial<Views>, more: object = {}): Promise<EngineError> {
    const failed: unknown = await train(change, more).then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(failed).toBeInstanceOf(EngineError);
    const error = failed as EngineError;
    expect(error.hint).not.toBe('');
    return error;
  }

  it('learns, scores each view and all together, and keeps its spaces', () => {
    const { views, metrics, space } = experiment;
    expect(views?.views.map(({ space: own }) => own.packId)).toEqual(['compact', 'other']);
    expect(space.key).toBe(views?.views[0]?.space.key);
    expect(metrics.map(({ split }) => split)).toEqual(['test', 'validation', 'train']);
    expect(metrics[0]?.accuracy).toBeGreaterThan(0.8);
    for (const { accuracy, prototypes } of views?.views ?? []) {
      expect(accuracy.test).toBeGreaterThanOrEqual(0);
      expect(prototypes).toBe(6);
    }
    expect(views?.blend.at(-1)?.step).toBe(60);
    for (const { weights } of views?.blend ?? [])
      expect(weights.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 9);
    expect(views?.notes).toEqual([]);
    // Files that came after the first pack: not learned from, but listed.
    expect(views?.lacking).toMatchObject({
      tracks: 1,
      listed: [{ path: 'bass/bass_late_9.wav', views: [0] }],
    });
  });

  it('is trained to the same network by the same seed', async () => {
    const again = await train({});
    expect(again.metrics).toEqual(experiment.metrics);
    expect(again.views?.blend).toEqual(experiment.views?.blend);
    await test.client.call('experiments.remove', { libraryId, experimentId: again.id });
    const listed = await test.client.call('experiments.list', { libraryId });
    expect(listed.map(({ id }) => id)).toEqual([experiment.id]);
  });

  it('says why by view and by prototype, also of one window and of a track that lacks a view', async () => {
    const tracks = await tracksByPath(test.client, libraryId);
    for (const [path, windowIndex] of [
      ['high/high_hit_0.wav', null],
      ['high/high_hit_0.wav', 1],
      ['bass/bass_late_9.wav', null],
    ] as const) {
      const trackId = tracks.get(path)?.id ?? '';
      const why = await test.client.call('explain.track', {
        ...{ libraryId, experimentId: experiment.id, trackId, windowIndex },
      });
      const late = path.includes('late');
      const sum = why.contributions.reduce((total, { contribution }) => total + contribution, why.bias);
      expect(Math.abs(sum - why.logit)).toBeLessThan(1e-5);
      const byView = (why.views ?? []).reduce(
        (total, { contribution }) => total + (contribution ?? 0),
        why.bias,
      );
      expect(Math.abs(byView - why.logit)).toBeLessThan(1e-5);
      expect(why.views?.map(({ packId, alone }) => [packId, alone === null])).toEqual([
        ['compact', late],
        ['other', false],
      ]);
      expect(why.views?.filter(({ decides }) => decides)).toHaveLength(1);
      expect(why.contributions).toHaveLength(late ? 6 : 12);
      if (windowIndex === null) expect(tracks.get(path)?.id).toBe(why.trackId);
    }
    const windows = await test.client.call('classify.windows', {
      ...{ libraryId, experimentId: experiment.id },
      trackId: tracks.get('mid/mid_hit_0.wav')?.id ?? '',
    });
    expect(windows.startSeconds).toHaveLength(windows.prediction.length);
  });

  it('classifies a file outside as it classifies the track', async () => {
    const path = join(folder, 'mid/mid_hit_0.wav');
    const { jobId } = await test.client.call('classify.files', {
      ...{ libraryId, experimentId: experiment.id, paths: [path] },
    });
    const { files } = await finished(test.client, jobId, 'classify');
    const trackId = (await tracksByPath(test.client, libraryId)).get('mid/mid_hit_0.wav')?.id ?? '';
    const why = await test.client.call('explain.track', { libraryId, experimentId: experiment.id, trackId });
    expect(files[0]?.prediction).toBe(why.class);
    expect(files[0]?.scores[0]?.logit).toBeCloseTo(why.logit, 4);
    expect(files[0]?.contributions).toHaveLength(12);
  });

  it('has neighbours of a prototype in the space of its view', async () => {
    const found = await test.client.call('neighbours.query', {
      ...{ libraryId, level: 'window', k: 3, metric: 'euclidean' },
      target: { kind: 'prototype', experimentId: experiment.id, index: 7 },
    });
    expect(found.length).toBeGreaterThan(0);
  });

  it('refuses in a sentence what takes one space', async () => {
    const failing = test.client.call('prototypes.compare', {
      libraryId,
      first: { experimentId: experiment.id },
      second: { experimentId: experiment.id },
    });
    await expect(failing).rejects.toMatchObject({ code: 'several-views' });
    await expect(failing).rejects.toThrow(/looks at 2 views together/);
  });

  it('refuses views that cannot be looked at together', async () => {
    const full = await whole();
    const spaces = await test.client.call('libraries.spaces', { libraryId });
    const single = spaces.find(({ windows }) => windows === 1)?.key ?? '';
    const cases: [Partial<Views>, object, string, RegExp][] = [
      [{ spaces: ['other'] }, {}, 'bad-input', /One view alone/],
      [{ spaces: [full, 'other', full] }, {}, 'bad-input', /named twice/],
      [{ spaces: ['compact', 'other'] }, {}, 'bad-input', /has 2 spaces of “compact”/],
      [{ spaces: [single, 'other'] }, {}, 'bad-input', /other windows/],
      [{ spaces: [full, 'mfcc'] }, {}, 'not-found', /embedded in “mfcc”; it has/],
      [{}, { adaptor: 'transformer' }, 'bad-input', /no adaptor/],
      [{}, { split: { train: 0.8, validation: 0.2, test: 0 } }, 'bad-input', /test part has no share/],
    ];
    for (const [change, more, code, message] of cases) {
      const error = await refusal(change, more);
      expect([error.code, error.message]).toEqual([code, expect.stringMatching(message)]);
    }
  });

  it('names classes that no validation track is of, and trains on two classes', async () => {
    rmSync(join(folder, 'high'), { recursive: true });
    writeSound(join(folder, 'high/high_hit_0.wav'), classSound('high', 1.6, 2000));
    writeSound(join(folder, 'high/high_long_1.wav'), classSound('high', 1.6, 2001));
    for (const packId of ['compact', 'other']) {
      await test.client.call('libraries.open', { folder, packId });
      await reimport(test.client, libraryId);
    }
    await test.client.call('taxonomies.refresh', { libraryId, taxonomyId }).catch(() => null);
    const rare = await train({}, { minimumTracks: 1 });
    expect(rare.views?.notes.join()).toMatch(/No validation track is of “high”/);
    const two = await train({ weighting: 'p2', head: 'blended' }, { minimumTracks: 4 });
    expect(two.classes).toEqual(['bass', 'mid']);
    expect(two.metrics[0]?.split).toBe('test');
  });
});

describe('windows of several views', () => {
  const windows = (starts: number[], seconds: number, vectors: number[]) => ({
    count: starts.length,
    vectors: Float32Array.from(vectors),
    windowIndex: Int32Array.from(starts.keys()),
    startSeconds: Float32Array.from(starts),
    durationSeconds: new Float32Array(starts.length).fill(seconds),
  });

  it('are those of the first view a track has, each with the nearest of the others', () => {
    const short = windows([0, 2.5, 4], 2, [1, 2, 3]);
    const long = windows([0, 3], 3, [10, 11, 20, 21]);
    expect(viewed('a', [short, long]).vectors[1]).toEqual(Float32Array.from([10, 11, 20, 21, 20, 21]));
    const lacking = viewed('a', [null, long]);
    expect(lacking.vectors[0]).toBeNull();
    expect(lacking.count).toBe(2);
  });
});
