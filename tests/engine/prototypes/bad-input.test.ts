import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { untested } from '../../../engine/api/metric-names.ts';
import { MOST_LISTED_WEIGHTS } from '../../../engine/api/prototypes.ts';
import { fillLibrary, taxonomyId as scaleTaxonomy } from '../../bench/scale-library.ts';
import { reimport, settled, startTestEngine, tracksByPath } from '../../support/engine.ts';
import { testFolder } from '../../support/music.ts';
import { trainedLibrary, trainOn, type TrainedLibrary } from '../../support/trained.ts';

describe('labels of a library', () => {
  let lib: TrainedLibrary;

  beforeAll(async () => {
    lib = await trainedLibrary({ perClass: 4 });
  });

  /** A taxonomy of the labels that a function gives. */
  async function labelled(labelOf: (path: string) => string | null): Promise<string> {
    const paths = [...(await tracksByPath(lib.test.client, lib.libraryId)).keys()];
    const rows = paths.flatMap((path) => {
      const label = labelOf(path);
      return label === null ? [] : [`${path},${label}`];
    });
    const path = join(testFolder(), 'labels.csv');
    writeFileSync(path, ['path,labels', ...rows].join('\n'));
    const source = rows.length > 0 ? ({ kind: 'csv', path } as const) : ({ kind: 'hand' } as const);
    return (await lib.test.client.call('taxonomies.create', { libraryId: lib.libraryId, source })).id;
  }

  it.each([
    ['all are equal', () => 'music', /Only one class has at least 2 .*music: 12/],
    ['one track per class', (path: string) => path, /No class has at least 2/],
    ['there are none', () => null, /No track that is ready has a label/],
  ])('cannot be learned where %s, and it is said so', async (_, labelOf, message) => {
    const taxonomyId = await labelled(labelOf);
    const { jobId } = await lib.test.client.call('experiments.train', {
      ...{ libraryId: lib.libraryId, request: { taxonomyId, minimumTracks: 2 } },
    });
    const { state, error } = await settled(lib.test.client, jobId);
    expect([state, error?.code]).toEqual(['failed', 'too-few-labels']);
    expect(error?.message).toMatch(message);
    expect(error?.hint).not.toBe('');
  });

  it('are learned but not tested where one folder has all tracks of a class, or a class is one track', async () => {
    const { client } = lib.test;
    const byFolder = await trainOn(client, lib.libraryId, { taxonomyId: lib.taxonomyId, groupBy: 'folder' });
    expect(byFolder.classes).toEqual(['bass', 'high', 'mid']);
    // Every class is one folder: nothing is left to test by, and no figure is made up.
    expect(byFolder.metrics.map(({ split }) => split)).toEqual(['train']);
    expect(byFolder.counts.test.tracks).toBe(0);
    const preview = await client.call('prototypes.preview', {
      ...{ libraryId: lib.libraryId, experimentId: byFolder.id, edit: { kind: 'remove', index: 0 } },
    });
    expect(preview.split).toBe('train');

    const taxonomyId = await labelled((path) => (path === 'mid/mid_hit_0.wav' ? 'alone' : path.slice(0, 3)));
    const withOne = await trainOn(client, lib.libraryId, { taxonomyId, minimumTracks: 1 });
    expect(withOne.classes).toEqual(['alone', 'bas', 'hig', 'mid']);
    expect(untested(withOne)).toEqual(['alone']);
    const listed = await client.call('prototypes.list', {
      libraryId: lib.libraryId,
      experimentId: withOne.id,
    });
    expect(listed.filter((of) => of.class === 'alone')).toHaveLength(2);
  });

  it('of a track whose file is gone make no prototype, nor do those of one that never was', async () => {
    const { client } = lib.test;
    const at = { libraryId: lib.libraryId, experimentId: lib.experiment.id };
    const gone = (await tracksByPath(client, lib.libraryId)).get('bass/bass_hit_0.wav');
    const vector = { kind: 'window', trackId: gone?.id ?? '', windowIndex: 0 } as const;
    const edit = { kind: 'add', class: 'bass', vector } as const;
    await client.call('prototypes.preview', { ...at, edit });
    rmSync(join(lib.folder, 'bass/bass_hit_0.wav'));
    await reimport(client, lib.libraryId);
    expect((await tracksByPath(client, lib.libraryId)).get('bass/bass_hit_0.wav')?.state).toBe('missing');
    const never = { ...edit, vector: { ...vector, trackId: 'never' } };
    for (const [wanted, message] of [
      [edit, 'The file of bass/bass_hit_0.wav is missing'],
      [never, 'not in the library'],
    ] as const)
      for (const method of ['prototypes.preview', 'prototypes.edit', 'prototypes.keep'] as const)
        await expect(client.call(method, { ...at, edit: wanted })).rejects.toMatchObject({
          ...{ code: 'not-found', hint: expect.stringMatching(/choose/i) as string },
          message: expect.stringContaining(message) as string,
        });
    expect((await client.call('experiments.get', at)).revision).toBe(1);
  });
});

it('a thousand classes are listed, previewed and mapped, and no list tells all their weights', async () => {
  const test = await startTestEngine();
  const music = testFolder();
  const made = await test.client.call('libraries.open', { folder: music });
  await test.engine.close();
  fillLibrary(made.dataFolder, 2000, 1000);
  const { client } = await test.restart();
  const { id: libraryId } = await client.call('libraries.open', { folder: music });
  const { id: experimentId, classes } = await trainOn(client, libraryId, {
    ...{ taxonomyId: scaleTaxonomy, minimumTracks: 1, prototypesPerClass: 1, steps: 3 },
  });
  expect(classes).toHaveLength(1000);
  const at = { libraryId, experimentId };
  const listed = await client.call('prototypes.list', at);
  expect(listed).toHaveLength(1000);
  for (const { weight, weights, class: name } of listed) {
    expect(weights).toHaveLength(MOST_LISTED_WEIGHTS);
    expect(weights[0]).toEqual({ class: classes.indexOf(name), weight });
  }
  const all = await client.call('prototypes.weights', { ...at, index: 7 });
  const sizes = all.map(Math.abs).sort((a, b) => b - a);
  expect(listed[7]?.weights.map(({ weight }) => Math.abs(weight))).toEqual(
    sizes.slice(0, MOST_LISTED_WEIGHTS),
  );
  const preview = await client.call('prototypes.preview', {
    ...{ ...at, edit: { kind: 'weight', index: 7, class: classes[8] ?? '', value: 50 } },
  });
  // Every window is a little like every prototype.
  expect(preview.flipped).toBeGreaterThan(0);
  const map = await client.call('prototypes.classMap', { ...at, class: classes[7] ?? '' });
  expect(map.points.some((point) => point.kind === 'prototype' && point.index === 7)).toBe(true);
  await expect(client.call('prototypes.weights', { ...at, index: 7, revision: 2 })).rejects.toMatchObject({
    code: 'busy',
  });
}, 120_000);
