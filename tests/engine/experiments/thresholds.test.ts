import { beforeAll, describe, expect, it } from 'vitest';
import type { Experiment } from '../../../engine/api/experiments.ts';
import type { TrackRow } from '../../../engine/api/tracks.ts';
import { metricNames, headline } from '../../../engine/api/metric-names.ts';
import { finished, importFolder, startTestEngine, type TestEngine } from '../../support/engine.ts';
import { writeMusic } from '../../support/music.ts';

describe('thresholds of several labels', () => {
  let test: TestEngine;
  let libraryId: string;
  let taxonomyId: string;
  let experiment: Experiment;
  const rows = async (filter = {}): Promise<TrackRow[]> => {
    const scope = { libraryId, taxonomyId, experimentId: experiment.id };
    return (await test.client.call('tracks.list', { ...scope, filter })).tracks;
  };

  beforeAll(async () => {
    test = await startTestEngine();
    const { library } = await importFolder(test.client, writeMusic({ perClass: 12 }));
    libraryId = library.id;
    const tokens = await test.client.call('taxonomies.create', { libraryId, source: { kind: 'tokens' } });
    taxonomyId = tokens.id;
    const { jobId } = await test.client.call('experiments.train', {
      libraryId,
      request: {
        ...{ taxonomyId, task: 'multi', steps: 40, prototypesPerClass: 1, minimumTracks: 3 },
        split: { train: 0.4, validation: 0.4, test: 0.2 },
      },
    });
    const { experimentId } = await finished(test.client, jobId, 'train');
    experiment = await test.client.call('experiments.get', { libraryId, experimentId });
  });

  it('are chosen on validation, and decide which labels are predicted', async () => {
    const { thresholds, classes } = experiment;
    expect(thresholds).toHaveLength(classes.length);
    expect(thresholds?.map(({ source }) => source)).toContain('validation');
    for (const { prediction } of await rows()) {
      for (const { label, probability } of prediction?.labels ?? [])
        expect(probability).toBeGreaterThanOrEqual(thresholds?.[classes.indexOf(label)]?.value ?? 1);
      const shown = prediction?.labels?.map(({ probability }) => probability) ?? [];
      expect(shown).toEqual([...shown].sort((a, b) => b - a));
      expect(prediction?.second?.probability).toBeLessThanOrEqual(prediction?.probability ?? 0);
    }
  });

  it('missing and extra labels, errors and exact match say the same', async () => {
    const all = await rows();
    const judged = all.filter(({ prediction }) => prediction?.correct !== null);
    for (const { labels, prediction } of judged) {
      const answers = prediction?.labels?.map(({ label }) => label) ?? [];
      const truth = labels.filter((label) => experiment.classes.includes(label));
      expect(prediction?.missing).toEqual(truth.filter((label) => !answers.includes(label)));
      expect(prediction?.extra).toEqual(answers.filter((label) => !truth.includes(label)));
    }
    const wrong = all.filter(({ prediction }) => prediction?.correct === false).map(({ id }) => id);
    expect((await rows({ errorsOnly: true })).map(({ id }) => id)).toEqual(wrong);
    const test = judged.filter(({ prediction }) => prediction?.split === 'test');
    const exact = test.filter(({ prediction }) => prediction?.correct).length / test.length;
    expect(exact).toBeCloseTo(experiment.metrics.find(({ split }) => split === 'test')?.accuracy ?? NaN, 9);
    const label = experiment.classes[0] ?? '';
    const bearers = all.filter(({ prediction }) =>
      prediction?.labels?.some((found) => found.label === label),
    );
    expect((await rows({ predicted: label })).map(({ id }) => id)).toEqual(bearers.map(({ id }) => id));
  });

  it('the curve and the headline are of one metric', () => {
    const best = headline(experiment);
    expect(best?.name.title).toBe('Micro F1');
    expect(best?.value).toBe(best?.test.microF1);
    const last = experiment.curve.at(-1);
    expect(last?.validationMicroF1).toBeGreaterThan(0);
    expect(last?.trainMicroF1).toBeGreaterThan(0);
    expect(metricNames.multi.map(({ title }) => title)).not.toContain('Accuracy');
  });

  it('are edited as data: everything is scored anew, and undo brings back what was', async () => {
    const before = experiment;
    const rowsBefore = await rows();
    const name = before.classes[0] ?? '';
    const change = { libraryId, experimentId: before.id, class: name, value: 0.999 };
    experiment = await test.client.call('experiments.setThreshold', change);
    expect(experiment.revision).toBe(before.revision + 1);
    expect(experiment.thresholds?.[0]).toEqual({ value: 0.999, source: 'hand' });
    expect(experiment.thresholds?.slice(1)).toEqual(before.thresholds?.slice(1));
    const recall = experiment.metrics[0]?.perClass.find((row) => row.class === name)?.recall;
    expect(recall).toBe(0);
    expect(await rows({ predicted: name })).toEqual([]);
    const { revision } = before;
    experiment = await test.client.call('prototypes.restore', {
      ...{ libraryId, experimentId: before.id, revision },
    });
    expect(experiment.thresholds).toEqual(before.thresholds);
    expect(experiment.metrics).toEqual(before.metrics);
    expect(await rows()).toEqual(rowsBefore);
  });

  it('are chosen again on request, and stay through edits of prototypes', async () => {
    const { id: experimentId, thresholds } = experiment;
    const name = experiment.classes[1] ?? '';
    await test.client.call('experiments.setThreshold', { libraryId, experimentId, class: name, value: 0.25 });
    const [track] = await rows();
    const vector = { kind: 'window' as const, trackId: track?.id ?? '', windowIndex: 0 };
    const edit = { kind: 'add' as const, class: name, vector };
    const added = await test.client.call('prototypes.edit', { libraryId, experimentId, edit });
    expect(added.thresholds?.[1]).toEqual({ value: 0.25, source: 'hand' });
    await test.client.call('prototypes.restore', { libraryId, experimentId, revision: 1 });
    experiment = await test.client.call('experiments.chooseThresholds', { libraryId, experimentId });
    expect(experiment.thresholds).toEqual(thresholds);
  });

  it('do not exist where every track has one class', async () => {
    const folders = await test.client.call('taxonomies.create', { libraryId, source: { kind: 'folders' } });
    const { jobId } = await test.client.call('experiments.train', {
      libraryId,
      request: { taxonomyId: folders.id, steps: 20, prototypesPerClass: 1, minimumTracks: 3 },
    });
    const { experimentId } = await finished(test.client, jobId, 'train');
    const single = await test.client.call('experiments.get', { libraryId, experimentId });
    expect(single.thresholds).toBeNull();
    expect(headline(single)?.name.title).toBe('Accuracy');
    await expect(
      test.client.call('experiments.chooseThresholds', { libraryId, experimentId }),
    ).rejects.toMatchObject({ code: 'bad-input' });
  });
});
