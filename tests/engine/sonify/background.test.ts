import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { EngineEvent } from '../../../engine/api/app.ts';
import { strongestFirst } from '../../../engine/sonify/background.ts';
import { finished, listen, settled, startTestEngine, type TestEngine } from '../../support/engine.ts';
import { testFolder } from '../../support/music.ts';
import { writeTinyPack } from '../../support/tiny-pack.ts';
import { trainedLibrary, trainOn } from '../../support/trained.ts';

const soundsIn = (events: readonly EngineEvent[]) => events.filter((event) => event.type === 'sound');
const fileOf = ({ engine }: TestEngine, url: string): string =>
  engine.media.resolve(url.split('/').at(-1) ?? '')?.path ?? '';

describe('sounds in the background', () => {
  it('makes each prototype once, the strongest of each class first, as it would be made when asked for', async () => {
    const { test, libraryId, experiment } = await trainedLibrary({ perClass: 4 });
    const { client } = test;
    const request = { libraryId, experimentId: experiment.id };
    const told = listen(client);
    const [one, two] = await Promise.all([
      client.call('sonify.background', request),
      // Of a small network all are made, whether or not somebody looks at it.
      client.call('sonify.background', { ...request, all: true }),
    ]);
    expect(one.jobId).not.toBeNull();
    expect(two.jobId).toBe(one.jobId);
    const result = await finished(client, one.jobId ?? '', 'background-sounds');
    expect(result).toMatchObject({ made: 6, failed: 0 });
    const job = await client.call('jobs.get', { jobId: one.jobId ?? '' });
    expect(job).toMatchObject({ lane: 'background', progress: { done: 6, total: 6, unit: 'sounds' } });
    expect(job.title).toBe(`Sounds of ${experiment.name}, in the background`);

    const events = await told();
    const made = soundsIn(events);
    const prototypes = await client.call('prototypes.list', request);
    const classOf = (event: (typeof made)[number]) =>
      event.target.kind === 'prototype' ? prototypes[event.target.index]?.class : undefined;
    expect(new Set(made.slice(0, 3).map(classOf)).size).toBe(3);
    expect(new Set(made.map(({ target }) => JSON.stringify(target))).size).toBe(6);
    // Nothing that could play by itself.
    expect(events.filter((event) => event.type === 'first-sound')).toEqual([]);

    const [first] = made;
    if (!first) throw new Error('no sound');
    const path = fileOf(test, first.sonification.url);
    const [bytes, at] = [readFileSync(path), statSync(path).mtimeMs];
    const { jobId } = await client.call('sonify.start', { libraryId, targets: [first.target] });
    const { sonifications } = await finished(client, jobId, 'sonify');
    expect(sonifications[0]?.sonification).toEqual(first.sonification);
    expect(readFileSync(path).equals(bytes)).toBe(true);
    expect(statSync(path).mtimeMs).toBe(at);
    // All are there: nothing to do, and no job to see.
    expect(await client.call('sonify.background', request)).toEqual({ jobId: null });
    expect(await client.call('sonify.background', { ...request, seed: 2 })).not.toEqual({ jobId: null });
  });

  it('knows when all sounds that begin with recordings are there', async () => {
    const { test, libraryId, experiment } = await trainedLibrary({ perClass: 4 });
    const from = { origin: 'recording', share: 0.5 } as const;
    const request = { libraryId, experimentId: experiment.id, from };
    const { jobId } = await test.client.call('sonify.background', request);
    const result = await finished(test.client, jobId ?? '', 'background-sounds');
    expect(result).toMatchObject({ made: 6, failed: 0 });
    expect(await test.client.call('sonify.background', request)).toEqual({ jobId: null });
  });

  it('goes on after a restart where it was, with nothing made twice', async () => {
    const { test, libraryId, experiment } = await trainedLibrary({ perClass: 4 });
    const request = { libraryId, experimentId: experiment.id };
    const told = listen(test.client);
    const { jobId } = await test.client.call('sonify.background', request);
    const stop = new AbortController();
    for await (const event of test.client.stream('events', {}, { signal: stop.signal }))
      if (event.type === 'sound') break;
    const before = soundsIn(await told()).map(({ sonification: { url } }) => fileOf(test, url));
    const times = new Map(before.map((path) => [path, statSync(path).mtimeMs]));
    const again = await test.restart();
    const job = await settled(again.client, jobId ?? '');
    expect(job.state).toBe('done');
    expect(job.progress).toMatchObject({ done: 6, total: 6 });
    for (const [path, time] of times) expect(statSync(path).mtimeMs).toBe(time);
    const prototypes = await again.client.call('prototypes.list', request);
    expect(prototypes.filter(({ sonification }) => sonification === null)).toEqual([]);
  });

  it('ends for another experiment, and is nothing that keeps a library from being put back', async () => {
    const { test, libraryId, taxonomyId, experiment } = await trainedLibrary({ perClass: 4 });
    const { client } = test;
    const other = await trainOn(client, libraryId, { taxonomyId, seed: 7 });
    const { jobId } = await client.call('sonify.background', { libraryId, experimentId: experiment.id });
    const next = await client.call('sonify.background', { libraryId, experimentId: other.id });
    expect((await settled(client, jobId ?? '')).state).toBe('cancelled');
    const backup = await client.call('libraries.backUp', { libraryId });
    await client.call('libraries.restore', { libraryId, backup: backup.name });
    expect((await settled(client, next.jobId ?? '')).finishedAt).not.toBeNull();
  });

  it('takes up an edit, and ends where its experiment is removed', async () => {
    const { test, libraryId, experiment } = await trainedLibrary({ perClass: 4 });
    const { client } = test;
    const request = { libraryId, experimentId: experiment.id };
    const { jobId } = await client.call('sonify.background', request);
    await client.call('prototypes.edit', { ...request, edit: { kind: 'remove', index: 0 } });
    await settled(client, jobId ?? '');
    const rest = await client.call('sonify.background', request);
    if (rest.jobId !== null) await settled(client, rest.jobId);
    const prototypes = await client.call('prototypes.list', request);
    expect(prototypes).toHaveLength(5);
    expect(prototypes.filter(({ sonification }) => sonification === null)).toEqual([]);

    const last = await client.call('sonify.background', { ...request, seed: 3 });
    await client.call('experiments.remove', request);
    expect((await settled(client, last.jobId ?? '')).state).toBe('done');
  });

  it('is not begun for a pack that makes no sound', async () => {
    const packs = testFolder();
    const test = await startTestEngine({ packFolders: [packs] });
    await writeTinyPack(join(packs, 'compact'), { seed: 1, id: 'compact', kind: 'embedding-only' });
    const own = await trainedLibrary({ perClass: 4, on: await test.restart() });
    expect(
      await own.test.client.call('sonify.background', {
        libraryId: own.libraryId,
        experimentId: own.experiment.id,
      }),
    ).toEqual({ jobId: null });
  });
});

describe('the order of prototypes', () => {
  it('is by weight on their own class, one of each class after the other', () => {
    // One row per class, one column per prototype; the weights on other classes do not count.
    const weights = new Float32Array([0.5, 2, 9, 9, 9, 9, 1, 3]);
    const network = { prototypeCount: 4, classOf: (k: number) => Math.floor(k / 2), data: { weights } };
    expect(strongestFirst(network).map(({ index }) => index)).toEqual([1, 3, 0, 2]);
  });
});
