import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { XMLParser } from 'fast-xml-parser';
import { beforeAll, describe, expect, it } from 'vitest';
import type { EvaluationTable } from '../../../engine/api/evaluations.ts';
import { flipsOf, classesOf } from '../../../engine/evaluate/compare.ts';
import { rowsOf } from '../../../engine/evaluate/table.ts';
import { encodeWav } from '../../../models/audio/index.ts';
import { settled, startTestEngine, type TestEngine } from '../../support/engine.ts';
import { testFolder } from '../../support/music.ts';

const form = {
  name: 'Two notes',
  task: 'single' as const,
  dataset: { kind: 'folders' as const, name: 'notes' },
  deformations: [{ type: 'Gain' as const, value: -6 }],
  spaces: ['chroma', 'modulation'],
  probes: ['knn' as const],
  seeds: [1],
  folds: 2,
  windows: 2,
};

it('says an interval over tracks where every run tests the same ones', () => {
  const cell = (seed: number, right: number) => ({
    ...{
      dataset: 'd',
      space: 's',
      probe: 'p',
      deformation: 'clean',
      seed,
      split: 0,
      tested: 4,
      perLabel: {},
    },
    metrics: { accuracy: right / 4, macroF1: right / 4 },
    answers: ['1', '2', '3', '4'].map((path): [string, string[]] => [path, ['x']]),
  });
  const [accuracy, f1] = rowsOf([cell(1, 3), cell(2, 3)]);
  expect(accuracy?.mean).toBe(0.75);
  expect(accuracy?.interval).toBeCloseTo((0.954 - 0.301) / 2, 2);
  expect(f1?.interval).toBeNull();
  const [folds] = rowsOf([cell(1, 3), { ...cell(1, 2), split: 1, answers: [['5', ['x']]] }]);
  expect(folds?.interval).toBeCloseTo((12.706 * 0.17678) / Math.SQRT2, 2);
});

describe('what the view Evaluate asks for', { timeout: 180_000 }, () => {
  let engine: TestEngine;
  let folder: string;
  let table: EvaluationTable;
  let text: string;

  /** Two notes, six recordings each, which chroma tells apart and loudness does not. */
  beforeAll(async () => {
    engine = await startTestEngine();
    folder = join(testFolder(), 'notes');
    for (const [name, hertz] of Object.entries({ a: 440, 'e-flat': 311.13 })) {
      mkdirSync(join(folder, name), { recursive: true });
      for (let take = 0; take < 6; take++)
        writeFileSync(
          join(folder, name, `${take}.wav`),
          encodeWav(
            Float32Array.from(
              { length: 12_000 },
              (_, n) => 0.05 * (take + 1) * Math.sin((2 * Math.PI * hertz * n) / 24_000),
            ),
            24_000,
            'float32',
          ),
        );
    }
    const { client } = engine;
    ({ text } = await client.call('evaluations.compose', form));
    const file = { kind: 'text' as const, name: 'Two notes.yml', content: text };
    const { jobId } = await client.call('evaluations.run', { file, places: { notes: folder } });
    const job = await settled(client, jobId);
    if (job.result?.kind !== 'evaluate') throw new Error(job.error?.message);
    table = await client.call('evaluations.table', { evaluationId: job.result.evaluationId });
  }, 180_000);

  it('tests on another folder where the form says one', async () => {
    const other = join(testFolder(), 'others');
    for (const name of ['La', 'e-flat']) {
      mkdirSync(join(other, name), { recursive: true });
      const hertz = name === 'La' ? 440 : 311.13;
      const sound = Float32Array.from({ length: 12_000 }, (_, n) => 0.2 * Math.sin((hertz * n) / 3820));
      writeFileSync(join(other, name, 'one.wav'), encodeWav(sound, 24_000, 'float32'));
    }
    const { client } = engine;
    const testOn = { sounds: { kind: 'folders' as const, name: 'others' }, mapping: { La: 'a' } };
    const asked = { ...form, testOn, deformations: [], probes: ['knn' as const] };
    const { text: written } = await client.call('evaluations.compose', asked);
    const file = { kind: 'text' as const, name: 'Across.yml', content: written };
    const places = { notes: folder, others: other };
    const { jobId } = await client.call('evaluations.run', { file, places });
    const job = await settled(client, jobId);
    if (job.result?.kind !== 'evaluate') throw new Error(job.error?.message);
    const { rows } = await client.call('evaluations.table', { evaluationId: job.result.evaluationId });
    expect(rows.find(({ metric, space }) => metric === 'accuracy' && space === 'chroma')).toMatchObject({
      ...{ dataset: 'notes → others', mean: 1, runs: 1, tested: 2 },
    });
    // The others look at the list.
    await client.call('evaluations.remove', { evaluationId: job.result.evaluationId });
  });

  it('looks at parts of hand-made spaces alone, in cells of their own', async () => {
    const { client } = engine;
    const { text: written } = await client.call('evaluations.compose', { ...form, groups: true });
    // The same sounds held out in another way are another experiment.
    const more = written
      .replace('experiments:', '')
      .replace(/split:[^]*?folds: 2/, 'split: { kind: holdout, test: 0.25 }');
    const file = { kind: 'text' as const, name: 'Parts.yml', content: written + more };
    const places = { notes: folder };
    const read = await client.call('evaluations.read', { file, places });
    expect(read.experiments[0]?.spaces).toContain('modulation: 0.5 Hz');
    const { jobId } = await client.call('evaluations.run', { file, places });
    const job = await settled(client, jobId);
    if (job.result?.kind !== 'evaluate') throw new Error(job.error?.message);
    const { evaluationId } = job.result;
    const found = await client.call('evaluations.table', { evaluationId });
    const rates = [0.5, 1, 2, 4, 8, 16, 32, 64].map((rate) => `modulation: ${rate} Hz`);
    expect([...new Set(found.rows.map(({ space }) => space))]).toEqual([
      ...['chroma', 'chroma: means', 'chroma: deviations', 'modulation', ...rates, 'modulation: levels'],
    ]);
    const accuracy = (dataset: string, space: string) =>
      found.rows.find(
        (row) =>
          row.metric === 'accuracy' &&
          row.deformation === 'clean' &&
          row.dataset === dataset &&
          row.space === space,
      );
    expect(accuracy('notes', 'chroma: means')?.mean).toBe(1);
    expect(accuracy('notes', 'chroma: means')?.tested).toBe(12);
    expect(accuracy('notes (2)', 'chroma: means')?.tested).toBe(2);
    const shared = found.similarities.filter(({ dataset }) => dataset === 'notes');
    expect(shared).toHaveLength((13 * 12) / 2);
    // What was known without parts is known with them.
    const cellsOf = (id: string): string[] =>
      readdirSync(join(engine.dataFolder, 'evaluations', id)).filter((name) =>
        /^[0-9a-f]{24}\.json$/.test(name),
      );
    expect(cellsOf(evaluationId)).toEqual(expect.arrayContaining(cellsOf(table.evaluationId)));
    await client.call('evaluations.remove', { evaluationId });
  });

  it('is a file that says what the form says, and what is not there', async () => {
    const file = { kind: 'text' as const, name: 'x.yml', content: text };
    const { client } = engine;
    const info = await client.call('evaluations.read', { file, places: { notes: folder } });
    expect(info).toMatchObject({
      marks: [],
      missing: [],
      experiments: [
        {
          task: 'single',
          datasets: [{ name: 'notes', type: 'folders', deformations: ['gain −6 dB'] }],
          spaces: ['chroma', 'modulation'],
          probes: ['5-NN'],
          ...{ seeds: 1, splits: 2 },
        },
      ],
    });
    expect((await client.call('evaluations.read', { file })).missing).toEqual(['notes']);
    // Only a place that somebody chose is looked at, also where the text says where it is.
    const content = text.replaceAll('dir: notes', `dir: ${folder}`);
    const absolute = { ...file, content };
    expect((await client.call('evaluations.read', { file: absolute })).missing).toEqual([folder]);
    const { jobId } = await client.call('evaluations.run', { file: absolute });
    expect((await settled(client, jobId)).error).toMatchObject({ code: 'missing-folder' });
    const broken = { kind: 'text' as const, name: 'x.yml', content: 'experiments: 3' };
    await expect(client.call('evaluations.read', { file: broken })).rejects.toMatchObject({
      code: 'bad-input',
    });
  });

  it('is listed with its cells, and shown with the file that made it', async () => {
    expect(await engine.client.call('evaluations.list', {})).toMatchObject([
      { evaluationId: table.evaluationId, name: 'Two notes.yml', cells: 8, planned: 8 },
    ]);
    expect(table).toMatchObject({ name: 'Two notes.yml', text, cells: 8, planned: 8 });
  });

  it('scores classes and names the tracks that flip, as the cells say', async () => {
    const { client } = engine;
    const column = {
      evaluationId: table.evaluationId,
      dataset: 'notes',
      probe: '5-NN',
      deformation: 'clean',
    };
    const classes = await client.call('evaluations.classes', column);
    expect(classes).toMatchObject({ labels: ['a', 'e-flat'], spaces: ['chroma', 'modulation'] });
    const flips = await client.call('evaluations.flips', {
      ...column,
      first: 'chroma',
      second: 'modulation',
    });
    const accuracy = (space: string): number =>
      table.rows.find(
        (row) => row.space === space && row.deformation === 'clean' && row.metric === 'accuracy',
      )?.mean ?? NaN;
    // Every track is tested once, so that what flips makes the difference of the accuracies.
    const balance = flips.reduce((sum, { firstRight, secondRight }) => sum + firstRight - secondRight, 0);
    expect(balance / 12).toBeCloseTo(accuracy('chroma') - accuracy('modulation'), 10);
    for (const flip of flips) {
      expect(flip.truth).toEqual([flip.path.split('/')[0]]);
      expect(flip.first.join() === flip.truth.join()).toBe(flip.firstRight === 1);
    }
    const { url } = await client.call('evaluations.audioUrl', {
      ...{ evaluationId: table.evaluationId, dataset: 'notes', track: 'a/0.wav' },
    });
    expect(engine.engine.media.resolve(url.split('/').at(-1) ?? '')?.path).toContain('0.wav');
    await expect(
      client.call('evaluations.audioUrl', {
        ...{ evaluationId: table.evaluationId, dataset: 'notes', track: '../secret.wav' },
      }),
    ).rejects.toMatchObject({ code: 'not-found' });
  });

  it('says what the spaces share', () => {
    expect(table.similarities).toEqual([
      {
        ...{ dataset: 'notes', first: 'chroma', second: 'modulation', tracks: 12 },
        ...{ cka: expect.any(Number) as unknown, rsa: expect.any(Number) as unknown },
      },
    ]);
    for (const { cka, rsa } of table.similarities) {
      expect(Math.abs(cka ?? 2)).toBeLessThan(1.2);
      expect(Math.abs(rsa ?? 2)).toBeLessThanOrEqual(1);
    }
  });

  it('goes on with what is there, which is everything', async () => {
    const { evaluationId } = table;
    const { jobId } = await engine.client.call('evaluations.resume', { evaluationId });
    expect((await settled(engine.client, jobId)).result).toMatchObject({
      kind: 'evaluate',
      evaluationId,
      cells: 8,
    });
  });

  it('is written as CSV, LaTeX, SVG and its own YAML', async () => {
    const { client } = engine;
    const out = testFolder();
    const write = async (format: 'csv' | 'latex' | 'svg' | 'yaml'): Promise<string> => {
      const file = join(out, format);
      await client.call('evaluations.export', { evaluationId: table.evaluationId, format, file });
      return readFileSync(file, 'utf8');
    };
    expect((await write('csv')).split('\n')).toHaveLength(table.rows.length + 2);
    expect(await write('latex')).toContain('\\begin{tabular}');
    expect(await write('yaml')).toBe(text);
    const svg = await write('svg');
    expect(new XMLParser().parse(svg)).toHaveProperty('svg.rect');
    expect(svg.match(/<rect /g)).toHaveLength(4);
    const picture = await client.call('evaluations.picture', { evaluationId: table.evaluationId });
    // The tables, and for each probe what deformations cost.
    expect(picture.svg).toBe(svg);
    expect(svg.match(/<polyline /g)).toHaveLength(2);
    const png = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1]);
    await client.call('evaluations.savePng', { png: png.toString('base64'), file: join(out, 'a.png') });
    expect(readFileSync(join(out, 'a.png'))).toEqual(png);
    await expect(
      client.call('evaluations.savePng', { png: btoa('no picture'), file: join(out, 'b.png') }),
    ).rejects.toMatchObject({ code: 'bad-input' });
    await client.call('evaluations.save', { content: text, file: join(out, 'again.yml') });
    expect(readFileSync(join(out, 'again.yml'), 'utf8')).toBe(text);
    for (const refused of [
      client.call('evaluations.save', { content: 'nothing: 1', file: join(out, 'bad.yml') }),
      // Nothing is written over.
      client.call('evaluations.save', { content: text, file: join(out, 'csv') }),
      write('csv'),
    ])
      await expect(refused).rejects.toMatchObject({ code: 'bad-input' });
    expect(readFileSync(join(out, 'csv'), 'utf8')).toContain('chroma');
  });

  it('is gone when it is removed', async () => {
    const { evaluationId } = table;
    await engine.client.call('evaluations.remove', { evaluationId });
    expect(await engine.client.call('evaluations.list', {})).toEqual([]);
    for (const call of ['evaluations.table', 'evaluations.remove', 'evaluations.resume'] as const)
      await expect(engine.client.call(call, { evaluationId })).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('what two spaces say', () => {
  const cell = (space: string, split: number, answers: [string, string[]][], perLabel = {}) => ({
    ...{ dataset: 'd', space, probe: 'p', deformation: 'clean', seed: 1, split, tested: answers.length },
    ...{ metrics: {}, perLabel, answers },
  });
  const column = { dataset: 'd', probe: 'p', deformation: 'clean' };

  it('is compared over runs that both were tested in, whatever the order of labels', () => {
    const cells = [
      cell('a', 0, [
        ['x', ['k', 'l']],
        ['y', ['k']],
      ]),
      cell('b', 0, [
        ['x', ['l', 'k']],
        ['y', []],
      ]),
      cell('a', 1, [['y', ['k']]]),
      cell('b', 1, [['y', ['k']]]),
      // Tested in one space alone so far.
      cell('a', 2, [['z', ['k']]]),
    ];
    const truth = new Map([
      ['x', { file: '', labels: ['k', 'l'] }],
      ['y', { file: '/y.wav', labels: ['k'] }],
      ['z', { file: '/z.wav', labels: ['k'] }],
    ]);
    expect(flipsOf(cells, column, { first: 'a', second: 'b' }, truth)).toEqual([
      {
        path: 'y',
        sounds: true,
        truth: ['k'],
        first: ['k'],
        second: [],
        runs: 2,
        firstRight: 2,
        secondRight: 1,
      },
    ]);
  });

  it('is averaged by label over the runs in which it is defined', () => {
    const cells = [cell('a', 0, [], { k: 1, l: null }), cell('a', 1, [], { k: 0.5, l: null })];
    expect(classesOf(cells, column)).toEqual({ labels: ['k', 'l'], spaces: ['a'], values: [[0.75, null]] });
  });
});
