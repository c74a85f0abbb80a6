import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ModelRef, PrototypeEdit } from '../../../engine/api/prototypes.ts';
import { finished, importFolder, startTestEngine } from '../../support/engine.ts';
import { testFolder } from '../../support/music.ts';
import { writeTinyPack } from '../../support/tiny-pack.ts';
import { trainedLibrary, trainOn, type TrainedLibrary } from '../../support/trained.ts';

describe('comparing two models', () => {
  let lib: TrainedLibrary;
  let experimentId: string;

  beforeAll(async () => {
    lib = await trainedLibrary();
    experimentId = lib.experiment.id;
  });

  const compare = (first: ModelRef, second: ModelRef) =>
    lib.test.client.call('prototypes.compare', { libraryId: lib.libraryId, first, second });
  const edit = (of: PrototypeEdit) =>
    lib.test.client.call('prototypes.edit', { libraryId: lib.libraryId, experimentId, edit: of });

  it('finds every prototype again in the same model', async () => {
    const { pairs, words, reach } = await compare({ experimentId }, { experimentId });
    expect(pairs.map(({ first, second }) => [first?.index, second?.index])).toEqual(
      pairs.map((_, k) => [k, k]),
    );
    expect(pairs.every(({ kind, distance }) => kind === 'same' && distance === 0)).toBe(true);
    expect(words[0]).toBe('Prototypes: 6 the same.');
    expect(reach).toBeGreaterThan(0);
  });

  it('says what an edit did, by revision', async () => {
    const before = { experimentId, revision: 1 };
    await edit({ kind: 'rename', index: 1, name: 'Low' });
    await edit({ kind: 'weight', index: 4, class: 'mid', value: 3 });
    // Places after it move up by one.
    const after = await edit({ kind: 'remove', index: 2 });
    const { pairs, words, second } = await compare(before, { experimentId });
    expect(second.revision).toBe(after.revision);
    const told = pairs.map(({ first, second: b, kind }) => [first?.index, b?.index ?? null, kind]);
    expect(told).toContainEqual([2, null, 'only-first']);
    expect(told).toContainEqual([0, 0, 'same']);
    expect(told).toContainEqual([4, 3, 'changed']);
    expect(pairs.find(({ first }) => first?.index === 1)?.change).toBe('name “” → “Low”');
    expect(pairs.find(({ first }) => first?.index === 4)?.change).toMatch(/^weight .* → 3\.00$/);
    expect(words[0]).toMatch(/1 only in A/);
    // The other way round it is the other model that has it alone.
    const back = await compare({ experimentId }, before);
    expect(back.pairs.filter(({ kind }) => kind === 'only-second')).toHaveLength(1);
  });

  it('hears prototypes of an earlier revision', async () => {
    const { client } = lib.test;
    const target = { kind: 'prototype', experimentId, index: 5, revision: 1 } as const;
    const { jobId } = await client.call('sonify.start', { libraryId: lib.libraryId, targets: [target] });
    await finished(client, jobId, 'sonify');
    expect((await client.call('jobs.get', { jobId })).title).toBe('Sonify mid #6 of revision 1');
    // There are only five now.
    const now = { ...target, revision: undefined };
    await expect(
      client.call('neighbours.query', { libraryId: lib.libraryId, target: now }),
    ).rejects.toMatchObject({ code: 'not-found' });
  });

  it('compares experiments of other seeds, and refuses what is not there', async () => {
    const other = await trainOn(lib.test.client, lib.libraryId, { taxonomyId: lib.taxonomyId, seed: 9 });
    const { pairs, words } = await compare({ experimentId }, { experimentId: other.id });
    const both = pairs.filter(({ first, second }) => first && second);
    expect(both.length).toBeGreaterThan(0);
    expect(both.every(({ first, second }) => first?.class === second?.class)).toBe(true);
    expect(words.at(-1)).toContain('each on its own test tracks');
    await expect(compare({ experimentId, revision: 99 }, { experimentId })).rejects.toMatchObject({
      code: 'not-found',
    });
  });

  it('refuses two whose vectors different encoders made', async () => {
    const packs = testFolder();
    const pack = (seed: number) => writeTinyPack(join(packs, 'compact'), { seed, id: 'compact' });
    await pack(1);
    const first = await trainedLibrary({
      ...{ perClass: 5, on: await startTestEngine({ packFolders: [packs] }) },
    });
    await pack(2);
    const { client } = await first.test.restart();
    const { library } = await importFolder(client, first.folder);
    const second = await trainOn(client, library.id, { taxonomyId: first.taxonomyId });
    expect(second.space.key).not.toBe(first.experiment.space.key);
    await expect(
      client.call('prototypes.compare', {
        libraryId: library.id,
        first: { experimentId: first.experiment.id },
        second: { experimentId: second.id },
      }),
    ).rejects.toMatchObject({ code: 'other-space' });
    // Nor does a prototype of the one become one of the other.
    const vector = { kind: 'prototype', experimentId: first.experiment.id, index: 0 } as const;
    for (const method of ['prototypes.preview', 'prototypes.edit'] as const)
      await expect(
        client.call(method, {
          ...{ libraryId: library.id, experimentId: second.id, edit: { kind: 'add', class: 'mid', vector } },
        }),
      ).rejects.toMatchObject({
        code: 'other-space',
        message: expect.stringContaining('This prototype') as string,
      });
    // The earlier experiment is seen in the space it was made in.
    const at = { libraryId: library.id, experimentId: first.experiment.id };
    expect((await client.call('prototypes.list', at)).every(({ nearest }) => nearest.length === 5)).toBe(
      true,
    );
  });
});
