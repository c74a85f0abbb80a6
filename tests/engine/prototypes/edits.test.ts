import { beforeAll, describe, expect, it } from 'vitest';
import type { Experiment } from '../../../engine/api/experiments.ts';
import type {
  EditPreview,
  PrototypeEdit,
  PrototypeInfo,
  RevisionLog,
} from '../../../engine/api/prototypes.ts';
import { startTestEngine } from '../../support/engine.ts';
import { unhurried } from '../../support/unhurried.ts';
import { trainedLibrary, trainOn, type TrainedLibrary } from '../../support/trained.ts';

describe('edits of prototypes', () => {
  let lib: TrainedLibrary;
  let at: { libraryId: string; experimentId: string };
  let trackIds: string[];

  const list = (): Promise<PrototypeInfo[]> => lib.test.client.call('prototypes.list', at);
  const edit = (of: PrototypeEdit): Promise<Experiment> =>
    lib.test.client.call('prototypes.edit', { ...at, edit: of });
  const undo = (): Promise<Experiment> => lib.test.client.call('prototypes.undo', at);
  const log = (): Promise<RevisionLog> => lib.test.client.call('prototypes.log', at);
  const predictions = async (): Promise<Map<string, string>> => {
    const { tracks } = await lib.test.client.call('tracks.list', { ...at, limit: 1000 });
    return new Map(tracks.map(({ id, prediction }) => [id, prediction?.class ?? '']));
  };

  beforeAll(async () => {
    lib = await trainedLibrary();
    at = { libraryId: lib.libraryId, experimentId: lib.experiment.id };
    const { tracks } = await lib.test.client.call('tracks.list', at);
    trackIds = tracks.map(({ id }) => id);
  });

  const some = (): [name: string, edit: PrototypeEdit][] => [
    ['add a window', { kind: 'add', class: 'mid', vector: window(0), name: 'first hit' }],
    ['add the mean of tracks', { kind: 'add', class: 'mid', vector: { kind: 'mean', trackIds } }],
    ['add a prototype', { kind: 'add', class: 'high', vector: { kind: 'prototype', ...of(), index: 0 } }],
    ['remove', { kind: 'remove', index: 2 }],
    ['move', { kind: 'move', index: 0, vector: window(3) }],
    ['merge', { kind: 'merge', indices: [0, 1] }],
    ['split', { kind: 'split', index: 0 }],
    ['rename', { kind: 'rename', index: 1, name: 'Low and long' }],
    ['reassign', { kind: 'reassign', index: 1, class: 'mid' }],
    ['freeze', { kind: 'freeze', indices: [0, 2], frozen: true }],
    ['weight', { kind: 'weight', index: 4, class: 'bass', value: 3 }],
  ];
  const of = () => ({ experimentId: lib.experiment.id });
  const window = (track: number) =>
    ({ kind: 'window', trackId: trackIds[track] ?? '', windowIndex: 0 }) as const;

  it('do what their preview says, and are taken back and made again to the bit', async () => {
    const changed: string[] = [];
    for (const [name, wanted] of some()) {
      const before = { listed: await list(), predicted: await predictions() };
      const { client } = lib.test;
      const present = await client.call('experiments.get', at);
      const preview = await client.call('prototypes.preview', { ...at, edit: wanted });
      expect(await client.call('experiments.get', at), name).toEqual(present);

      const after = await edit(wanted);
      expectPreview(preview, present, after, name);
      const predicted = await predictions();
      const flips = [...predicted].filter(([id, now]) => before.predicted.get(id) !== now);
      expect(preview.flipped, name).toBe(flips.length);
      for (const flip of preview.flips) {
        expect([flip.before, flip.after], name).toEqual([
          [before.predicted.get(flip.trackId)],
          [predicted.get(flip.trackId)],
        ]);
      }
      if (flips.length > 0) changed.push(name);
      const listed = await list();

      const undone = await undo();
      expect(undone.revision, name).toBe(present.revision);
      expect(await list(), name).toEqual(before.listed);
      expect(await predictions(), name).toEqual(before.predicted);
      await client.call('prototypes.redo', at);
      expect(await list(), name).toEqual(listed);
      expect(await predictions(), name).toEqual(predicted);
      await undo();
    }
    // Some of them do change something, or nothing was compared.
    expect(changed.length).toBeGreaterThan(0);
  });

  it('change the prototypes they name', async () => {
    const first = await list();
    await edit({ kind: 'rename', index: 1, name: '  Low and long ' });
    expect((await list())[1]?.name).toBe('Low and long');
    await edit({ kind: 'split', index: 0 });
    const split = await list();
    expect(split).toHaveLength(7);
    expect(split[6]).toMatchObject({ class: 'bass', name: '' });
    expect(split[0]?.weight).toBeCloseTo((first[0]?.weight ?? NaN) / 2, 6);
    await edit({ kind: 'reassign', index: 6, class: 'mid' });
    expect((await list())[6]?.class).toBe('mid');
    await edit({ kind: 'merge', indices: [0, 1] });
    expect((await list())[0]).toMatchObject({ class: 'bass', name: 'Low and long' });
    await edit({ kind: 'add', class: 'bass', vector: { kind: 'prototype', ...of(), index: 0 } });
    const twins = await list();
    expect(twins[0]?.twin).toEqual({ index: twins.length - 1, distance: 0 });
    for (let n = 0; n < 5; n++) await undo();
    expect(await list()).toEqual(first);
  });

  it('are a history of named revisions that survives a restart', async () => {
    const start = (await log()).current;
    const { revision } = await edit({ kind: 'rename', index: 0, name: 'one' });
    await edit({ kind: 'rename', index: 0, name: 'two' });
    await lib.test.client.call('prototypes.nameRevision', { ...at, revision, name: 'Good so far' });
    await undo();
    const before = await log();
    expect(before).toMatchObject({ current: revision, undo: start, redo: revision + 1 });
    expect(before.revisions.find((entry) => entry.revision === revision)).toMatchObject({
      ...{ name: 'Good so far', change: 'called bass #1 “one”' },
      accuracy: expect.any(Number) as number,
    });
    const { engine, options } = lib.test;
    await engine.close();
    lib.test = await startTestEngine({ dataFolder: options.dataFolder });
    expect(await log()).toEqual(before);
    await lib.test.client.call('prototypes.redo', at);
    expect((await list())[0]?.name).toBe('two');
    // Going to a revision is a step itself.
    await lib.test.client.call('prototypes.restore', { ...at, revision: start });
    expect((await list())[0]?.name).toBe('');
    await undo();
    expect((await list())[0]?.name).toBe('two');
    // An edit takes the place of what could be redone; the revisions stay.
    await undo();
    await edit({ kind: 'rename', index: 0, name: 'three' });
    expect((await log()).redo).toBeNull();
    expect((await log()).revisions.map((entry) => entry.change)).toContain('called bass #1 “one” “two”');
    await expect(lib.test.client.call('prototypes.redo', at)).rejects.toMatchObject({
      ...{ code: 'not-found', message: 'There is nothing to redo.' },
    });
    for (let n = 0; n < 2; n++) await undo();
    expect((await log()).current).toBe(start);
  });

  it('store what the present revision says when two steps are asked for at once', async () => {
    const { client } = lib.test;
    const start = await predictions();
    const { revision } = await edit({ kind: 'weight', index: 4, class: 'bass', value: 60 });
    const edited = await predictions();
    expect(edited).not.toEqual(start);
    // Going to where it is already is a step, too: undo leads to another revision than when it was asked for.
    const [restored, undone] = await unhurried(() =>
      Promise.allSettled([client.call('prototypes.restore', { ...at, revision }), undo()]),
    );
    const refused = [restored, undone].flatMap((of) =>
      of.status === 'rejected' ? [of.reason as unknown] : [],
    );
    expect(refused).toEqual([expect.objectContaining({ code: 'busy' })]);
    expect(await predictions()).toEqual(restored.status === 'fulfilled' ? edited : start);
    while ((await log()).current === revision) await undo();
    expect(await predictions()).toEqual(start);
  });

  it('are kept as a new experiment, and the old one stays', async () => {
    const before = await lib.test.client.call('experiments.get', at);
    const wanted: PrototypeEdit = { kind: 'remove', index: 0 };
    const kept = await lib.test.client.call('prototypes.keep', { ...at, edit: wanted });
    expect(kept).toMatchObject({ revision: 1, classes: before.classes });
    expect(kept.id).not.toBe(before.id);
    expect(kept.name).toContain('removed bass #1');
    expect(await lib.test.client.call('experiments.get', at)).toEqual(before);
    const { tracks } = await lib.test.client.call('tracks.list', { ...at, experimentId: kept.id });
    expect(tracks.every(({ prediction }) => prediction !== null)).toBe(true);
    // A prototype of it can be taken back.
    const added = await edit({
      ...{ kind: 'add', class: 'bass' },
      vector: { kind: 'prototype', experimentId: kept.id, index: 0 },
    });
    expect(added.revision).toBeGreaterThan(before.revision);
    await undo();
  });

  it('refuse what they cannot do, say why, and change nothing', async () => {
    const { client } = lib.test;
    const before = [await client.call('experiments.get', at), await list()];
    const refused: [PrototypeEdit, string, RegExp][] = [
      [{ kind: 'remove', index: 99 }, 'not-found', /no prototype 99; it has 6/],
      [{ kind: 'add', class: 'none', vector: window(0) }, 'not-found', /no class “none”/],
      [{ kind: 'reassign', index: 0, class: 'none' }, 'not-found', /no class “none”/],
      [{ kind: 'merge', indices: [0, 2] }, 'bad-input', /several classes cannot be merged/],
      [
        { kind: 'move', index: 0, vector: { kind: 'window', trackId: 'gone', windowIndex: 0 } },
        'not-found',
        /not in the library/,
      ],
      [
        { kind: 'move', index: 0, vector: { ...window(0), windowIndex: 9999 } },
        'not-found',
        /no such window/,
      ],
      [
        { kind: 'add', class: 'mid', vector: { kind: 'generated', reductionId: 'gone', index: 0 } },
        'not-found',
        /reduction/,
      ],
    ];
    for (const [wanted, code, message] of refused)
      for (const method of ['prototypes.edit', 'prototypes.preview', 'prototypes.keep'] as const)
        await expect(client.call(method, { ...at, edit: wanted }), message.source).rejects.toMatchObject({
          code,
          message: expect.stringMatching(message) as string,
        });
    // Of two windows on one experiment the second sees something that is not there any more.
    const wanted: PrototypeEdit = { kind: 'remove', index: 0 };
    await expect(
      client.call('prototypes.edit', { ...at, revision: 9999, edit: wanted }),
    ).rejects.toMatchObject({ code: 'busy' });
    expect([await client.call('experiments.get', at), await list()]).toEqual(before);
  });

  it('have a map of a class among those it is confused with', async () => {
    const { client } = lib.test;
    const map = await client.call('prototypes.classMap', { ...at, class: 'bass' });
    const { counts } = await client.call('experiments.get', at);
    const listed = await list();
    const shown = ['bass', ...map.rivals];
    const stars = map.points.flatMap((point) => (point.kind === 'prototype' ? [point.index] : []));
    expect(stars).toEqual(listed.filter((p) => shown.includes(p.class)).map(({ index }) => index));
    expect(map.points.every(({ x, y }) => Number.isFinite(x) && Number.isFinite(y))).toBe(true);
    expect(map.points.every(({ class: name }) => shown.includes(name))).toBe(true);
    expect(map.points.length - stars.length).toBeLessThanOrEqual(counts.train.windows);
    // What is nearest to its own prototypes, by what the list says of them.
    const own = listed.filter((p) => p.class === 'bass');
    const right = own.reduce((sum, { support, purity }) => sum + support * (purity ?? 0), 0);
    const { tracks } = await client.call('tracks.list', { ...at, limit: 1000 });
    const windows = tracks
      .filter(({ path, prediction }) => path.startsWith('bass/') && prediction?.split === 'train')
      .reduce((sum, { windowCount }) => sum + windowCount, 0);
    expect(map.coverage).toBeCloseTo(right / windows, 10);
    await expect(client.call('prototypes.classMap', { ...at, class: 'none' })).rejects.toMatchObject({
      code: 'not-found',
    });
  });

  it('are previewed for several labels as they are made', async () => {
    const { client } = lib.test;
    const { id: taxonomyId } = await client.call('taxonomies.create', {
      libraryId: lib.libraryId,
      source: { kind: 'tokens' },
    });
    const several = await trainOn(client, lib.libraryId, { taxonomyId, task: 'multi' });
    const here = { libraryId: lib.libraryId, experimentId: several.id };
    for (const wanted of [
      { kind: 'remove', index: 0 },
      { kind: 'weight', index: 1, class: several.classes[0] ?? '', value: 4 },
    ] satisfies PrototypeEdit[]) {
      const preview = await client.call('prototypes.preview', { ...here, edit: wanted });
      const after = await client.call('prototypes.edit', { ...here, edit: wanted });
      expectPreview(preview, several, after, wanted.kind);
      await client.call('prototypes.undo', here);
    }
  });
});

function expectPreview(preview: EditPreview, before: Experiment, after: Experiment, name: string): void {
  // By test tracks nothing is chosen.
  expect(preview.split, name).toBe('validation');
  const [was, is] = [before, after].map(({ metrics }) =>
    metrics.find(({ split }) => split === preview.split),
  );
  for (const key of ['accuracy', 'balancedAccuracy', 'macroF1'] as const) {
    expect(preview[key].before, name).toBeCloseTo(was?.[key] ?? NaN, 10);
    expect(preview[key].after, name).toBeCloseTo(is?.[key] ?? NaN, 10);
  }
  const f1 = (metrics: typeof is, of: string): number | undefined =>
    metrics?.perClass.find((report) => report.class === of)?.f1;
  expect(preview.perClass, name).toEqual(
    before.classes.flatMap((of) => {
      const [a, b] = [f1(was, of), f1(is, of)];
      return a === b ? [] : [{ class: of, before: a, after: b }];
    }),
  );
}
