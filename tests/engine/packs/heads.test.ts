import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { strongest } from '../../../engine/classify/tag-files.ts';
import { positiveOf } from '../../../models/backbones/head-card.ts';
import { Random } from '../../../models/numerics/random.ts';
import { HEAD_FILE, HeadSession, readHead, type Head } from '../../../models/packs/index.ts';
import { PackService } from '../../../engine/packs/service.ts';
import { taggerOf } from '../../../engine/packs/tagger.ts';
import { essentiaHeadJson, headGraph, headTwin, writeHead } from '../../support/heads.ts';
import {
  finished,
  importFolder,
  startTestEngine,
  tracksByPath,
  type TestEngine,
} from '../../support/engine.ts';
import { testFolder, tinyPacks, writeMusic } from '../../support/music.ts';
import { essentiaJson, taggerGraph, writeNetwork } from '../../support/networks.ts';
import { Recorder } from '../../support/tensorflow-recorder.ts';
import { frozenGraph } from '../../support/tensorflow-writer.ts';

const EFFNET = { frames: 128, bands: 96, dim: 16, classes: 6 };
const EFFNET_ID = 'discogs-effnet-bsdynamic';
const SIZES = { dim: 16, hidden: 12, classes: 2 };

/** Adds what is among files, its terms accepted. */
async function added(
  { client }: TestEngine,
  paths: string[],
  choices: { headOf?: string; id?: string } = {},
): Promise<{ packId: string; headId: string | null; notes: string[] }> {
  const origin = { kind: 'files' as const, paths };
  const { terms } = await client.call('packs.inspect', { origin, choices });
  const accepted = terms.map(({ id }) => id);
  const { jobId } = await client.call('packs.add', { origin, choices, accepted });
  return finished(client, jobId, 'add-pack');
}

/** The packs of an engine, looked at from beside it. */
function serviceOf({ options }: TestEngine): Promise<PackService> {
  return PackService.open({ packFolders: options.packFolders, dataFolder: testFolder() });
}

async function withEffnet(): Promise<{ engine: TestEngine; packs: string; files: string }> {
  const [packs, files] = [testFolder(), testFolder()];
  const engine = await startTestEngine({ packFolders: [await tinyPacks(), packs] });
  await added(engine, [writeNetwork(files, 'effnet', taggerGraph(EFFNET).onnx, essentiaJson())]);
  return { engine, packs, files };
}

/** A head that lies in a folder, as if it had been added. */
async function placed(onnx: Uint8Array, changes: Record<string, unknown>): Promise<Head> {
  const folder = testFolder();
  writeFileSync(join(folder, 'head.onnx'), onnx);
  const manifest = {
    schema: 'archetone.pack-head/1',
    ...{ id: 'h', title: 'h', packId: 'p', licence: 'CC0', attribution: 'nobody' },
    ...{ trainingData: { statement: '' }, embeddingDim: 16, sources: [], positive: null },
    ...{ input: 'model/Placeholder', output: 'model/Softmax', classes: ['a', 'b'] },
    graph: {
      file: 'head.onnx',
      sha256: createHash('sha256').update(onnx).digest('hex'),
      bytes: onnx.length,
    },
    ...changes,
  };
  writeFileSync(join(folder, HEAD_FILE), JSON.stringify(manifest));
  return readHead(folder);
}

describe('a head', () => {
  it.each([
    { end: 'softmax', output: 'model/Softmax', batch: undefined },
    { end: 'sigmoid', output: 'model/Sigmoid', batch: 8 },
  ] as const)('with $end says what its twin does, of any number of rows', async ({ end, output, batch }) => {
    const { onnx, weights } = headGraph(SIZES, { end, ...(batch === undefined ? {} : { batch }) });
    const head = await placed(onnx, { output, ...(batch === undefined ? {} : { batch }) });
    const session = await HeadSession.open(head, { provider: 'cpu', threads: 1 });
    const rows = new Random(2).normals(11 * SIZES.dim);
    const said = await session.predict(rows, 11);
    const twin = headTwin(weights, end);
    for (let row = 0; row < 11; row++)
      twin(rows.subarray(row * SIZES.dim, (row + 1) * SIZES.dim)).forEach((value, c) =>
        expect(said[row * 2 + c]).toBeCloseTo(value, 5),
      );
    await expect(session.predict(rows, 10)).rejects.toBeInstanceOf(RangeError);
    await session.close();
  });

  it('says what NumPy does where it is there', async ({ skip }) => {
    const python = process.env['ARCHETONE_PYTHON'] ?? 'python3';
    try {
      execFileSync(python, ['-c', 'import numpy'], { stdio: 'ignore' });
    } catch {
      skip('no Python with NumPy');
    }
    const { onnx, weights } = headGraph(SIZES);
    const session = await HeadSession.open(await placed(onnx, {}), { provider: 'cpu', threads: 1 });
    const rows = new Random(2).normals(11 * SIZES.dim);
    const said = await session.predict(rows, 11);
    await session.close();
    const script = `
import json, sys, numpy as np
d = {k: np.array(v) for k, v in json.load(sys.stdin).items()}
h = np.maximum(d["rows"].reshape(11, -1) @ d["first"].reshape(-1, len(d["bias"])) + d["bias"], 0)
e = h @ d["second"].reshape(len(d["bias"]), -1)
e = np.exp(e - e.max(1, keepdims=True))
print(json.dumps((e / e.sum(1, keepdims=True)).ravel().tolist()))`;
    const lists = Object.entries({ rows, ...weights }).map(([name, values]) => [name, [...values]]);
    const input = JSON.stringify(Object.fromEntries(lists));
    const wanted = z
      .array(z.number())
      .parse(JSON.parse(execFileSync(python, ['-c', script], { input, encoding: 'utf8' })));
    expect(wanted).toHaveLength(said.length);
    wanted.forEach((value, i) => expect(said[i]).toBeCloseTo(value, 5));
  });

  it('gives a track one of two classes that deny each other, whatever the threshold', () => {
    const classes = ['not_danceable', 'danceable'];
    const given = (danceable: number, threshold: number, positive: string | null = 'danceable') =>
      strongest(
        { classes, means: Float32Array.of(1 - danceable, danceable), positive },
        { threshold, most: 5 },
      );
    expect(given(0.4, 0.3)).toEqual(['danceable']);
    expect(given(0.2, 0.3)).toEqual(['not_danceable']);
    expect(given(0.4, 0.7)).toEqual([]);
    expect(given(0.4, 0.3, null)).toEqual(classes);
  });

  it('has its positive class wherever it stands, and none where neither denies the other', () => {
    expect(positiveOf(['happy', 'non_happy'])).toBe('happy');
    expect(positiveOf(['non_sad', 'sad'])).toBe('sad');
    expect(positiveOf(['not_danceable', 'Danceable'])).toBe('Danceable');
    expect(positiveOf(['voice', 'instrumental'])).toBeNull();
    expect(positiveOf(['a', 'not_a', 'b'])).toBeNull();
  });
});

describe('heads of a pack', () => {
  it('are added, say the mean of what they say of each patch, and go with their pack', async () => {
    const { engine, packs, files } = await withEffnet();
    const { client } = engine;
    const { onnx, weights } = headGraph(SIZES);
    const path = writeHead(files, 'danceability-discogs-effnet-1', onnx);
    const proposal = await client.call('packs.inspect', { origin: { kind: 'files', paths: [path] } });
    expect(proposal).toMatchObject({
      pack: null,
      head: {
        ...{ id: 'danceability', packId: EFFNET_ID, embeddingDim: 16 },
        ...{ classes: ['danceable', 'not_danceable'], positive: 'danceable' },
      },
      terms: [{ nonCommercial: true }],
    });
    // The JSON names the same model in another file.
    expect(proposal.notes.join()).toMatch(/names discogs-effnet-bs64-1; .* mean nothing/);
    const refused = await client.call('packs.add', { origin: { kind: 'files', paths: [path] } });
    await expect(finished(client, refused.jobId, 'add-pack')).rejects.toThrow(/not accepted/);
    expect(await added(engine, [path])).toMatchObject({ headId: 'danceability' });
    await expect(added(engine, [path])).rejects.toThrow(/has a head danceability already/);
    const info = (await client.call('packs.list', {})).find(({ id }) => id === EFFNET_ID);
    expect(info?.heads).toMatchObject([{ id: 'danceability', nonCommercial: true }]);
    expect(readdirSync(join(packs, '.heads', EFFNET_ID, 'danceability')).sort()).toEqual([
      'head.json',
      'head.onnx',
    ]);

    const folder = writeMusic({ perClass: 1, seconds: 4 });
    const { library } = await importFolder(client, folder, { packId: EFFNET_ID });
    const [track] = [...(await tracksByPath(client, library.id)).values()];
    const asked = { libraryId: library.id, trackId: track?.id ?? '', packId: EFFNET_ID };
    const taggram = await client.call('tags.track', { ...asked, headId: 'danceability' });
    expect(taggram).toMatchObject({ headId: 'danceability', positive: 'danceable' });
    expect(taggram.classes).toEqual(['danceable', 'not_danceable']);
    const own = await client.call('tags.track', asked);
    expect(own).toMatchObject({ headId: null, positive: null, classes: { length: 6 } });
    expect(Array.from(taggram.startSeconds)).toEqual(Array.from(own.startSeconds));

    // All tracks: each bears the class of the larger mean, and a taxonomy of its own holds that.
    const { jobId } = await client.call('tags.library', {
      ...{ libraryId: library.id, packId: EFFNET_ID, headId: 'danceability', most: 1, name: 'Moves' },
    });
    const tagged = await finished(client, jobId, 'tag-library');
    expect(tagged).toMatchObject({ tracks: 3, labelled: 3, failed: 0 });
    const [made] = (await client.call('taxonomies.list', { libraryId: library.id })).filter(
      ({ id }) => id === tagged.taxonomyId,
    );
    expect(made).toMatchObject({ name: 'Moves', multilabel: false, labelledTracks: 3 });
    expect(made?.source).toMatchObject({ kind: 'heard', headId: 'danceability' });
    const rows = await client.call('tracks.list', {
      ...{ libraryId: library.id, taxonomyId: tagged.taxonomyId, offset: 0, limit: 10 },
    });
    const [danceable = NaN, not = NaN] = taggram.means;
    expect(rows.tracks.find(({ id }) => id === track?.id)?.labels).toEqual([
      danceable > not ? 'danceable' : 'not_danceable',
    ]);
    // Its means are kept: columns tell them, and another threshold needs no hearing.
    const columns = await client.call('tracks.list', {
      ...{ libraryId: library.id, tags: [`${EFFNET_ID}#danceability/danceable`] },
    });
    expect(columns.tracks.find(({ id }) => id === track?.id)?.tags).toEqual({
      [`${EFFNET_ID}#danceability/danceable`]: danceable,
    });
    expect(await client.call('tags.kept', { libraryId: library.id })).toMatchObject([
      { packId: EFFNET_ID, headId: 'danceability', tracks: 3 },
      // The player heard one track.
      { packId: EFFNET_ID, headId: null, tracks: 1 },
    ]);
    const moved = `${folder}-away`;
    renameSync(folder, moved);
    const other = await client.call('tags.library', {
      ...{ libraryId: library.id, packId: EFFNET_ID, headId: 'danceability', threshold: 0, taxonomy: false },
    });
    expect(await finished(client, other.jobId, 'tag-library')).toMatchObject({ taxonomyId: null, tracks: 3 });
    renameSync(moved, folder);
    // Reading it again hears nothing again, and loses nothing.
    const again = await client.call('taxonomies.refresh', {
      libraryId: library.id,
      taxonomyId: tagged.taxonomyId ?? '',
    });
    expect(again.labels).toEqual(made?.labels);
    const nobody = { libraryId: library.id, packId: EFFNET_ID, threshold: 1 };
    const none = await client.call('tags.library', { ...nobody, headId: 'danceability' });
    await expect(finished(client, none.jobId, 'tag-library')).rejects.toThrow(/reaches 1 in any of 3 tracks/);
    await expect(client.call('tags.library', { ...nobody, headId: 'nope' })).rejects.toMatchObject({
      code: 'pack',
    });

    // Against the twin: what it says of each patch, not what it says of the mean of their embeddings.
    const service = await serviceOf(engine);
    const tagger = await taggerOf({ packs: service }, { packId: EFFNET_ID, headId: 'danceability' });
    const runtime = await service.runtime(EFFNET_ID);
    const { windowSamples } = runtime.pack.manifest;
    const sound = new Random(1).normals(2 * windowSamples).map((value) => 0.1 * value);
    const patches = await runtime.patchEmbeddings(sound, 2);
    const twin = headTwin(weights, 'softmax');
    const said = await tagger.predict(sound, 2);
    expect([patches.length, said.length]).toEqual([4 * 16, 4 * 2]);
    const each = [0, 1, 2, 3].map((i) => patches.subarray(i * 16, (i + 1) * 16));
    each
      .flatMap((row) => twin(row))
      .forEach((value, i) => {
        expect(said[i]).toBeCloseTo(value, 5);
      });
    const embedding = await runtime.embed(sound, 2);
    each[0]?.forEach((value, d) => {
      expect(embedding[d]).toBeCloseTo((value + (each[1]?.[d] ?? NaN)) / 2, 5);
    });

    const never = new AbortController().signal;
    expect(await service.verify(EFFNET_ID, never)).toEqual({ packId: EFFNET_ID, ok: true, problems: [] });
    appendFileSync(join(packs, '.heads', EFFNET_ID, 'danceability', 'head.onnx'), 'x');
    const verified = await service.verify(EFFNET_ID, never);
    expect(verified).toMatchObject({ ok: false, problems: [{ file: 'danceability/head.onnx' }] });
    expect(verified.problems[0]?.hint).not.toBe('');
    await service.close();

    await client.call('packs.remove', { packId: EFFNET_ID });
    expect(readdirSync(join(packs, '.heads'))).toEqual([]);
  }, 60_000);

  it('come as frozen TensorFlow graphs, to the pack that is named', async () => {
    const { engine, files } = await withEffnet();
    const recorder = new Recorder(3);
    const row = recorder.input('model/Placeholder', new Random(5).normals(16), [1, 16]);
    const inner = recorder.unary(
      'Relu',
      recorder.dense(row, 12, 'model/dense'),
      'model/dense/Relu',
      (value) => Math.max(0, value),
    );
    const end = recorder.unary(
      'Sigmoid',
      recorder.dense(inner, 3, 'model/dense_1'),
      'model/Sigmoid',
      (value) => 1 / (1 + Math.exp(-value)),
    );
    writeFileSync(join(files, 'moods.pb'), frozenGraph(recorder.nodes));
    const json = essentiaHeadJson({
      name: 'moods',
      classes: ['calm', 'dark', 'epic'],
      schema: {
        inputs: [{ name: 'model/Placeholder', shape: ['batch_size', 16] }],
        outputs: [{ name: 'model/Sigmoid', output_purpose: 'predictions' }],
      },
    });
    writeFileSync(join(files, 'moods.json'), JSON.stringify(json));
    const result = await added(engine, [join(files, 'moods.pb')], { headOf: EFFNET_ID });
    expect(result).toMatchObject({ headId: 'moods', packId: EFFNET_ID });
    const service = await serviceOf(engine);
    const head = service.heads.get(EFFNET_ID, 'moods');
    const said = await service.heads.predict(head, Float32Array.from(row.data), 1, 'compute');
    await service.close();
    Array.from(end.data).forEach((value, c) => expect(said[c]).toBeCloseTo(value, 5));
    await engine.client.call('packs.removeHead', { packId: EFFNET_ID, headId: 'moods' });
    await expect(
      engine.client.call('packs.removeHead', { packId: EFFNET_ID, headId: 'moods' }),
    ).rejects.toMatchObject({ code: 'pack' });
  }, 60_000);

  it('are refused where they do not fit, with what to do, and leave nothing', async () => {
    const { engine, packs, files } = await withEffnet();
    const wide = writeHead(files, 'wide', headGraph({ ...SIZES, dim: 20 }).onnx);
    await expect(added(engine, [wide])).rejects.toThrow(
      /takes embeddings of 20 numbers, which no pack here gives/,
    );
    await expect(added(engine, [wide], { headOf: EFFNET_ID })).rejects.toThrow(
      /embeddings of 20 numbers, the pack discogs-effnet-bsdynamic gives 16/,
    );
    const { onnx } = headGraph(SIZES);
    const other = writeHead(files, 'other', onnx, essentiaHeadJson({ classes: ['a', 'b', 'c'] }));
    await expect(added(engine, [other])).rejects.toThrow(
      /2 numbers for each patch, the JSON beside it 3 classes/,
    );
    const twice = writeHead(files, 'twice', onnx, essentiaHeadJson({ classes: ['a', 'a'] }));
    await expect(added(engine, [twice])).rejects.toThrow(/names the class “a” twice/);
    const misnamed = writeHead(files, 'misnamed', headGraph(SIZES, { input: 'elsewhere' }).onnx);
    await expect(added(engine, [misnamed])).rejects.toThrow(/no input named model\/Placeholder/);
    const dead = writeHead(files, 'dead', deadHead());
    await expect(added(engine, [dead])).rejects.toThrow(/says the same of every embedding/);
    // Two packs with as many numbers: nobody is asked to guess.
    await added(engine, [join(files, 'effnet.onnx')], { id: 'effnet-again' });
    const fine = writeHead(files, 'fine', onnx);
    await expect(added(engine, [fine])).rejects.toThrow(/Several packs give embeddings of 16 numbers/);
    const heads = join(packs, '.heads');
    rmSync(heads, { recursive: true, force: true });
    expect(await added(engine, [fine], { headOf: 'effnet-again' })).toMatchObject({ packId: 'effnet-again' });
    expect(readdirSync(heads)).toEqual(['effnet-again']);
  }, 60_000);
});

/** Its weights are zeros. */
function deadHead(): Uint8Array {
  const { onnx, weights } = headGraph(SIZES);
  const bytes = Buffer.from(onnx);
  for (const part of [weights.first, weights.bias, weights.second]) {
    const at = bytes.indexOf(Buffer.from(part.buffer));
    if (at < 0) throw new Error('the weights lie elsewhere');
    bytes.fill(0, at, at + part.byteLength);
  }
  return bytes;
}
