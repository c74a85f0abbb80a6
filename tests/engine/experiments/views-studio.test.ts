import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import type { Experiment } from '../../../engine/api/experiments.ts';
import type { PrototypeEdit, PrototypeInfo } from '../../../engine/api/prototypes.ts';
import { npzArrays } from '../../support/npz.ts';
import { importFolder, startTestEngine, tracksByPath, type TestEngine } from '../../support/engine.ts';
import { classSound, testFolder, writeMusic, writeSound } from '../../support/music.ts';
import { writeTinyPack } from '../../support/tiny-pack.ts';
import { exported, trainOn } from '../../support/trained.ts';

const manifestSchema = z.object({
  kind: z.literal('experiment'),
  pack: z.null(),
  space: z.null(),
  counts: z.object({ prototypes: z.number() }),
  licences: z.array(z.object({ part: z.string() })),
  views: z.array(
    z.object({
      folder: z.string(),
      first: z.number(),
      prototypes: z.number(),
      pack: z.object({ id: z.string(), sha256: z.string(), embeddingDim: z.number() }),
      space: z.object({ key: z.string() }),
      audio: z.object({ steps: z.number() }).nullable(),
      map: z.object({ method: z.string() }),
    }),
  ),
  files: z.array(z.object({ path: z.string() })),
});

/** A library in two spaces; one track is in the second only. */
describe('the prototypes of several views', () => {
  let test: TestEngine;
  let libraryId: string;
  let experiment: Experiment;
  let late: string;

  beforeAll(async () => {
    const packs = testFolder();
    await writeTinyPack(join(packs, 'compact'), { seed: 1, id: 'compact' });
    await writeTinyPack(join(packs, 'other'), { seed: 2, id: 'other' });
    test = await startTestEngine({ packFolders: [packs] });
    const folder = writeMusic({ perClass: 8 });
    const { client } = test;
    await importFolder(client, folder, {});
    writeSound(join(folder, 'bass/bass_late_9.wav'), classSound('bass', 1.6, 77));
    const { library } = await importFolder(client, folder, { packId: 'other' });
    libraryId = library.id;
    const { id: taxonomyId } = await client.call('taxonomies.create', {
      ...{ libraryId, source: { kind: 'folders' } },
    });
    experiment = await trainOn(client, libraryId, {
      ...{ taxonomyId, views: { spaces: ['compact', 'other'] } },
    });
    late = (await tracksByPath(client, libraryId)).get('bass/bass_late_9.wav')?.id ?? '';
  });

  const scope = () => ({ libraryId, experimentId: experiment.id });
  const list = (): Promise<PrototypeInfo[]> => test.client.call('prototypes.list', scope());
  const edit = (change: PrototypeEdit): Promise<Experiment> =>
    test.client.call('prototypes.edit', { ...scope(), edit: change });
  const logitOf = async (trackId: string): Promise<{ class: string; logit: number }> =>
    test.client.call('explain.track', { ...scope(), trackId });

  it('are listed view after view, each with windows of its own space', async () => {
    const found = await list();
    expect(found.map(({ index }) => index)).toEqual([...found.keys()]);
    expect(found.map(({ view }) => view)).toEqual([
      ...new Array<number>(6).fill(0),
      ...new Array<number>(6).fill(1),
    ]);
    for (const view of [0, 1]) {
      const own = found.filter((prototype) => prototype.view === view);
      const windows = own.reduce((sum, { support }) => sum + support, 0);
      expect(windows).toBeGreaterThan(6);
      for (const { nearest, twin } of own) {
        expect(nearest.length).toBe(5);
        expect(own.map(({ index }) => index)).toContain(twin?.index);
      }
      const map = await test.client.call('prototypes.classMap', { ...scope(), class: 'bass', view });
      const drawn = map.points.flatMap((point) => (point.kind === 'prototype' ? [point.index] : []));
      expect(drawn.length).toBeGreaterThan(0);
      expect(drawn.every((index) => found[index]?.view === view)).toBe(true);
    }
  });

  it('are edited with a preview that comes true, and every edit is taken back', async () => {
    const { client } = test;
    const before = await list();
    const track = before[7]?.nearest[0];
    const edits: PrototypeEdit[] = [
      { kind: 'remove', index: 7 },
      { kind: 'weight', index: 2, class: 'mid', value: 9 },
      { kind: 'rename', index: 8, name: 'mine' },
      { kind: 'reassign', index: 9, class: 'bass' },
      { kind: 'merge', indices: [6, 7] },
      { kind: 'split', index: before.findLast(({ support }) => support > 1)?.index ?? 0 },
      {
        ...{ kind: 'add', class: 'high', view: 1 },
        vector: { kind: 'window', trackId: track?.trackId ?? '', windowIndex: track?.windowIndex ?? 0 },
      },
      { kind: 'move', index: 0, vector: { kind: 'track', trackId: track?.trackId ?? '' } },
    ];
    const lateBefore = await logitOf(late);
    for (const change of edits) {
      const preview = await client.call('prototypes.preview', { ...scope(), edit: change });
      const edited = await edit(change);
      const split = edited.metrics.find((metrics) => metrics.split === preview.split);
      expect(preview.accuracy.after, change.kind).toBeCloseTo(split?.accuracy ?? NaN, 9);
      expect(preview.macroF1.after, change.kind).toBeCloseTo(split?.macroF1 ?? NaN, 9);
      const now = await list();
      if (change.kind === 'remove') expect(now).toHaveLength(11);
      if (change.kind === 'rename') expect(now[8]?.name).toBe('mine');
      if (change.kind === 'weight')
        expect(now[2]?.weights).toContainEqual({ class: experiment.classes.indexOf('mid'), weight: 9 });
      if (change.kind === 'merge') expect(now.filter(({ view }) => view === 1)).toHaveLength(5);
      if (change.kind === 'add')
        expect(now.at(-1)).toMatchObject({ class: 'high', view: 1, purity: expect.any(Number) as number });
      // A track that lacks the first view is told by the means of training in its place, those of the edited prototypes too.
      const late1 = await logitOf(late);
      if (change.kind === 'rename') expect(late1.logit).toBeCloseTo(lateBefore.logit, 6);
      await client.call('prototypes.undo', scope());
      expect((await list()).map(({ weights, name }) => [weights, name])).toEqual(
        before.map(({ weights, name }) => [weights, name]),
      );
    }
    expect((await logitOf(late)).logit).toBe(lateBefore.logit);
    const { revisions } = await client.call('prototypes.log', scope());
    expect(revisions[1]?.change).toMatch(/^removed .* #8 in other$/);
  });

  it('are refused in a sentence what is not defined with several views', async () => {
    const cases: [PrototypeEdit, RegExp][] = [
      [{ kind: 'merge', indices: [0, 6] }, /different views/],
      [{ kind: 'freeze', indices: [0], frozen: true }, /not retrained/],
      [{ kind: 'add', class: 'bass', vector: { kind: 'track', trackId: late } }, /to which view/],
    ];
    for (const [change, message] of cases) {
      const failing = edit(change);
      await expect(failing).rejects.toMatchObject({ code: 'several-views' });
      await expect(failing).rejects.toThrow(message);
    }
    await expect(edit({ kind: 'remove', index: 12 })).rejects.toMatchObject({ code: 'not-found' });
    // This track is not embedded in the first view.
    const absent = edit({ kind: 'move', index: 0, vector: { kind: 'track', trackId: late } });
    await expect(absent).rejects.toMatchObject({ code: expect.any(String) as string });
  });

  it('are exported by view, and the classifier decides as the application does', async () => {
    const out = join(testFolder(), 'bundle');
    await exported(test.client, libraryId, {
      ...{ subject: { kind: 'experiment', experimentId: experiment.id }, folder: out },
      formats: ['csv', 'npz', 'parquet', 'mulan', 'meka', 'json', 'onnx', 'wav', 'm3u8'],
    });
    const manifest = manifestSchema.parse(JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8')));
    expect(manifest.views.map(({ pack }) => pack.id)).toEqual(['compact', 'other']);
    expect(manifest.views.map(({ first, prototypes }) => [first, prototypes])).toEqual([
      [0, 6],
      [6, 6],
    ]);
    expect(new Set(manifest.views.map(({ space }) => space.key)).size).toBe(2);
    const paths = manifest.files.map(({ path }) => path);
    for (const path of ['classifier.onnx', 'joint.npz', 'joint.csv', 'split.csv', 'playlists/bass.m3u8'])
      expect(paths).toContain(path);
    for (const { folder, audio } of manifest.views) {
      for (const file of ['csv', 'npz', 'parquet', 'arff', 'xml', 'json'])
        expect(paths).toContain(`${folder}/prototypes.${file}`);
      expect(audio?.steps).toBeGreaterThan(0);
      expect(paths.filter((path) => path.startsWith(`${folder}/audio/`))).toHaveLength(6);
      const rows: Record<string, string>[] = parse(readFileSync(join(out, folder, 'prototypes.csv')), {
        columns: true,
      });
      expect(rows.every((row) => paths.includes(`${folder}/${row['audio'] ?? ''}`))).toBe(true);
    }

    // Read back by the formula, and by another runtime, for a track in both views and for one that lacks the first.
    const session = await InferenceSession.create(readFileSync(join(out, 'classifier.onnx')));
    const tracks = await tracksByPath(test.client, libraryId);
    const joint = npzArrays(join(out, 'joint.npz'));
    const views = manifest.views.map(({ folder }) => npzArrays(join(out, folder, 'prototypes.npz')));
    const of = (arrays: ReturnType<typeof npzArrays>, name: string): ArrayLike<number> => arrays[name] ?? [];
    for (const path of ['mid/mid_hit_0.wav', 'bass/bass_late_9.wav']) {
      const trackId = tracks.get(path)?.id ?? '';
      const why = await test.client.call('explain.track', { ...scope(), trackId });
      const c = experiment.classes.indexOf(why.class);
      const vectors = await Promise.all(
        manifest.views.map(({ pack }) => embeddingsOf(test, libraryId, trackId, pack.id)),
      );
      const n = vectors.find((own) => own !== null)?.length ?? 0;
      const feeds: Record<string, Tensor> = {
        present: new Tensor(
          'float32',
          Float32Array.from({ length: 2 * n }, (_, i) => (vectors[i % 2] ? 1 : 0)),
          [n, 2],
        ),
      };
      manifest.views.forEach(({ pack }, v) => {
        const rows =
          vectors[v] ?? Array.from({ length: n }, () => new Array<number>(pack.embeddingDim).fill(NaN));
        feeds[`features_${v}`] = new Tensor('float32', Float32Array.from(rows.flat()), [
          n,
          pack.embeddingDim,
        ]);
      });
      const { logits, scores } = await session.run(feeds);
      const C = experiment.classes.length;
      const mean = (values: ArrayLike<number>): number =>
        Array.from({ length: n }, (_, row) => Number(values[row * C + c])).reduce((a, b) => a + b, 0) / n;
      expect(mean(logits?.data as Float32Array)).toBeCloseTo(why.logit, 4);
      expect(mean(scores?.data as Float32Array)).toBeGreaterThan(0);
      let own = Number(of(joint, 'bias')[c]);
      views.forEach((view, v) => {
        const K = of(view, 'class_of').length;
        const rows = vectors[v];
        for (let k = 0; k < K; k++) {
          const weight = Number(of(joint, 'weights')[c * 12 + 6 * v + k]);
          expect(weight).toBe(Number(of(view, 'weights')[c * K + k]));
          own +=
            weight *
            (rows
              ? rows.reduce((sum, z) => sum + similarity(view, z, k), 0) / rows.length
              : Number(of(view, 'typical')[k]));
        }
      });
      expect(own).toBeCloseTo(why.logit, 4);
    }
  });
});

/** exp(−mean ((x − p) / scale)²) of the standardised vector, worked out from the arrays alone. */
function similarity(view: ReturnType<typeof npzArrays>, z: readonly number[], k: number): number {
  const at = (name: string, i: number): number => Number(view[name]?.[i]);
  const D = z.length;
  const sum = z.reduce((total, value, d) => {
    const x = (value - at('standardisation_mean', d)) * at('standardisation_scale', d);
    const near = (x - at('mean', 0)) / at('scale', 0) - at('prototypes_normalised', k * D + d);
    return total + near * near;
  }, 0);
  return Math.exp(-sum / D);
}

/** The windows of a track in the space of a pack, as an export of tracks has them; null where it lacks them. */
async function embeddingsOf(
  { client }: TestEngine,
  libraryId: string,
  trackId: string,
  packId: string,
): Promise<number[][] | null> {
  const spaces = await client.call('libraries.spaces', { libraryId });
  const key = spaces.find((space) => space.packId === packId)?.key ?? '';
  const out = join(testFolder(), 'windows');
  await exported(client, libraryId, {
    ...{ folder: out, formats: ['csv'] },
    subject: { kind: 'tracks', trackIds: [trackId], level: 'window', spaces: [key] },
  }).catch(() => null);
  return readWindows(out);
}

function readWindows(folder: string): number[][] | null {
  try {
    const rows: Record<string, string>[] = parse(readFileSync(join(folder, 'tracks.csv')), { columns: true });
    return rows.map((row) =>
      Object.keys(row)
        .filter((name) => /^(?:.*:)?z\d+$/.test(name))
        .map((name) => Number(row[name])),
    );
  } catch {
    return null;
  }
}
