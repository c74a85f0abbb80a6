import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { predictionsOf } from '../../../engine/evaluate/predictions.ts';
import { embedAudio } from '../../../engine/import/embed-deformed.ts';
import { soundingPatches, type Tagger } from '../../../engine/packs/tagger.ts';
import { cellSchema } from '../../../engine/evaluate/cell-files.ts';
import { encodeWav } from '../../../models/audio/index.ts';
import { headAnswers, labelsOfClasses } from '../../../models/probes/head.ts';
import { Random } from '../../../models/numerics/random.ts';
import { finished, settled, startTestEngine, type TestEngine } from '../../support/engine.ts';
import { testFolder, tinyPacks } from '../../support/music.ts';
import { headGraph, writeHead } from '../../support/heads.ts';
import { essentiaJson, taggerGraph, writeNetwork } from '../../support/networks.ts';

const PACK = 'discogs-effnet-bsdynamic';
/** Two windows of the pack. */
const SAMPLES = 2 * 190 * 256;

async function add({ client }: TestEngine, path: string): Promise<void> {
  const origin = { kind: 'files' as const, paths: [path] };
  const { terms } = await client.call('packs.inspect', { origin });
  const { jobId } = await client.call('packs.add', { origin, accepted: terms.map(({ id }) => id) });
  await finished(client, jobId, 'add-pack');
}

it('asks heads of their backbone beside what learns, by the mean of what they say of each patch', async () => {
  const [files, music] = [testFolder(), testFolder()];
  const random = new Random(1);
  for (const [name, hertz] of [
    ['low', 200],
    ['high', 3000],
  ] as const) {
    mkdirSync(join(music, 'music', name), { recursive: true });
    for (let i = 0; i < 4; i++) {
      const sound = Float32Array.from(
        { length: SAMPLES },
        (_, n) => 0.3 * Math.sin((2 * Math.PI * (hertz + 20 * i) * n) / 16_000) + 0.02 * random.normal(),
      );
      writeFileSync(join(music, 'music', name, `${i}.wav`), encodeWav(sound, 16_000, 'float32'));
    }
  }
  const engine = await startTestEngine({ packFolders: [await tinyPacks(), testFolder()] });
  const { client } = engine;
  const sizes = { frames: 128, bands: 96, dim: 16, classes: 6 };
  await add(engine, writeNetwork(files, 'effnet', taggerGraph(sizes).onnx, essentiaJson()));
  await add(engine, writeHead(files, 'head', headGraph({ dim: 16, hidden: 12, classes: 2 }).onnx));
  const file = join(music, 'evaluation.yml');
  writeFileSync(
    file,
    `experiments:
  - task: { type: multiclass_classification }
    datasets: [{ name: tones, type: folders, dir: music,
      deformations: [[{ type: Gain, params: { min_gain_in_db: -6, max_gain_in_db: -6 } }]] }]
    features: [${PACK}, chroma]
    probes:
      - { type: knn, k: 1 }
      - { type: head, name: danceability, mapping: { danceable: low, not_danceable: high } }
      - { type: head, name: danceability }
      - { type: head, mapping: { Folk: low, nothing: high } }
      - { type: head, name: absent }
    split: { kind: folds, folds: 2 }
    windows: all
`,
  );
  const { jobId } = await client.call('evaluations.run', { file: { kind: 'file', path: file } });
  const job = await settled(client, jobId);
  if (job.result?.kind !== 'evaluate') throw new Error(job.error?.message ?? 'no result');
  const { evaluationId } = job.result;
  const table = await client.call('evaluations.table', { evaluationId });
  expect([...new Set(table.rows.map(({ space, probe }) => `${space} ${probe}`))]).toEqual([
    `${PACK} 1-NN`,
    `${PACK} head danceability`,
    `${PACK} its own tags`,
    'chroma 1-NN',
  ]);
  const marks = table.marks.map(({ message }) => message);
  expect(marks).toContainEqual(expect.stringContaining('None of its classes is a label of the task'));
  expect(marks).toContainEqual('No class of it says the labels high; they are never given.');
  expect(marks).toContainEqual('It has no class nothing, which `mapping` names.');
  expect(marks).toContainEqual(expect.stringMatching(/has no head “absent”.*It is not run/));
  expect(marks).toContainEqual(expect.stringMatching(/“chroma” has no head “danceability”/));

  // The command line's own way to the same predictions.
  const means = new Map<string, Float32Array>();
  const request = { packId: PACK, headId: 'danceability', paths: [join(music, 'music')] };
  for await (const event of client.stream('tags.files', request))
    if (event.type === 'file') means.set(event.path, event.taggram.means);
  expect(means.size).toBe(8);
  const folder = join(engine.dataFolder, 'evaluations', evaluationId);
  const cells = readdirSync(folder)
    .filter((name) => /^[0-9a-f]{24}\.json$/.test(name))
    .map((name) => cellSchema.parse(JSON.parse(readFileSync(join(folder, name), 'utf8'))))
    .filter(({ probe, deformation }) => probe === 'head danceability' && deformation === 'clean');
  const answers = cells.flatMap((cell) => cell.answers);
  expect(answers).toHaveLength(8);
  for (const [path, labels] of answers) {
    const [danceable = NaN, not = NaN] = means.get(join(music, 'music', ...path.split('/'))) ?? [];
    expect(labels).toEqual([danceable > not ? 'low' : 'high']);
  }
  // Its clean vectors are compared, not what was said of them.
  expect(table.similarities).toMatchObject([{ first: PACK, second: 'chroma', tracks: 8 }]);

  // A label that is not there is told before anything runs.
  const odd = join(music, 'odd.yml');
  writeFileSync(odd, readFileSync(file, 'utf8').replace('danceable: low', 'danceable: loud'));
  const { jobId: oddJob } = await client.call('evaluations.run', { file: { kind: 'file', path: odd } });
  expect((await settled(client, oddJob)).error).toMatchObject({
    code: 'bad-input',
    message: 'The `mapping` of head danceability names “loud”, which is no label of tones.',
    hint: 'Labels there are high, low: name one of them.',
  });

  // A form asks every head that its spaces have.
  const form = {
    ...{ name: 'f', task: 'single' as const, dataset: { kind: 'folders' as const, name: 'music' } },
    ...{ deformations: [], spaces: [PACK], probes: ['head' as const], seeds: [1], folds: 2, windows: 4 },
  };
  const { text } = await client.call('evaluations.compose', form);
  expect(text).toMatch(/probes:\s+- type: head\s+- type: head\s+name: danceability/);
  await expect(client.call('evaluations.compose', { ...form, spaces: ['chroma'] })).rejects.toMatchObject({
    code: 'bad-input',
  });
}, 240_000);

it('leaves out patches that reach into the silence at the end, unless there is no other', async () => {
  const around = { sampleRate: 10, windowSamples: 20, embeddingDim: 1 };
  const pack = { manifest: around, encoderSha256: '' } as unknown as Tagger['pack'];
  const tagger: Tagger = {
    ...{ pack, headId: null, title: '', classes: ['a'], positive: null, key: '' },
    ...{ patches: 2, patchSeconds: 1, hopSeconds: 1 },
    // The first sample of each patch.
    predict: (waveforms) => Promise.resolve(waveforms.filter((_, i) => i % 10 === 0)),
  };
  const said = async (samples: number): Promise<number[]> => {
    const sound = Float32Array.from({ length: samples }, (_, i) => i + 1);
    const audio = async function* () {
      yield await Promise.resolve(sound);
    };
    return [
      ...(await embedAudio(predictionsOf(tagger), audio(), 'all', new AbortController().signal)).vectors,
    ];
  };
  expect(await said(40)).toEqual([1, 11, 21, 31]);
  expect(await said(39)).toEqual([1, 11, 21]);
  expect(await said(25)).toEqual([1, 11]);
  expect(await said(5)).toEqual([1]);
  // A window of a length that is no binary fraction is whole.
  const whole = { ...tagger, patches: 1, patchSeconds: 0.7 * 3, hopSeconds: 0.7 * 3 };
  expect(soundingPatches(whole, 21)).toBe(1);
  expect(soundingPatches(whole, 20)).toBe(0);
});

it('adds up classes that exclude each other, and lets the surest speak where they do not', () => {
  const labelNames = ['happy', 'sad'];
  const labelOf = labelsOfClasses(['Happy', 'joyful', 'sad', 'other'], labelNames, { joyful: 'happy' });
  expect(labelOf).toEqual([0, 0, 1, -1]);
  const said = {
    features: Float32Array.of(0.3, 0.3, 0.4, 0, 0.1, 0.3, 0.6, 0),
    ...{ count: 2, dim: 4, labels: new Uint8Array(4), labelNames },
    tracks: { of: Int32Array.of(0, 0), ids: ['t'], groups: ['t'] },
  };
  const single = headAnswers(said, labelOf, 'single');
  expect(single.scores[0]).toBeCloseTo(0.5);
  expect([...single.labels].reduce((sum, value) => sum + value)).toBe(1);
  // A sigmoid each: two classes that say one label do not outvote a surer one.
  const apart = { ...said, features: Float32Array.of(0.5, 0.4, 0.8, 0.1, 0.5, 0.4, 0.8, 0.1) };
  const sigmoids = headAnswers(apart, labelOf, 'single');
  expect([...sigmoids.scores].map((value) => value.toFixed(2))).toEqual(['0.50', '0.80']);
  expect([...sigmoids.labels]).toEqual([0, 1]);
  const multi = headAnswers(said, labelOf, 'multi');
  expect([...multi.scores].map((value) => value.toFixed(2))).toEqual(['0.30', '0.50']);
  expect([...multi.labels]).toEqual([0, 1]);
});
