import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Input } from '../../../engine/api/contract.ts';
import type { Experiment } from '../../../engine/api/experiments.ts';
import { readNpz } from '../../../models/tensors/index.ts';
import { finished } from '../../support/engine.ts';
import { testFolder } from '../../support/music.ts';
import { exported, trainedLibrary, trainOn, type TrainedLibrary } from '../../support/trained.ts';

describe("an experiment trained APNet's way", () => {
  let lib: TrainedLibrary;
  let at: { libraryId: string; experimentId: string };
  let experiment: Experiment;

  beforeAll(async () => {
    lib = await trainedLibrary({ perClass: 6 });
    experiment = await trainOn(lib.test.client, lib.libraryId, {
      ...{ taxonomyId: lib.taxonomyId, prototypeLoss: 'two-sided', coverage: 0.4, channelWeights: 'learned' },
    });
    at = { libraryId: lib.libraryId, experimentId: experiment.id };
  });

  it('says what it was trained with, and that is what differs from one that was not', async () => {
    expect(experiment.parameters).toMatchObject({
      ...{ prototypeLoss: 'two-sided', coverage: 0.4, channelWeights: 'learned' },
    });
    const { parameters } = await lib.test.client.call('experiments.compare', {
      libraryId: lib.libraryId,
      first: lib.experiment.id,
      second: experiment.id,
    });
    expect(parameters.map(({ name }) => name).sort()).toEqual([
      'channelWeights',
      'coverage',
      'prototypeLoss',
    ]);
  });

  it('explains by contributions that add up, of edits that do what their preview says and are undone', async () => {
    const { client } = lib.test;
    const { tracks } = await client.call('tracks.list', at);
    const track = tracks[0]?.id ?? '';
    const why = () => client.call('explain.track', { ...at, trackId: track, class: null, windowIndex: null });
    const first = await why();
    const sum = first.contributions.reduce((total, { contribution }) => total + contribution, first.bias);
    expect(sum).toBeCloseTo(first.logit, 5);
    const vector = { kind: 'window', trackId: track, windowIndex: 0 } as const;
    const edits: Input<'prototypes.edit'>['edit'][] = [
      { kind: 'move', index: 3, vector },
      { kind: 'add', class: 'mid', vector },
      { kind: 'merge', indices: [0, 1] },
    ];
    for (const edit of edits) {
      const before = await why();
      const preview = await client.call('prototypes.preview', { ...at, edit });
      const after = await client.call('prototypes.edit', { ...at, edit });
      const validation = after.metrics.find(({ split }) => split === preview.split);
      expect(preview.accuracy.after).toBeCloseTo(validation?.accuracy ?? NaN, 6);
      const now = await why();
      const parts = now.contributions.reduce((total, { contribution }) => total + contribution, now.bias);
      expect(parts).toBeCloseTo(now.logit, 5);
      await client.call('prototypes.undo', at);
      expect(await why()).toEqual(before);
    }
  });

  it('is retrained around frozen prototypes, and exported with the weights', async () => {
    const { client } = lib.test;
    const { jobId } = await client.call('prototypes.retrain', { ...at, freeze: [0], steps: 10 });
    await finished(client, jobId, 'retrain');
    const { folder: path } = await exported(client, lib.libraryId, {
      ...{ subject: { kind: 'experiment', experimentId: at.experimentId }, formats: ['npz'] },
      folder: join(testFolder(), 'apnet'),
    });
    const weights = readNpz(readFileSync(join(path, 'prototypes.npz'))).get('channel_weights');
    const [k, dim] = weights?.shape ?? [];
    expect(k).toBe(6);
    const values = [...((weights?.data ?? []) as Float32Array)];
    expect(values.every((value) => value >= 0)).toBe(true);
    expect(values.slice(0, dim).reduce((a, b) => a + b, 0)).toBeCloseTo(dim ?? 0, 2);
    expect(new Set(values).size).toBeGreaterThan(6);
  });
});
