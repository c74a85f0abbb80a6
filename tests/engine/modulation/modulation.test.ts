import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import {
  CARRIER_BAND_COUNT,
  MODULATION_RATE_COUNT,
  type ModulationMapInfo,
} from '../../../engine/api/modulation.ts';
import { encodeWav } from '../../../models/audio/index.ts';
import { finished, startTestEngine } from '../../support/engine.ts';
import { testFolder, tinyPacks } from '../../support/music.ts';
import { trainedLibrary, trainOn } from '../../support/trained.ts';

const RATE = 22_050;

/** A tone of 1 kHz that swells 8 times a second, after a second of a steady one. */
function swelling(file: string, depth = 0.6): string {
  const samples = Float32Array.from({ length: 4 * RATE }, (_, n) => {
    const t = n / RATE;
    const envelope = t < 1 ? 1 : 1 + depth * Math.cos(2 * Math.PI * 8 * t);
    return 0.3 * envelope * Math.sin(2 * Math.PI * 1000 * t);
  });
  writeFileSync(file, encodeWav(samples, RATE, 'pcm16'));
  return file;
}

function strongest({ depth, levels, ratesHz, carriersHz }: ModulationMapInfo) {
  const strength = depth.map(
    (value, i) => value * 10 ** ((levels[Math.floor(i / ratesHz.length)] ?? -60) / 20),
  );
  const at = strength.indexOf(Math.max(...strength));
  return {
    hz: carriersHz[Math.floor(at / ratesHz.length)],
    rate: ratesHz[at % ratesHz.length],
    depth: depth[at],
  };
}

const all = { first: 0, last: CARRIER_BAND_COUNT - 1 };

it('maps a part of a file without a library, keeps a modulation of it and writes nothing over', async () => {
  const { client } = await startTestEngine();
  const folder = testFolder();
  const path = swelling(join(folder, 'swelling.wav'));
  const map = await client.call('modulation.map', { of: { kind: 'file', path, startSeconds: 1.5 } });
  expect([map.carriersHz.length, map.ratesHz.length]).toEqual([CARRIER_BAND_COUNT, MODULATION_RATE_COUNT]);
  expect(map.seconds).toBeCloseTo(2.5, 2);
  const found = strongest(map);
  expect(found.rate).toBe(8);
  expect(Math.abs((found.hz ?? 0) - 1000)).toBeLessThan(60);
  expect(found.depth).toBeCloseTo(0.6, 1);
  const steady = await client.call('modulation.map', {
    of: { kind: 'file', path, startSeconds: 0, endSeconds: 0.9 },
  });
  expect(strongest(steady).depth).toBeLessThan(0.05);

  const file = join(folder, 'kept.wav');
  const request = {
    of: { kind: 'file' as const, path, startSeconds: 1 },
    choice: { carriers: all, rates: { first: 4, last: 4 } },
    file,
  };
  const figures = await client.call('modulation.save', request);
  expect(Math.abs(figures.chosenDb ?? NaN)).toBeLessThan(1);
  const wav = readFileSync(file);
  const peaks = Array.from({ length: (wav.length - 44) / 2 }, (_, i) =>
    Math.abs(wav.readInt16LE(44 + 2 * i)),
  );
  expect(Math.max(...peaks) / 32_768).toBeGreaterThan(0.05);
  expect(Math.max(...peaks) / 32_768).toBeLessThan(0.9);
  await expect(client.call('modulation.save', request)).rejects.toMatchObject({ code: 'bad-input' });
});

it('refuses what has nothing in it, what is gone and what is of no library', async () => {
  const { client } = await startTestEngine();
  const folder = testFolder();
  const path = swelling(join(folder, 'swelling.wav'));
  const ask = (of: Parameters<typeof client.call<'modulation.map'>>[1]['of']) =>
    client.call('modulation.map', { of });
  await expect(ask({ kind: 'file', path, startSeconds: 100 })).rejects.toMatchObject({ code: 'bad-input' });
  await expect(ask({ kind: 'file', path, startSeconds: 2, endSeconds: 1 })).rejects.toMatchObject({
    code: 'bad-input',
  });
  await expect(ask({ kind: 'file', path: join(folder, 'gone.wav') })).rejects.toMatchObject({
    code: 'unreadable',
  });
  await expect(ask({ kind: 'track', trackId: 'a' })).rejects.toMatchObject({ code: 'bad-input' });
  writeFileSync(join(folder, 'text.wav'), 'no sound at all');
  await expect(ask({ kind: 'file', path: join(folder, 'text.wav') })).rejects.toMatchObject({
    code: 'audio',
  });
});

it('maps tracks, classes and sonified prototypes of a library, and plays what is left', async () => {
  const { test, libraryId, experiment } = await trainedLibrary({ perClass: 4 });
  const { client, engine } = test;
  const { tracks } = await client.call('tracks.list', { libraryId });
  const of = { kind: 'track' as const, trackId: tracks[0]?.id ?? '' };
  const own = await client.call('modulation.map', { libraryId, of });
  expect(Math.max(...own.depth)).toBeGreaterThan(0);

  const request = { libraryId, taxonomyId: experiment.taxonomyId, class: experiment.classes[0] ?? '' };
  const started = await client.call('modulation.classMap', { ...request, tracks: 3 });
  const mean = await finished(client, started.jobId, 'modulation-class');
  expect(mean).toMatchObject({ tracks: 3, of: 4, unreadable: 0 });
  const again = await client.call('modulation.classMap', { ...request, tracks: 3 });
  expect(await finished(client, again.jobId, 'modulation-class')).toEqual(mean);
  const wrong = await client.call('modulation.classMap', { ...request, class: 'no such class' });
  await expect(finished(client, wrong.jobId, 'modulation-class')).rejects.toThrow(/No track bears/);

  const { jobId } = await client.call('sonify.start', {
    libraryId,
    targets: [{ kind: 'prototype', experimentId: experiment.id, index: 0 }],
  });
  const { sonifications } = await finished(client, jobId, 'sonify');
  const soundId = sonifications[0]?.sonification.id ?? '';
  const sounding = await client.call('modulation.map', { libraryId, of: { kind: 'sound', soundId } });
  expect(sounding.seconds).toBeGreaterThan(0);

  const heard = await client.call('modulation.hear', {
    ...{ libraryId, of },
    choice: { carriers: all, rates: { first: 5, last: 7 } },
  });
  const file = engine.media.resolve(heard.url.split('/').at(-1) ?? '');
  expect(existsSync(file?.path ?? '')).toBe(true);
  expect(heard.durationSeconds).toBeGreaterThan(0);
});

it('learns filters on labels, the same by the same seed, and can be cancelled', async () => {
  const { test, libraryId, experiment } = await trainedLibrary({ perClass: 6 });
  const { client } = test;
  const request = { libraryId, taxonomyId: experiment.taxonomyId, steps: 5, splits: 2 };
  const first = await client.call('modulation.study', request);
  const { report } = await finished(client, first.jobId, 'modulation-study');
  expect(report).toMatchObject({ classes: experiment.classes, tracks: 18, of: 18, unreadable: 0 });
  expect(report.rates.map(({ rateHz }) => rateHz)).toEqual([200, 100, 50, 25, 12.5, 6.25, 3.125]);
  expect(report.filters.learned).toHaveLength(MODULATION_RATE_COUNT);
  expect(report.filters.learned).not.toEqual(report.filters.fixed);
  const again = await client.call('modulation.study', request);
  expect((await finished(client, again.jobId, 'modulation-study')).report).toEqual(report);
  const few = await client.call('modulation.study', { ...request, minimumTracks: 100 });
  await expect(finished(client, few.jobId)).rejects.toMatchObject({ code: 'too-few-labels' });
  const long = await client.call('modulation.study', { ...request, steps: 10_000 });
  await client.call('jobs.cancel', { jobId: long.jobId });
  await expect(finished(client, long.jobId)).rejects.toMatchObject({ code: 'cancelled' });
});

it('keeps learned filters as a space: neighbours, networks of one and of two spaces, and back; the same by the same seed', async () => {
  const on = await startTestEngine({ packFolders: [await tinyPacks(), testFolder()] });
  const { libraryId, taxonomyId } = await trainedLibrary({ perClass: 6, on });
  const { client } = on;
  const learned = async (): Promise<string> => {
    const { jobId } = await client.call('modulation.study', { libraryId, taxonomyId, steps: 20, splits: 2 });
    await finished(client, jobId, 'modulation-study');
    return jobId;
  };
  const first = await learned();
  const kept = await client.call('modulation.keep', { libraryId, jobId: first, title: 'My modulations' });
  // What passes each filter in every band, and the levels of the bands.
  expect(kept.dim).toBe(CARRIER_BAND_COUNT * (MODULATION_RATE_COUNT + 1));
  const packs = await client.call('packs.list', {});
  const pack = packs.find(({ id }) => id === kept.packId);
  expect(pack).toMatchObject({ title: 'My modulations', embedded: false, kind: 'embedding-only' });
  expect(pack?.trainingStatement).toContain('18 tracks of 3 classes');
  expect(pack?.quality.some(({ name }) => name.includes('Learned filters'))).toBe(true);
  const again = await client.call('modulation.keep', {
    ...{ libraryId, jobId: await learned(), title: 'My modulations' },
  });
  expect(again.packId).toBe(kept.packId);
  const same = (await client.call('packs.list', {})).find(({ id }) => id === kept.packId);
  expect(same?.sha256).toBe(pack?.sha256);
  const { jobId: verified } = await client.call('packs.verify', { packId: kept.packId });
  expect((await finished(client, verified, 'verify-pack')).verification).toMatchObject({ ok: true });

  // Before its tracks are embedded by it, a library cannot be seen in it.
  const { packId } = kept;
  await expect(client.call('similarity.use', { libraryId, packId })).rejects.toMatchObject({
    code: 'not-found',
  });
  const imported = await client.call('import.start', { libraryId, packId });
  expect(await finished(client, imported.jobId, 'import')).toMatchObject({ imported: 18, failed: 0 });
  expect(await client.call('similarity.use', { libraryId, packId })).toEqual({ packId, tracks: 18 });
  const { tracks } = await client.call('tracks.list', { libraryId });
  const similar = await client.call('neighbours.similar', {
    libraryId,
    queries: [{ of: { kind: 'track', trackId: tracks[0]?.id ?? '' } }],
  });
  expect(similar.compared).toBe(18);
  const alone = await trainOn(client, libraryId, { taxonomyId });
  expect(alone.space.packId).toBe(packId);
  const spaces = await client.call('libraries.spaces', { libraryId });
  const views = spaces.map(({ key }) => key);
  const together = await trainOn(client, libraryId, { taxonomyId, views: { spaces: views } });
  expect(together.views?.views.map(({ space }) => space.packId).sort()).toEqual(['compact', packId]);
  await client.call('similarity.use', { libraryId, packId: 'compact' });
  expect((await client.call('libraries.get', { libraryId })).packId).toBe('compact');

  const other = await client
    .call('modulation.keep', { libraryId, jobId: imported.jobId, title: 'x' })
    .catch(String);
  expect(other).toContain('No filters were learned');
});
