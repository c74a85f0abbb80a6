import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { Experiment } from '../../../engine/api/experiments.ts';
import { PredictionRepository } from '../../../engine/library/predictions.ts';
import { chooseClasses } from '../../../engine/experiments/classes.ts';
import { splitGroups } from '../../../models/evaluation/splits/groups.ts';
import { EngineError } from '../../../engine/api/errors.ts';
import {
  finished,
  listen,
  importFolder,
  settled,
  startTestEngine,
  type TestEngine,
} from '../../support/engine.ts';
import { writeMusic } from '../../support/music.ts';

const STEPS = 60;

async function trained(
  { client }: TestEngine,
  libraryId: string,
  request: Record<string, unknown> & { taxonomyId: string },
): Promise<Experiment> {
  const { jobId } = await client.call('experiments.train', {
    libraryId,
    request: { steps: STEPS, prototypesPerClass: 2, minimumTracks: 3, ...request },
  });
  const { experimentId } = await finished(client, jobId, 'train');
  return client.call('experiments.get', { libraryId, experimentId });
}

describe('experiments', () => {
  let test: TestEngine;
  let libraryId: string;
  let taxonomyId: string;

  beforeAll(async () => {
    test = await startTestEngine();
    const { library } = await importFolder(test.client, writeMusic({ perClass: 8 }));
    libraryId = library.id;
    const taxonomy = await test.client.call('taxonomies.create', { libraryId, source: { kind: 'folders' } });
    taxonomyId = taxonomy.id;
  });

  it('trains on folders far better than the majority, on tracks it never saw', async () => {
    const experiment = await trained(test, libraryId, { taxonomyId });
    const score = experiment.metrics.find(({ split }) => split === 'test');
    expect(experiment.classes).toEqual(['bass', 'high', 'mid']);
    expect(score?.tracks).toBe(experiment.counts.test.tracks);
    expect(score?.majorityBaseline).toBeLessThan(0.5);
    expect(score?.accuracy).toBeGreaterThan(0.8);
    const { counts } = experiment;
    expect(counts.train.tracks + counts.validation.tracks + counts.test.tracks).toBe(24);
    expect(experiment.curve.at(-1)?.step).toBe(STEPS);
    expect(experiment.curve.at(-1)?.loss).toBeLessThan(experiment.curve[0]?.loss ?? 0);
  });

  it('stores the network and what it says of the tracks, or nothing', async () => {
    const list = () => test.client.call('experiments.list', { libraryId });
    const before = await list();
    const replace = vi.spyOn(PredictionRepository.prototype, 'replace').mockImplementation(() => {
      throw new Error('the disk is full');
    });
    try {
      await expect(trained(test, libraryId, { taxonomyId, steps: 1 })).rejects.toThrow('the disk is full');
      expect(replace).toHaveBeenCalledTimes(1);
    } finally {
      replace.mockRestore();
    }
    expect(await list()).toEqual(before);
  });

  it('compares two on the tracks that both were tested on', async () => {
    const a = await trained(test, libraryId, { taxonomyId, steps: 1, prototypesPerClass: 1 });
    const b = await trained(test, libraryId, { taxonomyId });
    const compare = (first: string, second: string) =>
      test.client.call('experiments.compare', { libraryId, first, second });
    const result = await compare(a.id, b.id);
    const accuracyOf = ({ metrics }: Experiment) => metrics.find(({ split }) => split === 'test')?.accuracy;
    const [accuracy] = result.metrics;
    expect(result.tracks).toBe(a.counts.test.tracks);
    expect(accuracy?.first.value).toBeCloseTo(accuracyOf(a) ?? NaN, 12);
    expect(accuracy?.second.value).toBeCloseTo(accuracyOf(b) ?? NaN, 12);
    expect(accuracy?.difference.value).toBeCloseTo((accuracyOf(b) ?? NaN) - (accuracyOf(a) ?? NaN), 12);
    for (const { first, second, difference } of result.metrics)
      for (const { value, low, high } of [first, second, difference]) {
        expect(low).toBeLessThanOrEqual(value);
        expect(high).toBeGreaterThanOrEqual(value);
      }
    expect(result.won).toBe(result.mcnemar.onlySecond);
    expect(result.lost).toBe(result.mcnemar.onlyFirst);
    expect(result.flips).toHaveLength(result.won + result.lost);
    for (const flip of result.flips) expect(flip.won ? flip.second : flip.first).toEqual(flip.labels);
    for (const row of result.perClass) {
      const report = b.metrics.find(({ split }) => split === 'test')?.perClass;
      expect(row.second).toBeCloseTo(report?.find((known) => known.class === row.class)?.f1 ?? NaN, 12);
    }
    const named = result.parameters.map(({ name, first, second }) => `${name}: ${first} → ${second}`);
    expect(named).toEqual(expect.arrayContaining(['steps: 1 → 60', 'prototypesPerClass: 1 → 2']));
    expect(named.join()).not.toContain('lambda');

    const back = await compare(b.id, a.id);
    expect([back.won, back.lost, back.mcnemar.pValue]).toEqual([
      result.lost,
      result.won,
      result.mcnemar.pValue,
    ]);
    expect(await compare(a.id, b.id)).toEqual(result);
    await expect(compare(a.id, a.id)).rejects.toMatchObject({ code: 'bad-input' });
    const multi = await trained(test, libraryId, { taxonomyId, task: 'multi' });
    await expect(compare(a.id, multi.id)).rejects.toThrow('one class, the other several');
    for (const { id } of [a, b, multi])
      await test.client.call('experiments.remove', { libraryId, experimentId: id });
  });

  it('names, annotates and pins one, and refuses what is no name', async () => {
    const { id: experimentId, ...before } = await trained(test, libraryId, { taxonomyId, steps: 1 });
    const describe_ = (change: object) =>
      test.client.call('experiments.describe', { libraryId, experimentId, ...change });
    expect([before.notes, before.pinned]).toEqual(['', false]);
    const name = 'Drums, final';
    expect(await describe_({ name: ` ${name} `, notes: 'For\nthe talk' })).toMatchObject({
      name,
      pinned: false,
    });
    expect(await describe_({ pinned: true })).toMatchObject({ name, notes: 'For\nthe talk', pinned: true });
    const [listed] = await test.client.call('experiments.list', { libraryId });
    expect(listed).toEqual({ ...before, id: experimentId, name, notes: 'For\nthe talk', pinned: true });
    await expect(describe_({ name: '  ' })).rejects.toMatchObject({ code: 'bad-input' });
    await test.client.call('experiments.remove', { libraryId, experimentId });
    await expect(describe_({ pinned: false })).rejects.toMatchObject({ code: 'not-found' });
  });

  it('trains the settings of two again on the same splits, and keeps what came of it', async () => {
    const a = await trained(test, libraryId, { taxonomyId, steps: 1, prototypesPerClass: 1 });
    const b = await trained(test, libraryId, { taxonomyId, minimumTracks: 4 });
    const pair = { libraryId, first: a.id, second: b.id };
    const again = async (splits: number) => {
      const { jobId } = await test.client.call('experiments.compareRepeated', { ...pair, splits });
      await finished(test.client, jobId, 'compare-repeated');
      return test.client.call('experiments.repeated', pair);
    };
    expect(await test.client.call('experiments.repeated', pair)).toBeNull();
    const before = await test.client.call('experiments.list', { libraryId });
    const result = await again(3);
    expect(await test.client.call('experiments.list', { libraryId })).toEqual(before);
    expect(result?.splits.map(({ seed }) => seed)).toEqual([1, 2, 3]);
    expect(result?.classes).toEqual(a.classes);
    // The first split is the one that both were trained on.
    for (const [side, { metrics }] of [a, b].entries()) {
      const score = metrics.find(({ split }) => split === 'test');
      expect(result?.splits[0]?.tracks).toBe(score?.tracks);
      expect(result?.splits[0]?.accuracy[side]).toBeCloseTo(score?.accuracy ?? NaN, 12);
      expect(result?.splits[0]?.macroF1[side]).toBeCloseTo(score?.macroF1 ?? NaN, 12);
    }
    for (const { id, first, second, difference } of result?.metrics ?? []) {
      const of = (side: 0 | 1) => (result?.splits ?? []).reduce((sum, row) => sum + row[id][side], 0) / 3;
      expect([first.mean, second.mean]).toEqual([
        expect.closeTo(of(0), 12) as number,
        expect.closeTo(of(1), 12) as number,
      ]);
      expect(difference.mean).toBeCloseTo(second.mean - first.mean, 12);
      expect(difference.low).toBeLessThanOrEqual(difference.mean);
      expect(difference.high).toBeGreaterThanOrEqual(difference.mean);
    }
    const figures = ({ splits, metrics }: NonNullable<typeof result>) => ({ splits, metrics });
    expect(result && figures(result)).toEqual(await again(3).then((found) => found && figures(found)));
    const turned = { libraryId, first: b.id, second: a.id };
    expect((await test.client.call('experiments.repeated', turned))?.splits).toEqual(result?.splits);

    const { jobId } = await test.client.call('experiments.compareRepeated', { ...pair, splits: 50 });
    await test.client.call('jobs.cancel', { jobId });
    expect(await settled(test.client, jobId)).toMatchObject({ state: 'cancelled' });
    expect((await test.client.call('experiments.repeated', pair))?.splits).toHaveLength(3);

    const multi = await trained(test, libraryId, { taxonomyId, task: 'multi', steps: 1 });
    await expect(
      test.client.call('experiments.compareRepeated', { ...pair, second: multi.id }),
    ).rejects.toThrow('different tasks');
    const noTest = await trained(test, libraryId, {
      ...{ taxonomyId, steps: 1 },
      split: { train: 0.8, validation: 0.2, test: 0 },
    });
    await expect(
      test.client.call('experiments.compareRepeated', { ...pair, first: noTest.id }),
    ).rejects.toThrow('without a test part');
    for (const { id } of [a, b, multi, noTest])
      await test.client.call('experiments.remove', { libraryId, experimentId: id });
    expect(await test.client.call('experiments.repeated', pair)).toBeNull();
  });

  it('predicts every track at once, so that the table shows it', async () => {
    const experiment = await trained(test, libraryId, { taxonomyId });
    const { tracks } = await test.client.call('tracks.list', {
      libraryId,
      taxonomyId,
      experimentId: experiment.id,
    });
    expect(tracks).toHaveLength(24);
    const inTest = tracks.filter(({ prediction }) => prediction?.split === 'test');
    const right = inTest.filter(({ prediction }) => prediction?.correct === true);
    expect(inTest).toHaveLength(experiment.counts.test.tracks);
    const accuracy = experiment.metrics.find(({ split }) => split === 'test')?.accuracy ?? 0;
    expect(right.length / inTest.length).toBeCloseTo(accuracy, 9);
  });

  it('gives the same metrics for the same seed, and another split for another', async () => {
    const first = await trained(test, libraryId, { taxonomyId, seed: 5 });
    const second = await trained(test, libraryId, { taxonomyId, seed: 5 });
    const other = await trained(test, libraryId, { taxonomyId, seed: 6 });
    expect(second.metrics).toEqual(first.metrics);
    expect(second.curve).toEqual(first.curve);
    expect(other.curve).not.toEqual(first.curve);
    const prototypes = async (experimentId: string) =>
      (await test.client.call('prototypes.list', { libraryId, experimentId })).map(
        ({ weights, support, nearest }) => ({ weights, support, distances: nearest.map((n) => n.distance) }),
      );
    expect(await prototypes(second.id)).toEqual(await prototypes(first.id));
  });

  it('tells training progress and the change of the library', async () => {
    const heard = listen(test.client);
    const { jobId } = await test.client.call('experiments.train', {
      libraryId,
      request: { taxonomyId, steps: STEPS, prototypesPerClass: 1, minimumTracks: 3 },
    });
    await finished(test.client, jobId, 'train');
    const events = await heard();
    const points = events.filter((event) => event.type === 'train-progress');
    expect(points.length).toBeGreaterThan(5);
    expect(points.every((event) => event.jobId === jobId)).toBe(true);
    expect(events).toContainEqual({ type: 'library-changed', libraryId, what: 'experiments' });
    expect(events).toContainEqual({ type: 'library-changed', libraryId, what: 'predictions' });
  });

  it('trains a multilabel task on file-name tokens', async () => {
    const tokens = await test.client.call('taxonomies.create', { libraryId, source: { kind: 'tokens' } });
    const experiment = await trained(test, libraryId, { taxonomyId: tokens.id, task: 'multi' });
    expect(experiment.classes).toEqual(['bass', 'high', 'hit', 'long', 'mid']);
    const score = experiment.metrics.find(({ split }) => split === 'test');
    expect(score?.confusion).toEqual([]);
    expect(score?.hammingLoss).toBeGreaterThanOrEqual(0);
    expect(score?.hammingLoss).toBeLessThan(0.5);
    const bass = score?.perClass.find((row) => row.class === 'bass');
    expect(bass?.f1).toBeGreaterThan(0.6);
  });

  it('refuses a taxonomy with too few labels, with numbers and a way out', async () => {
    const { jobId } = await test.client.call('experiments.train', {
      libraryId,
      request: { taxonomyId, minimumTracks: 50 },
    });
    const job = await settled(test.client, jobId);
    expect(job.state).toBe('failed');
    expect(job.error?.code).toBe('too-few-labels');
    expect(job.error?.message).toContain('50');
    expect(job.error?.message).toContain('bass: 8');
    expect(job.error?.hint).not.toBe('');
  });

  it('answers a taxonomy or experiment that is not there at once', async () => {
    const nowhere = { taxonomyId: 'none' };
    await expect(
      test.client.call('experiments.train', { libraryId, request: nowhere }),
    ).rejects.toMatchObject({ code: 'not-found' });
    await expect(
      test.client.call('experiments.get', { libraryId, experimentId: 'none' }),
    ).rejects.toMatchObject({ code: 'not-found' });
  });

  it('cancels while it trains, and leaves nothing behind', async () => {
    const before = await test.client.call('experiments.list', { libraryId });
    const { jobId } = await test.client.call('experiments.train', {
      libraryId,
      request: { taxonomyId, steps: 20_000, minimumTracks: 3 },
    });
    for (;;) {
      const { progress } = await test.client.call('jobs.get', { jobId });
      if (progress.done > 0) break;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await test.client.call('jobs.cancel', { jobId });
    expect((await settled(test.client, jobId)).state).toBe('cancelled');
    expect(await test.client.call('experiments.list', { libraryId })).toHaveLength(before.length);
  });

  it('keeps experiments when the engine restarts, and forgets removed ones', async () => {
    const experiment = await trained(test, libraryId, { taxonomyId });
    test = await test.restart();
    expect(await test.client.call('experiments.get', { libraryId, experimentId: experiment.id })).toEqual(
      experiment,
    );
    await test.client.call('experiments.remove', { libraryId, experimentId: experiment.id });
    await expect(
      test.client.call('experiments.get', { libraryId, experimentId: experiment.id }),
    ).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('chooseClasses', () => {
  const labelsets = new Map([
    ['a', ['x', 'y']],
    ['b', ['x']],
    ['c', ['y', 'z']],
    ['d', ['y']],
    ['e', []],
  ]);

  it('takes the first label of a single-label task, and drops small classes', () => {
    const choice = chooseClasses(['a', 'b', 'c', 'd', 'e'], labelsets, { task: 'single', minimumTracks: 2 });
    expect(choice.classes).toEqual(['x', 'y']);
    expect(choice.droppedClasses).toEqual([]);
    expect(choice.tracks).toEqual([
      { id: 'a', labels: [0] },
      { id: 'b', labels: [0] },
      { id: 'c', labels: [1] },
      { id: 'd', labels: [1] },
    ]);
  });

  it('takes all labels of a multilabel task', () => {
    const choice = chooseClasses(['a', 'b', 'c', 'd'], labelsets, { task: 'multi', minimumTracks: 2 });
    expect(choice.classes).toEqual(['x', 'y']);
    expect(choice.droppedClasses).toEqual(['z']);
    expect(choice.tracks[0]).toEqual({ id: 'a', labels: [0, 1] });
  });

  it('needs two classes', () => {
    expect(() => chooseClasses(['a', 'b'], labelsets, { task: 'single', minimumTracks: 2 })).toThrow(
      EngineError,
    );
    expect(() => chooseClasses(['e'], labelsets, { task: 'single', minimumTracks: 1 })).toThrow(/No track/);
    expect(() => chooseClasses(['a'], labelsets, { task: 'single', minimumTracks: 1 })).toThrow(
      'at least 1 labelled track that is ready',
    );
  });

  it('takes the classes that are named only, and the others as one class or not at all', () => {
    const sets = new Map([
      ['a', ['bass']],
      ['b', ['bass']],
      ['c', ['mid', 'bass']],
      ['d', ['high']],
      ['e', []],
    ]);
    const choose = (more: object) =>
      chooseClasses([...sets.keys()], sets, { task: 'single', minimumTracks: 1, ...more });
    const rest = choose({ classes: ['bass'], others: 'one-class' });
    expect(rest.classes).toEqual(['bass', 'not bass']);
    expect(rest.tracks.map(({ id, labels }) => [id, labels[0]])).toEqual([
      ['a', 0],
      ['b', 0],
      ['c', 1],
      ['d', 1],
    ]);
    const two = choose({ classes: ['bass', 'high'] });
    expect(two.classes).toEqual(['bass', 'high']);
    expect(two.tracks.map(({ id }) => id)).toEqual(['a', 'b', 'd']);
    expect(() => choose({ classes: ['bass'] })).toThrow('Only one class');
    expect(() => choose({ classes: ['bass'], others: 'one-class', task: 'multi' })).toThrow('anyway');
  });
});

describe('splitGroups', () => {
  it('keeps copies together that are known to be of one recording, through other copies too', () => {
    const facts = (id: string, more: { contentHash?: string; copies?: string }) => ({
      ...{ id, path: id, artist: null, album: null, contentHash: null },
      ...more,
    });
    const groups = splitGroups(
      [
        facts('a', { copies: 'one' }),
        facts('b', { copies: 'one', contentHash: 'x' }),
        facts('c', { contentHash: 'x' }),
        facts('d', {}),
      ],
      'track',
    );
    expect([...groups.values()]).toEqual(['a', 'a', 'a', 'd']);
  });

  const track = (id: string, path: string, more: { artist?: string; contentHash?: string } = {}) => ({
    id,
    path,
    artist: more.artist ?? null,
    album: null,
    contentHash: more.contentHash ?? id,
  });

  it('keeps copies of a recording together, whatever is asked for', () => {
    const groups = splitGroups(
      [
        track('1', 'a.wav', { contentHash: 'h' }),
        track('2', 'b.wav', { contentHash: 'h' }),
        track('3', 'c.wav'),
      ],
      'track',
    );
    expect(groups.get('1')).toBe('a.wav');
    expect(groups.get('2')).toBe('a.wav');
    expect(groups.get('3')).toBe('c.wav');
  });

  it('joins groups that a copy connects, and tells nothing apart by case', () => {
    const groups = splitGroups(
      [
        track('1', 'a.wav', { artist: 'Ada', contentHash: 'h' }),
        track('2', 'b.wav', { artist: 'Bea', contentHash: 'h' }),
        track('3', 'c.wav', { artist: 'bea ' }),
        track('4', 'd.wav'),
      ],
      'artist',
    );
    expect(new Set(['1', '2', '3'].map((id) => groups.get(id)))).toEqual(new Set(['a.wav']));
    expect(groups.get('4')).toBe('d.wav');
  });
});
