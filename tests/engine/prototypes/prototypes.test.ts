import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { Experiment } from '../../../engine/api/experiments.ts';
import type { PrototypeInfo } from '../../../engine/api/prototypes.ts';
import { PredictionRepository } from '../../../engine/library/predictions.ts';
import { LibraryVectors } from '../../../engine/library/vectors.ts';
import { InferenceSession } from '../../../models/onnx/runtime.ts';
import { PrototypeNetwork } from '../../../models/pecmae/network.ts';
import { finished } from '../../support/engine.ts';
import { unhurried } from '../../support/unhurried.ts';
import { trainedLibrary, type TrainedLibrary } from '../../support/trained.ts';

type Run = (feeds: Partial<Record<string, { dims: readonly number[] }>>) => Promise<unknown>;

/** Counts windows × prototypes that are compared, until it is restored. */
function comparisons() {
  // ONNX Runtime does not say that its sessions are of a class.
  const { prototype } = InferenceSession as unknown as { prototype: { run: Run } };
  const run = vi.spyOn(prototype, 'run');
  return {
    /** Since the last count. */
    count: (): number => {
      const sum = run.mock.calls.reduce((total, [{ z, p }]) => {
        return total + (z?.dims[0] ?? 0) * (p?.dims[0] ?? 0);
      }, 0);
      run.mockClear();
      return sum;
    },
    restore: (): void => run.mockRestore(),
  };
}

describe('prototypes', () => {
  let lib: TrainedLibrary;
  const list = (): Promise<PrototypeInfo[]> =>
    lib.test.client.call('prototypes.list', { libraryId: lib.libraryId, experimentId: lib.experiment.id });
  const current = (): Promise<Experiment> =>
    lib.test.client.call('experiments.get', { libraryId: lib.libraryId, experimentId: lib.experiment.id });

  const at = () => ({ libraryId: lib.libraryId, experimentId: lib.experiment.id });

  beforeAll(async () => {
    lib = await trainedLibrary();
  });

  it('says what every prototype stands for', async () => {
    const prototypes = await list();
    const { counts, classes } = await current();
    expect(prototypes.map((p) => p.class)).toEqual(['bass', 'bass', 'high', 'high', 'mid', 'mid']);
    const support = prototypes.reduce((sum, p) => sum + p.support, 0);
    expect(support).toBe(counts.train.windows);
    const pure = prototypes.reduce((sum, p) => sum + p.support * (p.purity ?? 0), 0);
    expect(pure / support).toBeGreaterThan(0.7);
    for (const { index, class: name, purity, weight, weights, nearest, sonification } of prototypes) {
      // Its own class is the one it speaks for most.
      expect(weights[0]).toEqual({ class: classes.indexOf(name), weight });
      const all = await lib.test.client.call('prototypes.weights', { ...at(), index });
      expect(weights).toEqual(
        all
          .map((own, c) => ({ class: c, weight: own }))
          .sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight)),
      );
      expect(purity === null).toBe(prototypes[index]?.support === 0);
      if (purity !== null) expect(purity).toBeLessThanOrEqual(1);
      expect(nearest).toHaveLength(5);
      expect(new Set(nearest.map((n) => n.trackId)).size).toBe(5);
      const distances = nearest.map((n) => n.distance);
      expect(distances).toEqual([...distances].sort((a, b) => a - b));
      expect(nearest[0]?.path.startsWith(`${name}/`)).toBe(true);
      expect(sonification).toBeNull();
    }
  });

  it('works that out once for each revision', async () => {
    const first = await list();
    const compared = comparisons();
    expect(await list()).toEqual(first);
    expect(compared.count()).toBe(0);
    compared.restore();
  });

  it('finds the nearest windows exactly', async () => {
    const [first] = await list();
    const found = await lib.test.client.call('neighbours.query', {
      libraryId: lib.libraryId,
      target: { kind: 'prototype', experimentId: lib.experiment.id, index: 0 },
      level: 'window',
      k: 1000,
    });
    const nearestOfTrack = new Map<string, number>();
    for (const { trackId, distance } of found)
      nearestOfTrack.set(trackId, Math.min(distance, nearestOfTrack.get(trackId) ?? Infinity));
    const expected = [...nearestOfTrack.values()].sort((a, b) => a - b).slice(0, 5);
    first?.nearest.forEach(({ distance }, i) => expect(distance).toBeCloseTo(expected[i] ?? NaN, 6));
  });

  it('compares windows with a prototype once: training does, an edit only with what it adds', async () => {
    const fresh = await trainedLibrary({ perClass: 5 });
    const { client } = fresh.test;
    const { libraryId } = fresh;
    const experimentId = fresh.experiment.id;
    const classified = vi.spyOn(PrototypeNetwork.prototype, 'classify');
    const compared = comparisons();
    try {
      const windows = (await client.call('libraries.get', { libraryId })).windowCount;
      await client.call('prototypes.edit', { libraryId, experimentId, edit: { kind: 'remove', index: 0 } });
      expect(compared.count()).toBe(0);
      const { tracks } = await client.call('tracks.list', { libraryId, experimentId });
      const trackId = tracks[0]?.id ?? '';
      await client.call('prototypes.edit', {
        libraryId,
        experimentId,
        edit: { kind: 'add', class: 'mid', vector: { kind: 'window', trackId, windowIndex: 1 } },
      });
      expect(compared.count()).toBe(windows);
      await client.call('prototypes.restore', { libraryId, experimentId, revision: 1 });
      const { jobId } = await client.call('classify.library', { libraryId, experimentId });
      await finished(client, jobId, 'classify');
      expect(compared.count()).toBe(0);
      // After a restart it is worked out ahead, once, and the first preview compares nothing.
      const at = { libraryId, experimentId };
      const again = await fresh.test.restart();
      await again.client.call('libraries.open', { folder: fresh.folder });
      compared.count();
      await again.client.call('prototypes.list', at);
      await again.client.call('prototypes.prepare', at);
      expect(compared.count()).toBe(6 * windows);
      await again.client.call('prototypes.preview', { ...at, edit: { kind: 'remove', index: 0 } });
      expect(compared.count()).toBe(0);
      // Nothing goes round it either.
      expect(classified).not.toHaveBeenCalled();
      // The same as from the windows themselves.
      const listed = await again.client.call('tracks.list', { libraryId, experimentId });
      for (const { id, prediction } of listed.tracks) {
        const request = { libraryId, experimentId, trackId: id, class: null, windowIndex: null };
        const why = await again.client.call('explain.track', request);
        expect(why.class).toBe(prediction?.class);
        expect(why.probability).toBeCloseTo(prediction?.probability ?? NaN, 5);
      }
    } finally {
      compared.restore();
      classified.mockRestore();
    }
  });

  it('removes, re-scores, and goes back to the same network and predictions', async () => {
    const before = await current();
    const { client } = lib.test;
    const { libraryId } = lib;
    const experimentId = before.id;
    const predictions = async () =>
      (await client.call('tracks.list', { libraryId, experimentId })).tracks.map(({ path, prediction }) => [
        path,
        prediction,
      ]);
    const predicted = await predictions();
    const listed = await list();

    const removed = await client.call('prototypes.edit', {
      libraryId,
      experimentId,
      edit: { kind: 'remove', index: 0 },
    });
    expect(removed.revision).toBe(before.revision + 1);
    expect((await list()).map((p) => p.class)).toEqual(['bass', 'high', 'high', 'mid', 'mid']);
    expect(await predictions()).not.toEqual(predicted);

    const restored = await client.call('prototypes.restore', {
      libraryId,
      experimentId,
      revision: before.revision,
    });
    expect(restored.revision).toBe(before.revision);
    expect(restored.metrics).toEqual(before.metrics);
    expect(await predictions()).toEqual(predicted);
    expect(await list()).toEqual(listed);
  });

  it('makes a window a prototype of a class', async () => {
    const { client } = lib.test;
    const { libraryId } = lib;
    const experimentId = lib.experiment.id;
    const { tracks } = await client.call('tracks.list', { libraryId, search: 'mid_hit_0' });
    const trackId = tracks[0]?.id ?? '';
    const before = await current();
    await client.call('prototypes.edit', {
      libraryId,
      experimentId,
      edit: { kind: 'add', class: 'mid', vector: { kind: 'window', trackId, windowIndex: 1 } },
    });
    const added = (await list()).at(-1);
    expect(added?.class).toBe('mid');
    expect(added?.nearest[0]).toMatchObject({ trackId, windowIndex: 1 });
    expect(added?.nearest[0]?.distance).toBeLessThan(1e-4);
    await client.call('prototypes.restore', { libraryId, experimentId, revision: before.revision });
  });

  it('keeps the last prototype of a class', async () => {
    const { client } = lib.test;
    const { libraryId } = lib;
    const experimentId = lib.experiment.id;
    const { revision } = await client.call('prototypes.edit', {
      libraryId,
      experimentId,
      edit: { kind: 'remove', index: 0 },
    });
    await expect(
      client.call('prototypes.edit', { libraryId, experimentId, edit: { kind: 'remove', index: 0 } }),
    ).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringContaining('bass') as string,
    });
    expect((await current()).revision).toBe(revision);
    await client.call('prototypes.restore', { libraryId, experimentId, revision: 1 });
  });

  it('makes one of two edits at once, and says of the other that it was not made', async () => {
    const { client } = lib.test;
    const at = { libraryId: lib.libraryId, experimentId: lib.experiment.id };
    const before = await current();
    // The numbers of the second are those before the first: it would delete another one than was meant.
    const edits = await unhurried(() =>
      Promise.allSettled(
        [0, 2].map((index) => client.call('prototypes.edit', { ...at, edit: { kind: 'remove', index } })),
      ),
    );
    const refused = edits.flatMap((edit) => (edit.status === 'rejected' ? [edit.reason as unknown] : []));
    expect(refused).toEqual([expect.objectContaining({ code: 'busy' })]);
    expect((await current()).revision).toBeGreaterThan(before.revision);
    expect(await list()).toHaveLength(5);
    await client.call('prototypes.restore', { ...at, revision: before.revision });
  });

  it('is as it was when what an edit, a step back or a copy says cannot be stored', async () => {
    const { client } = lib.test;
    const at = { libraryId: lib.libraryId, experimentId: lib.experiment.id };
    const state = async () => ({
      experiments: await client.call('experiments.list', { libraryId: lib.libraryId }),
      log: await client.call('prototypes.log', at),
      tracks: await client.call('tracks.list', at),
    });
    const before = await state();
    const replace = vi.spyOn(PredictionRepository.prototype, 'replace').mockImplementation(() => {
      throw Object.assign(new Error('no room'), { code: 'ENOSPC' });
    });
    try {
      const edit = { kind: 'remove', index: 0 } as const;
      await expect(client.call('prototypes.edit', { ...at, edit })).rejects.toThrow();
      await expect(client.call('prototypes.keep', { ...at, edit })).rejects.toThrow();
      await expect(client.call('prototypes.restore', { ...at, revision: 1 })).rejects.toThrow();
      expect(replace).toHaveBeenCalledTimes(3);
    } finally {
      replace.mockRestore();
    }
    expect(await state()).toEqual(before);
  });

  it('keeps what the newest revision says when an edit overtakes a classification', async () => {
    const { client } = lib.test;
    const at = { libraryId: lib.libraryId, experimentId: lib.experiment.id };
    const before = await current();
    // oxlint-disable-next-line typescript/unbound-method -- called with its own this below
    const { trackLogits } = LibraryVectors.prototype;
    const edits: Experiment[] = [];
    const overtaken = vi
      .spyOn(LibraryVectors.prototype, 'trackLogits')
      .mockImplementationOnce(async function (this: LibraryVectors, ...asked) {
        const logits = await trackLogits.apply(this, asked);
        edits.push(await client.call('prototypes.edit', { ...at, edit: { kind: 'remove', index: 0 } }));
        return logits;
      });
    try {
      const { jobId } = await client.call('classify.library', at);
      await finished(client, jobId, 'classify');
      expect(edits.map(({ id }) => id)).toEqual([before.id]);
      expect((await current()).revision).toBeGreaterThan(before.revision);
    } finally {
      overtaken.mockRestore();
    }
    const { tracks } = await client.call('tracks.list', at);
    for (const { id: trackId, prediction } of tracks) {
      const why = await client.call('explain.track', { ...at, trackId, class: null, windowIndex: null });
      expect(prediction?.probability).toBeCloseTo(why.probability, 5);
    }
    await client.call('prototypes.restore', { ...at, revision: before.revision });
  });

  it('answers what is not there', async () => {
    const { client } = lib.test;
    const at = { libraryId: lib.libraryId, experimentId: lib.experiment.id };
    await expect(
      client.call('prototypes.edit', { ...at, edit: { kind: 'remove', index: 99 } }),
    ).rejects.toMatchObject({
      code: 'not-found',
    });
    await expect(client.call('prototypes.restore', { ...at, revision: 99 })).rejects.toMatchObject({
      code: 'not-found',
    });
    await expect(
      client.call('prototypes.edit', {
        ...at,
        edit: { kind: 'add', class: 'none', vector: { kind: 'window', trackId: 'x', windowIndex: 0 } },
      }),
    ).rejects.toMatchObject({ code: 'not-found' });
  });
});
