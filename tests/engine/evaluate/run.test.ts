import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { EvaluationTable } from '../../../engine/api/evaluations.ts';
import { encodeWav } from '../../../models/audio/index.ts';
import { averagePrecision, rocAuc } from '../../../models/evaluation/metrics/curves.ts';
import { Random } from '../../../models/numerics/random.ts';
import { meanAndInterval } from '../../../engine/evaluate/table.ts';
import { importFolder, startTestEngine, settled, type TestEngine } from '../../support/engine.ts';
import { testFolder } from '../../support/music.ts';

let music: string;
const yaml = (more = ''): string => `experiments:
  - task: { type: multiclass_classification }
    datasets:
      - name: tones
        type: folders
        dir: music
        deformations:
          - - { type: AddGaussianSNR, params: { min_snr_in_db: 10, max_snr_in_db: 10 } }
    features: [chroma, mfcc, nothing]
    probes: [{ type: knn, k: 3 }, { type: linear }]
    split: { kind: folds, folds: 2 }
    windows: 2
${more}`;

/** Two pitch classes, every note with other partials. */
beforeAll(() => {
  music = testFolder();
  const random = new Random(1);
  for (const [name, hertz] of [
    ['a', 440],
    ['e-flat', 311.13],
  ] as const) {
    mkdirSync(join(music, 'music', name), { recursive: true });
    for (let i = 0; i < 6; i++) {
      const bright = random.uniform();
      const samples = Float32Array.from({ length: 12_000 }, (_, n) => {
        const t = n / 24_000;
        return (
          0.3 * Math.sin(2 * Math.PI * hertz * t) +
          0.2 * bright * Math.sin(4 * Math.PI * hertz * t) +
          0.01 * random.normal()
        );
      });
      writeFileSync(join(music, 'music', name, `${i}.wav`), encodeWav(samples, 24_000, 'float32'));
    }
  }
});

async function evaluate(
  engine: TestEngine,
  text: string,
  step: 'conduct' | 'train' | 'deform' = 'conduct',
): Promise<EvaluationTable> {
  const file = join(music, 'evaluation.yml');
  writeFileSync(file, text);
  const { jobId } = await engine.client.call('evaluations.run', { file: { kind: 'file', path: file }, step });
  const job = await settled(engine.client, jobId);
  if (job.error) throw Object.assign(new Error(job.error.message), job.error);
  if (job.result?.kind !== 'evaluate') throw new Error('no result');
  return engine.client.call('evaluations.table', { evaluationId: job.result.evaluationId });
}

const contents = (engine: TestEngine, id: string): Record<string, string> => {
  const folder = join(engine.dataFolder, 'evaluations', id);
  return Object.fromEntries(
    readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
  );
};

describe('an evaluation', () => {
  it('scores every cell over all test tracks, and makes what is missing with equal bytes', async () => {
    const engine = await startTestEngine();
    const table = await evaluate(engine, yaml());
    expect(table).toMatchObject({ cells: 16, planned: 16 });
    expect(table.marks).toMatchObject([{ at: 'experiments[0].features[2]' }]);
    const row = table.rows.find(
      (one) =>
        one.space === 'chroma' &&
        one.probe === '3-NN' &&
        one.deformation === 'clean' &&
        one.metric === 'accuracy',
    );
    // Both folds together test all twelve tracks; chroma cannot miss the pitch class.
    expect(row).toMatchObject({ mean: 1, runs: 2, tested: 12 });
    const before = contents(engine, table.evaluationId);
    const cells = Object.keys(before).filter((name) => /^[0-9a-f]{24}\.json$/.test(name));
    expect(cells).toHaveLength(16);
    for (const name of cells.slice(3, 9))
      rmSync(join(engine.dataFolder, 'evaluations', table.evaluationId, name));
    const again = await evaluate(await engine.restart(), yaml());
    expect(again.rows).toEqual(table.rows);
    expect(contents(engine, table.evaluationId)).toEqual(before);
  });

  it('goes on by itself in the next process, and is not begun twice', async () => {
    let engine = await startTestEngine();
    const file = join(music, 'again.yml');
    writeFileSync(file, yaml('# again'));
    const begun = await engine.client.call('evaluations.run', { file: { kind: 'file', path: file } });
    expect(await engine.client.call('evaluations.run', { file: { kind: 'file', path: file } })).toEqual(
      begun,
    );
    engine = await engine.restart();
    expect(await engine.client.call('evaluations.run', { file: { kind: 'file', path: file } })).toEqual(
      begun,
    );
    const other = await engine.client.call('evaluations.run', {
      file: { kind: 'file', path: file },
      step: 'train',
    });
    expect(other).not.toEqual(begun);
    expect(await settled(engine.client, begun.jobId)).toMatchObject({ state: 'done', result: { cells: 16 } });
    expect(await settled(engine.client, other.jobId)).toMatchObject({ state: 'done' });
  });

  it('is not removed while it runs, and numbers data sets of one name', async () => {
    const engine = await startTestEngine();
    for (const take of ['a/0.wav', 'a/1.wav', 'e-flat/0.wav', 'e-flat/1.wav'])
      cpSync(join(music, 'music', take), join(music, 'fewer', take));
    const twice = yaml('# twice').replace(
      '    features:',
      '      - { name: tones, type: folders, dir: fewer }\n    features:',
    );
    const table = await evaluate(engine, twice);
    expect([...new Set(table.rows.map(({ dataset }) => dataset))]).toEqual(['tones', 'tones (2)']);
    const { evaluationId } = table;
    const { client } = engine;
    for (const dataset of ['tones', 'tones (2)'])
      await client.call('evaluations.audioUrl', { evaluationId, dataset, track: 'a/0.wav' });
    // Begun again, and stopped where it is: its job is there.
    const { jobId } = await client.call('evaluations.resume', { evaluationId });
    await expect(client.call('evaluations.remove', { evaluationId })).rejects.toMatchObject({ code: 'busy' });
    await settled(client, jobId);
    await client.call('evaluations.remove', { evaluationId });
    expect(await client.call('evaluations.list', {})).toEqual([]);
  });

  it('does a step alone', async () => {
    const engine = await startTestEngine();
    const measured = await evaluate(engine, yaml(), 'deform');
    expect(measured).toMatchObject({ cells: 0, planned: 16 });
    const report = contents(engine, measured.evaluationId)['deformations.json'] ?? '';
    expect(report).toContain('"SNR"');
    // What was measured is not measured again: what stands there goes into the report.
    const folder = join(engine.dataFolder, 'evaluations', measured.evaluationId);
    const [kept = ''] = readdirSync(folder).filter((name) => name.startsWith('measured-'));
    const marked = readFileSync(join(folder, kept), 'utf8').replace('"SNR"', '"SNR, marked"');
    writeFileSync(join(folder, kept), marked);
    await evaluate(engine, yaml(), 'deform');
    expect(contents(engine, measured.evaluationId)['deformations.json']).toContain('SNR, marked');
    expect(await evaluate(engine, yaml(), 'train')).toMatchObject({ cells: 8, planned: 16 });
  });

  it('finds an impulse response beside the file, and says which sound cannot be read', async () => {
    const engine = await startTestEngine();
    const room = yaml().replace(
      '{ type: AddGaussianSNR, params: { min_snr_in_db: 10, max_snr_in_db: 10 } }',
      '{ type: ApplyImpulseResponse, params: { ir_path: room.wav } }',
    );
    await expect(evaluate(engine, room, 'deform')).rejects.toMatchObject({
      code: 'unreadable',
      message: expect.stringMatching(/room\.wav/) as string,
    });
    const click = Float32Array.from({ length: 100 }, (_, i) => (i === 0 ? 1 : 0));
    writeFileSync(join(music, 'room.wav'), encodeWav(click, 44_100, 'float32'));
    expect(await evaluate(engine, room, 'deform')).toMatchObject({ cells: 0, planned: 16 });
    for (const name of ['a', 'b']) {
      mkdirSync(join(music, 'broken', name), { recursive: true });
      writeFileSync(join(music, 'broken', name, 'noise.wav'), `no sound ${name}`);
    }
    await expect(
      evaluate(engine, yaml().replace('dir: music', 'dir: broken'), 'deform'),
    ).rejects.toMatchObject({
      code: 'audio',
      message: expect.stringMatching(/^a\/noise\.wav: /) as string,
    });
  });

  it('takes the labels of a library, by its name', async () => {
    const engine = await startTestEngine();
    const { library } = await importFolder(engine.client, join(music, 'music'), {
      name: 'Tones',
      windows: 2,
    });
    const libraryId = library.id;
    await engine.client.call('taxonomies.create', { libraryId, source: { kind: 'folders' }, name: 'Notes' });
    const file = (library: string, taxonomy: string): string =>
      yaml().replace(
        'type: folders\n        dir: music',
        `type: library\n        library: ${library}\n        taxonomy: ${taxonomy}`,
      );
    const byName = await evaluate(engine, file('Tones', 'Notes'), 'train');
    expect(byName).toMatchObject({ cells: 8, planned: 16 });
    expect((await evaluate(engine, file(libraryId, 'Notes'), 'train')).rows).toEqual(byName.rows);
    await expect(evaluate(engine, file('Sounds', 'Notes'))).rejects.toMatchObject({
      code: 'not-found',
      hint: 'Name one of “Tones”.',
    });
    await expect(evaluate(engine, file('Tones', 'Moods'))).rejects.toMatchObject({
      code: 'not-found',
      hint: 'Name one that it has: “Notes”.',
    });
  });

  it('refuses what cannot be run, and keeps nothing of it', async () => {
    const engine = await startTestEngine();
    await expect(evaluate(engine, yaml().replace('dir: music', 'dir: nowhere'))).rejects.toMatchObject({
      code: 'missing-folder',
      hint: expect.stringMatching(/where the data set tones is/) as string,
    });
    await expect(evaluate(engine, yaml().replace('dir: music', 'dir: music/a'))).rejects.toMatchObject({
      code: 'too-few-labels',
    });
    await expect(
      evaluate(engine, yaml().replace('[chroma, mfcc, nothing]', '[nothing]')),
    ).rejects.toMatchObject({ code: 'bad-input' });
    writeFileSync(
      join(music, 'labels.csv'),
      'path,labels,split\na/0.wav,a,train\na/1.wav,b,test\nmusic/a/0.wav,a,test\n',
    );
    await expect(
      evaluate(
        engine,
        yaml()
          .replace(
            'type: folders\n        dir: music',
            'type: csv\n        labels: labels.csv\n        dir: music',
          )
          .replace('{ kind: folds, folds: 2 }', '{ kind: given }'),
      ),
    ).rejects.toMatchObject({ code: 'unreadable' });
    writeFileSync(join(music, 'music', 'copy.wav'), readFileSync(join(music, 'music', 'a', '0.wav')));
    writeFileSync(
      join(music, 'labels.csv'),
      'path,labels,split\na/0.wav,a,train\na/1.wav,b,test\ncopy.wav,a,test\n',
    );
    await expect(
      evaluate(
        engine,
        yaml('# leak')
          .replace(
            'type: folders\n        dir: music',
            'type: csv\n        labels: labels.csv\n        dir: music',
          )
          .replace('{ kind: folds, folds: 2 }', '{ kind: given }'),
      ),
    ).rejects.toMatchObject({ code: 'bad-input', message: expect.stringMatching(/leaks/) as string });
    await expect(evaluate(engine, yaml().replace('folds: 2', 'folds: 50'))).rejects.toMatchObject({
      code: 'bad-input',
    });
    // Nothing was begun, and nothing embedded for it.
    expect(await engine.client.call('evaluations.list', {})).toEqual([]);
    expect(existsSync(join(engine.dataFolder, 'evaluations'))).toBe(false);
    await expect(
      engine.client.call('evaluations.table', { evaluationId: '0123456789abcdef' }),
    ).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('figures', () => {
  it('areas and precision as scikit-learn has them, undefined where they are', () => {
    const [truth, scores] = [
      [0, 0, 1, 1, 0],
      [0.1, 0.4, 0.35, 0.8, 0.4],
    ];
    expect(rocAuc(truth, scores)).toBeCloseTo(4 / 6, 12);
    expect(averagePrecision(truth, scores)).toBeCloseTo(0.75, 12);
    expect(rocAuc([1, 1], [0.2, 0.3])).toBeNull();
    expect(averagePrecision([0, 0], [0.2, 0.3])).toBeNull();
    expect(rocAuc([0, 1], [0.5, 0.5])).toBe(0.5);
    for (const curve of [rocAuc, averagePrecision])
      expect(() => curve([0, 1], [0.5, NaN])).toThrow('Row 1 scores NaN');
  });

  it('interval of the mean after Student', () => {
    expect(meanAndInterval([0.5])).toEqual({ mean: 0.5, interval: null });
    // t(0.975, 2) = 4.3027; deviation 0.1.
    expect(meanAndInterval([0.4, 0.5, 0.6]).interval).toBeCloseTo((4.3027 * 0.1) / Math.sqrt(3), 4);
  });
});
