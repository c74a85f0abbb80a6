import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { convertFiles, inspectFiles } from '../../../models/conversion/index.ts';
import { GraphBuilder } from '../../../models/onnx/builder.ts';
import { decodeModel, encodeModel, type ModelMessage } from '../../../models/onnx/proto.ts';
import { Random } from '../../../models/numerics/random.ts';
import { openRuntime, randomTwin, type PackManifest } from '../../../models/packs/index.ts';
import { finished, importFolder, startTestEngine, tracksByPath } from '../../support/engine.ts';
import { testFolder, tinyPacks, writeMusic } from '../../support/music.ts';
import { maestGraph } from '../../support/tiny-maest.ts';
import { vggish } from '../../support/tensorflow-networks.ts';
import { frozenGraph, tfjsModel } from '../../support/tensorflow-writer.ts';
import {
  essentiaJson,
  taggerGraph,
  writeNetwork,
  type NetworkSizes,
  type NetworkTwin,
} from '../../support/networks.ts';

const EFFNET: NetworkSizes = { frames: 128, bands: 96, dim: 16, classes: 6 };

/** Every patch of every window, from the features that the pack itself computes. */
function patchesOf(manifest: PackManifest, features: Float32Array, windows: number): Float32Array[] {
  const { network, featureDim: width } = manifest;
  if (!network) throw new Error('no network');
  const length = features.length / windows;
  return Array.from({ length: windows * network.patches }, (_, i) => {
    const from = Math.floor(i / network.patches) * length + (i % network.patches) * network.hop * width;
    return features.subarray(from, from + network.patch * width);
  });
}

async function collected<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const each of stream) all.push(each);
  return all;
}

function mean(rows: number[][]): number[] {
  return (rows[0] ?? []).map((_, i) => rows.reduce((sum, row) => sum + (row[i] ?? NaN), 0) / rows.length);
}

function worst(found: ArrayLike<number>, wanted: readonly number[]): number {
  expect(found.length).toBe(wanted.length);
  return wanted.reduce((most, value, i) => Math.max(most, Math.abs(value - (found[i] ?? NaN))), 0);
}

/** Adds a network and compares its embeddings and tags with the twin's. */
async function checked(path: string, twin: NetworkTwin, choices = {}): Promise<PackManifest> {
  const { pack } = await convertFiles([{ path }], { packsFolder: testFolder(), choices });
  const { manifest } = pack;
  const runtime = await openRuntime(pack, { threads: 1 });
  const waveforms = new Random(3).normals(2 * manifest.windowSamples).map((value) => 0.1 * value);
  const patches = patchesOf(manifest, await runtime.features(waveforms, 2), 2);
  const each = manifest.network?.patches ?? 0;
  const wanted = [patches.slice(0, each), patches.slice(each)].flatMap((of) => mean(of.map(twin.embedding)));
  expect(worst(await runtime.embed(waveforms, 2), wanted)).toBeLessThan(1e-5);
  if (manifest.network?.tags) {
    const tags = await runtime.tags(waveforms, 2);
    expect(worst(tags, patches.flatMap(twin.tags))).toBeLessThan(1e-5);
  }
  await runtime.close();
  return manifest;
}

describe('networks in ONNX with their JSON', () => {
  it('makes a pack of Essentia’s EffNet: two patches a window, their mean, tags of each', async () => {
    const { onnx, twin } = taggerGraph(EFFNET);
    const path = writeNetwork(testFolder(), 'effnet', onnx, essentiaJson());
    const manifest = await checked(path, twin);
    expect(manifest).toMatchObject({
      id: 'discogs-effnet-bsdynamic',
      kind: 'embedding-only',
      nonCommercial: true,
      sampleRate: 16_000,
      windowSamples: 190 * 256,
      framesPerWindow: 190,
      embeddingDim: 16,
      network: { patch: 128, hop: 62, patches: 2, embedding: { output: 'embeddings' } },
    });
    expect(manifest.licence).toMatch(/CC BY-NC-SA 4\.0/);
    expect(manifest.network?.tags?.classes[1]).toBe('Electronic---House');
    // The network is the very file that was published, and its JSON is told of beside it.
    expect(manifest.graphs.network?.sha256).toBe(createHash('sha256').update(onnx).digest('hex'));
    expect(manifest.sources?.map(({ file }) => file)).toEqual(['effnet.onnx', 'effnet.json']);
  });

  it('fills up a network that takes 64 patches at once, and takes MusiCNN’s and a longer window', async () => {
    const { onnx, twin } = taggerGraph(EFFNET, { batch: 64 });
    const path = writeNetwork(testFolder(), 'bs64', onnx, essentiaJson());
    expect((await checked(path, twin, { windowSeconds: 8 })).network).toMatchObject({
      batch: 64,
      patches: 7,
    });
    const sizes = { frames: 187, bands: 96, dim: 20, classes: 6 };
    const musicnn = taggerGraph(sizes, {
      input: 'model/Placeholder:0',
      outputs: { embeddings: 'model/dense/BiasAdd:0', activations: 'model/Sigmoid:0' },
    });
    const json = essentiaJson({
      name: 'MSD MusiCNN',
      schema: {
        inputs: [{ name: 'model/Placeholder', type: 'float', shape: [187, 96] }],
        outputs: [
          { name: 'model/Sigmoid', output_purpose: 'predictions' },
          { name: 'model/dense/BiasAdd', output_purpose: 'embeddings' },
        ],
      },
      inference: { sample_rate: 16_000, algorithm: 'TensorflowPredictMusiCNN' },
    });
    const manifest = await checked(writeNetwork(testFolder(), 'musicnn', musicnn.onnx, json), musicnn.twin);
    expect(manifest).toMatchObject({
      id: 'msd-musicnn',
      windowSeconds: 2.992,
      network: { patches: 1, hop: 93 },
    });
  });

  it('says Apache-2.0 of VGGish, and feeds what has its bands before its frames', async () => {
    const sizes = { frames: 96, bands: 64, dim: 12, classes: 6 };
    const { onnx, twin } = taggerGraph(sizes, { order: 'one-band-time' });
    const json = essentiaJson({
      name: 'audioset-vggish',
      classes: undefined,
      inference: { sample_rate: 16_000, algorithm: 'TensorflowPredictVGGish' },
    });
    const manifest = await checked(writeNetwork(testFolder(), 'vggish', onnx, json), twin);
    expect(manifest).toMatchObject({ licence: 'audioset-vggish: Apache-2.0', windowSamples: 375 * 160 });
    expect(manifest.nonCommercial).toBeUndefined();
    expect(manifest.network?.tags).toBeUndefined();
  });

  it('chooses the block and the tokens of MAEST', async () => {
    const [frames, bands, tokens, dim] = [316, 96, 5, 8];
    const g = new GraphBuilder('maest');
    const mel = g.input('melspectrogram', 'float32', [1, frames, bands]);
    const start = g.reshape(g.slice(g.reshape(mel, [1, frames * bands]), 0, tokens * dim, 1), [
      1,
      1,
      tokens,
      dim,
    ]);
    for (const block of [6, 7])
      g.output(`PartitionedCall/Identity_${block}`, g.mul(start, block), [1, 1, tokens, dim]);
    const output = (block: number) => ({
      name: `PartitionedCall/Identity_${block}`,
      output_purpose: 'embeddings',
    });
    const json = essentiaJson({
      name: 'discogs-maest-5s-pw',
      schema: {
        inputs: [{ name: 'melspectrogram', shape: [1, frames, bands] }],
        outputs: [output(6), output(7)],
      },
      inference: { sample_rate: 16_000, algorithm: 'TensorflowPredictMAEST' },
    });
    const path = writeNetwork(testFolder(), 'maest', g.build(), json);
    const rows = (patch: Float32Array, block: number) =>
      Array.from({ length: tokens }, (_, i) =>
        Array.from(patch.subarray(i * dim, (i + 1) * dim), (value) => block * value),
      );
    const twin = (embedding: NetworkTwin['embedding']): NetworkTwin => ({ embedding, tags: () => [] });
    const cls = await checked(
      path,
      twin((patch) => rows(patch, 7)[0] ?? []),
    );
    expect(cls).toMatchObject({
      embeddingDim: dim,
      windowSeconds: (316 * 256) / 16_000,
      network: { batch: 1 },
    });
    const stack = (patch: Float32Array, block: number) => {
      const [first = [], second = [], ...others] = rows(patch, block);
      return [...first, ...second, ...mean(others)];
    };
    const choices = { tokens: 'stack', output: 'PartitionedCall/Identity_6' };
    expect(
      (
        await checked(
          path,
          twin((patch) => stack(patch, 6)),
          choices,
        )
      ).embeddingDim,
    ).toBe(3 * dim);
  });

  it('makes the same pack of a frozen graph, and of a model of TensorFlow.js with its weights', async () => {
    const folder = testFolder();
    const shape = [1, 96, 64];
    const { nodes } = vggish(new Float32Array(96 * 64), shape).r;
    writeFileSync(join(folder, 'vggish.pb'), frozenGraph(nodes));
    const { json, weights } = tfjsModel(nodes);
    writeFileSync(join(folder, 'model.json'), JSON.stringify(json));
    writeFileSync(join(folder, 'group1-shard1of1.bin'), weights);
    const sidecar = essentiaJson({
      name: 'audioset-vggish',
      schema: {
        inputs: [{ name: 'model/Placeholder', type: 'float', shape: [96, 64] }],
        outputs: [{ name: 'model/vggish/embeddings', output_purpose: 'embeddings' }],
      },
      inference: { sample_rate: 16_000, algorithm: 'TensorflowPredictVGGish' },
    });
    for (const name of ['vggish.json', 'sidecar.json'])
      writeFileSync(join(folder, name), JSON.stringify(sidecar));
    const twin: NetworkTwin = {
      embedding: (patch) => Array.from(vggish(patch, shape).embedding.data),
      tags: () => [],
    };
    const frozen = await checked(join(folder, 'vggish.pb'), twin);
    expect(frozen.network).toMatchObject({
      patches: 4,
      embedding: { output: 'model/vggish/embeddings', dims: [12] },
    });
    const tfjs = await checked(join(folder, 'model.json'), twin);
    expect(tfjs.graphs.network?.sha256).toBe(frozen.graphs.network?.sha256);
    expect(tfjs.sources?.map(({ file }) => file)).toEqual([
      'model.json',
      'group1-shard1of1.bin',
      'sidecar.json',
    ]);
    const unknown = frozenGraph([
      ...nodes,
      { name: 'end', op: 'FancyNorm', inputs: ['model/vggish/fc2/BiasAdd'], attributes: {} },
    ]);
    writeFileSync(join(folder, 'vggish.pb'), unknown);
    await expect(inspectFiles([join(folder, 'vggish.pb')], { output: 'end' })).rejects.toThrow(
      /vggish\.pb: the operator FancyNorm \(end\)/,
    );
  });

  it('leaves patches out of MAEST, which is another space then', async () => {
    const [sizes, block] = [
      { frames: 316, bands: 96, dim: 16, heads: 2, blocks: 3 },
      'PartitionedCall/Identity_2',
    ];
    const json = essentiaJson({
      name: 'discogs-maest-5s-pw',
      schema: {
        inputs: [{ name: 'melspectrogram', shape: [1, 316, 96] }],
        outputs: [{ name: block, shape: [1, 1, 281, 16], output_purpose: 'embeddings' }],
      },
      inference: { sample_rate: 16_000, algorithm: 'TensorflowPredictMAEST' },
    });
    const path = writeNetwork(testFolder(), 'maest', maestGraph(sizes), json);
    const packsFolder = testFolder();
    const add = (keepEvery?: number) =>
      convertFiles([{ path }], { packsFolder, choices: { keepEvery, tokens: 'stack' } }).then(
        ({ pack }) => pack,
      );
    const [full, trimmed, half] = [await add(), await add(1), await add(2)];
    expect(half.manifest).toMatchObject({ id: 'discogs-maest-5s-pw-every-2', embeddingDim: 48 });
    expect(new Set([full, trimmed, half].map(({ encoderSha256 }) => encoderSha256)).size).toBe(3);
    const sound = new Random(5).normals(full.manifest.windowSamples).map((value) => 0.1 * value);
    const vectors: Float32Array[] = [];
    for (const pack of [full, trimmed, half]) {
      const runtime = await openRuntime(pack, { threads: 1 });
      vectors.push(await runtime.embed(sound, 1));
      await runtime.close();
    }
    const [whole = sound, same = sound, less = sound] = vectors;
    expect(worst(same, Array.from(whole))).toBe(0);
    expect(worst(less, Array.from(whole))).toBeGreaterThan(1e-3);
    await expect(
      inspectFiles([writeNetwork(testFolder(), 'x', taggerGraph(EFFNET).onnx, essentiaJson())], {
        keepEvery: 2,
      }),
    ).rejects.toThrow(/no transformer over patches/);
  });

  it('takes a network that listens to the waveform, by a JSON of its own', async () => {
    const g = new GraphBuilder('wave');
    const wave = g.input('audio', 'float32', ['n', 1, 'samples']);
    const power = g.reduceMean(g.mul(wave, wave), [2], false);
    const peak = g.op('ReduceMax', [wave, g.integers([2])], { keepdims: false });
    g.output('z', g.concat([power, peak], 1), ['n', 2]);
    const json = {
      schema: 'archetone.network/1',
      name: 'power',
      licence: { name: 'CC0-1.0', url: 'https://creativecommons.org/publicdomain/zero/1.0/' },
      frontEnd: { waveform: 8000 },
      ...{ patch: 4000, hop: 2000, input: 'audio', embedding: { output: 'z' } },
    };
    const path = writeNetwork(testFolder(), 'power', g.build(), json);
    const { pack } = await convertFiles([{ path }], { packsFolder: testFolder() });
    expect(pack.manifest).toMatchObject({ windowSeconds: 4, framesPerWindow: 15, embeddingDim: 2 });
    const runtime = await openRuntime(pack, { threads: 1 });
    const [power1 = 0, peak1 = 0] = await runtime.embed(new Float32Array(32_000).fill(0.5), 1);
    expect([power1, peak1]).toEqual([0.25, 0.5]);
    await runtime.close();
    // Its weights are in the graph `network`; a twin shuffles them there.
    const twin = await randomTwin(pack, 1);
    expect(Object.keys(twin.manifest.graphs)).toEqual(['network']);
  });

  it('wants the terms accepted, then embeds a library', async () => {
    const [files, { onnx }] = [testFolder(), taggerGraph(EFFNET)];
    const path = writeNetwork(files, 'effnet', onnx, essentiaJson());
    const added = testFolder();
    const { client } = await startTestEngine({ packFolders: [await tinyPacks(), added] });
    const origin = { kind: 'files' as const, paths: [path] };
    const { terms, notes } = await client.call('packs.inspect', { origin });
    expect(terms).toMatchObject([{ nonCommercial: true, subject: 'discogs-effnet-bsdynamic' }]);
    expect(notes.join(' ')).toMatch(/2 patches of 2\.05 s.* 6 tags/);
    const refused = await client.call('packs.add', { origin });
    await expect(finished(client, refused.jobId, 'add-pack')).rejects.toThrow(/not accepted/);
    // What was accepted is this licence, not whichever the file names by then.
    const accepted = terms.map(({ id }) => id);
    writeNetwork(files, 'effnet', onnx, essentiaJson({ license: 'None of your business' }));
    const other = await client.call('packs.add', { origin, accepted });
    await expect(finished(client, other.jobId, 'add-pack')).rejects.toThrow(/None of your business/);
    writeNetwork(files, 'effnet', onnx, essentiaJson());
    expect(readdirSync(added)).toEqual([]);
    const { jobId } = await client.call('packs.add', { origin, accepted });
    const { packId } = await finished(client, jobId, 'add-pack');
    const info = (await client.call('packs.list', {})).find(({ id }) => id === packId);
    expect(info).toMatchObject({ nonCommercial: true, kind: 'embedding-only', tags: { length: 6 } });
    // Windows of 3.04 s: one and a rest.
    const folder = writeMusic({ perClass: 1, seconds: 4 });
    const { library, result } = await importFolder(client, folder, { packId });
    expect(result).toMatchObject({ failed: 0, windows: 6 });
    const [track] = [...(await tracksByPath(client, library.id)).values()];
    const taggram = await client.call('tags.track', {
      libraryId: library.id,
      trackId: track?.id ?? '',
      packId,
    });
    // Patches of 2.048 s, one every 0.992 s, within 4 s; what reaches beyond the end is left out.
    expect(Array.from(taggram.startSeconds, (start) => start.toFixed(3))).toEqual(['0.000', '0.992']);
    const columns = taggram.classes.map(
      (_, i) => ((taggram.values[i] ?? NaN) + (taggram.values[i + 6] ?? NaN)) / 2,
    );
    expect(worst(taggram.means, columns)).toBeLessThan(1e-6);

    // Tags become labels, and labels a taxonomy.
    const file = join(testFolder(), 'tags.csv');
    const request = { packId, paths: [folder], labels: { file, threshold: 0, most: 2 } };
    const events = await collected(client.stream('tags.files', request));
    expect(events.at(-1)).toEqual({ type: 'done', files: 3, labels: { file, labelled: 3 } });
    expect(events.filter(({ type }) => type === 'file')).toHaveLength(3);
    const taxonomy = await client.call('taxonomies.create', {
      libraryId: library.id,
      source: { kind: 'csv', path: file },
    });
    expect(taxonomy).toMatchObject({ multilabel: true });
    const without = client.stream('tags.files', { packId: 'compact', paths: [folder] });
    await expect(collected(without)).rejects.toThrow(/“compact” has no tags/);
  });

  describe('refuses, says why, and leaves nothing', () => {
    const good = taggerGraph(EFFNET).onnx;
    const changed = (change: (model: ModelMessage) => void): Uint8Array => {
      const model = decodeModel(good);
      change(model);
      return encodeModel(model);
    };
    const withJson = (changes: Record<string, unknown>) => essentiaJson(changes);
    const cases: [what: string, onnx: Uint8Array, json: unknown, says: RegExp, choices?: object][] = [
      ['no JSON beside it', good, undefined, /x\.json: the file cannot be read/],
      ['JSON that is none', good, 'x', /neither Essentia’s nor Archetone’s/],
      [
        'JSON of Archetone with a fault',
        good,
        { schema: 'archetone.network/1', name: 'x' },
        /does not fit: frontEnd/,
      ],
      [
        'a front-end of 64 bands',
        good,
        withJson({ inference: { algorithm: 'TensorflowPredictVGGish' } }),
        /takes \[\?, 128, 96\].* 96 × 64/,
      ],
      [
        'another rate',
        good,
        withJson({ inference: { algorithm: 'TensorflowPredictMusiCNN', sample_rate: 44_100 } }),
        /44100 Hz/,
      ],
      [
        'a front-end that is not there',
        good,
        withJson({ inference: { algorithm: 'TensorflowPredictCREPE' } }),
        /CREPE/,
      ],
      [
        'a front-end by a name of JavaScript',
        good,
        withJson({ inference: { algorithm: 'constructor' } }),
        /its front-end, constructor, is not one/,
      ],
      ['a head', good, withJson({ inference: { algorithm: 'TensorflowPredict2D' } }), /JSON of a head/],
      ['other classes', good, withJson({ classes: ['a', 'b'] }), /has 6 numbers per patch.* 2 classes/],
      ['an output that is not there', good, essentiaJson(), /no output named nothing/, { output: 'nothing' }],
      ['tokens of one row', good, essentiaJson(), /has 1 rows, too few/, { tokens: 'stack' }],
      ['a window shorter than a patch', good, essentiaJson(), /shorter than a patch/, { windowSeconds: 1 }],
      ['int8', good, essentiaJson(), /reduced precision is for/, { precision: 'int8' }],
      [
        'no ONNX at all',
        new TextEncoder().encode('<!DOCTYPE html>'),
        essentiaJson(),
        /x\.onnx: it is not an ONNX model/,
      ],
      [
        'operators of the future',
        changed((m) => (m.opsetImport = [{ domain: '', version: 99 }])),
        essentiaJson(),
        /version 99/,
      ],
      [
        'an operator of its maker',
        changed((m) => Object.assign(m.graph.node[0] ?? {}, { opType: 'Magic', domain: 'org.maker' })),
        essentiaJson(),
        /operator Magic of the domain org\.maker/,
      ],
      [
        'weights in another file',
        changed((m) => {
          const [first] = m.graph.initializer;
          if (first) Object.assign(first, { dataLocation: 1, rawData: new Uint8Array() });
        }),
        essentiaJson(),
        /keeps its weights in another file/,
      ],
      [
        'an operator that there is not',
        changed((m) => Object.assign(m.graph.node[0] ?? {}, { opType: 'NoSuchOperator' })),
        essentiaJson(),
        /cannot be loaded.*NoSuchOperator/,
      ],
    ];
    it.each(cases)('%s', async (_what, onnx, json, says, choices = {}) => {
      const path = writeNetwork(testFolder(), 'x', onnx, json);
      const packsFolder = testFolder();
      await expect(convertFiles([{ path }], { packsFolder, choices })).rejects.toMatchObject({
        message: expect.stringMatching(says) as string,
        hint: expect.stringMatching(/./) as string,
      });
      expect(readdirSync(packsFolder)).toEqual([]);
    });

    it('two networks, or one beside a checkpoint', async () => {
      const folder = testFolder();
      const path = writeNetwork(folder, 'x', good, essentiaJson());
      writeFileSync(join(folder, 'w.pt'), readFileSync(path));
      await expect(inspectFiles([path, join(folder, 'w.pt')])).rejects.toThrow(
        /w\.pt does not belong to the network x\.onnx/,
      );
    });
  });
});
