import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { EvaluationTable } from '../../../engine/api/evaluations.ts';
import { csvOf, latexOf } from '../../../engine/evaluate/files.ts';
import { encodeWav } from '../../../models/audio/index.ts';
import { settled, startTestEngine, type TestEngine } from '../../support/engine.ts';
import { testFolder } from '../../support/music.ts';

const RATE = 12_000;
const NOTES = ['A', 'A#', 'B', 'C', 'C#', 'D', 'D#', 'E', 'F', 'F#', 'G', 'G#'];

interface Tone {
  path: string;
  level: number;
  key: string;
  artist: string;
}

describe('tasks of numbers and keys', { timeout: 240_000 }, () => {
  let engine: TestEngine;
  let folder: string;
  const tones: Tone[] = [];

  /** Major triads on twelve notes, each three times, in all loudnesses. */
  beforeAll(async () => {
    engine = await startTestEngine();
    folder = testFolder();
    mkdirSync(join(folder, 'tones'));
    for (let take = 0; take < 3; take++)
      NOTES.forEach((note, semitone) => {
        const path = `${note.replace('#', 's')}${take}.wav`;
        // All different: equal sounds are copies, which belong together.
        const level = -40 + ((17 * tones.length) % 36);
        const samples = Float32Array.from({ length: RATE / 2 }, (_, n) =>
          [0, 4, 7].reduce(
            (sum, step) =>
              sum +
              (10 ** (level / 20) / 3) *
                Math.sin((2 * Math.PI * 220 * 2 ** ((semitone + step) / 12) * n) / RATE),
            0,
          ),
        );
        writeFileSync(join(folder, 'tones', path), encodeWav(samples, RATE, 'float32'));
        tones.push({ path, level, key: `${note} major`, artist: `Band ${semitone % 4}` });
      });
  });

  const table = (name: string, header: string, lines: readonly string[]): void =>
    writeFileSync(join(folder, name), `${[header, ...lines].join('\n')}\n`);
  const yaml = (task: string, dataset: string, probe = 'ridge', more = ''): string => `experiments:
  - task: { type: ${task} }
    datasets: [{ name: tones, dir: tones, ${dataset} }]
    features: [chroma, log-mel]
    probes: [{ type: ${probe} }]
    split: { kind: folds, folds: 3 }
    windows: 1
${more}`;
  const run = async (text: string): Promise<EvaluationTable> => {
    const path = join(folder, 'evaluation.yml');
    writeFileSync(path, text);
    const { jobId } = await engine.client.call('evaluations.run', { file: { kind: 'file', path } });
    const job = await settled(engine.client, jobId);
    if (job.result?.kind !== 'evaluate') throw Object.assign(new Error(job.error?.message), job.error);
    return engine.client.call('evaluations.table', { evaluationId: job.result.evaluationId });
  };
  const score = ({ rows }: EvaluationTable, space: string, metric: string): number | undefined =>
    rows.find((row) => row.space === space && row.metric === metric)?.mean;

  it('say what each space knows of the sound', async () => {
    const found = await run(yaml('mir_targets', 'type: folders'));
    expect(found).toMatchObject({ cells: 6, planned: 6 });
    // Each of the three folds is a run, and every track is tested once.
    expect(found.rows[0]).toMatchObject({ metric: 'R²', runs: 3, tested: 36 });
    // Chroma is relative to its strongest class: it knows pitch and not level. Bands know both.
    expect(score(found, 'chroma', 'R² of chroma')).toBeGreaterThan(0.8);
    expect(score(found, 'log-mel', 'R² of loudness')).toBeGreaterThan(0.9);
    expect(score(found, 'chroma', 'R² of loudness')).toBeLessThan(0.5);
    // One chord has no tempo, and one onset or none whatever it is.
    expect(score(found, 'log-mel', 'R² of tempo')).toBeUndefined();
    const { evaluationId } = found;
    const { client } = engine;
    const column = { dataset: 'tones', probe: 'ridge', deformation: 'clean' };
    const classes = await client.call('evaluations.classes', { evaluationId, ...column });
    expect(classes.labels).toEqual(expect.arrayContaining(['chroma C#', 'MFCC 12', 'loudness', 'tempo']));
    const pair = { first: 'chroma', second: 'log-mel' };
    expect(await client.call('evaluations.flips', { evaluationId, ...column, ...pair })).toEqual([]);
    expect(csvOf(found)).toContain('tones,chroma,ridge,clean,R² of chroma,0.');
    expect(latexOf(found)).toContain('R\\textsuperscript{2} of chroma');
  });

  it('learn labels that are numbers, in their unit', async () => {
    table(
      'levels.csv',
      'path,labels',
      tones.map(({ path, level }) => `${path},${level}`),
    );
    const found = await run(yaml('regression', 'type: csv, labels: levels.csv'));
    expect(score(found, 'log-mel', 'R²')).toBeGreaterThan(0.9);
    expect(score(found, 'log-mel', 'mean absolute error')).toBeLessThan(3);
    expect(score(found, 'chroma', 'R²')).toBeLessThan(0.5);
    expect(csvOf(found)).toContain('mean absolute error');
  });

  it('weigh keys, and keep artists together', async () => {
    table(
      'keys.csv',
      'path,labels,artist',
      tones.map(({ path, key, artist }, i) => `${path},${i % 2 ? key : key.replace(' major', '')},${artist}`),
    );
    const found = await run(
      yaml('key_estimation', 'type: csv, labels: keys.csv', 'knn, k: 1', '    seeds: [3]\n'),
    );
    expect(score(found, 'chroma', 'weightedScore')).toBe(1);
    expect(score(found, 'chroma', 'accuracy')).toBe(1);
    // Four bands, each with three of the twelve keys: what is held out was never heard.
    const apart = await run(
      yaml('key_estimation', 'type: csv, labels: keys.csv', 'knn, k: 1', '    group_by: artist\n'),
    );
    expect(score(apart, 'chroma', 'accuracy')).toBe(0);
    expect(apart.marks).toMatchObject([{ message: 'Tracks of one artist stay together: there are 4.' }]);
  });

  it('learn from one collection and test on another, by mapped labels', async () => {
    const line = ({ path, key }: Tone): string => `${path},${key.slice(0, 2).trim()}`;
    table('one.csv', 'path,labels', [...tones.slice(0, 24).map(line), 'A2.wav,A']);
    const other = tones.slice(24).map((tone) => line(tone).replace(/,A$/, ',La').replace(/,B$/, ',H'));
    table('other.csv', 'path,labels', [...other, 'A0.wav,A']);
    const found = await run(
      yaml(
        'multiclass_classification',
        'type: csv, labels: one.csv, test_on: { name: others, type: csv, dir: tones, labels: other.csv, mapping: { La: A } }',
        'linear',
      ),
    );
    // Of twelve notes one is in both collections, and one has another name there.
    expect(found.rows[0]).toMatchObject({ dataset: 'tones → others', runs: 1, tested: 10 });
    expect(score(found, 'chroma', 'accuracy')).toBe(1);
    // Ten of ten right: Wilson’s interval is 72 to 100 %; of other figures nothing is said.
    const intervalOf = (metric: string) => found.rows.find((row) => row.metric === metric)?.interval;
    expect(intervalOf('accuracy')).toBeCloseTo(0.139, 3);
    expect(intervalOf('macroF1')).toBeNull();
    expect(found.marks.map(({ message }) => message)).toEqual([
      'Labels of others that no mapping names, not tested: H.',
      'Labels of tones that are learned and not tested: A, B.',
      '2 recordings are in both; they are learned from and not tested.',
    ]);
    table('other.csv', 'path,labels', ['A0.wav,x', 'B0.wav,y']);
    await expect(
      run(
        yaml(
          'multiclass_classification',
          'type: csv, labels: one.csv, test_on: { name: others, type: csv, dir: tones, labels: other.csv }',
          'linear',
        ),
      ),
    ).rejects.toThrow('no track of the second bears a label');
    await expect(
      run(
        yaml(
          'multiclass_classification',
          'type: csv, labels: one.csv, test_on: { name: others, type: csv, dir: tones, labels: other.csv, mapping: { x: Z } }',
          'linear',
        ),
      ),
    ).rejects.toThrow('The `mapping` of others names “Z”, which is no label of tones.');
  });

  it('read an index of mirdata, whose checksums and splits count', async () => {
    const md5 = (path: string): string =>
      createHash('md5')
        .update(readFileSync(join(folder, 'tones', path)))
        .digest('hex');
    const index = (change: (path: string) => string): void =>
      writeFileSync(
        join(folder, 'index.json'),
        JSON.stringify({
          version: '1.0',
          tracks: {
            annotated: { notes: ['notes.txt', 'ab'] },
            ...Object.fromEntries(
              tones.map(({ path }, i) => [`t${i}`, { audio: [path, change(path)], notes: [null, null] }]),
            ),
          },
        }),
      );
    index(md5);
    table(
      'ids.csv',
      'id,labels,split',
      tones.map(({ key }, i) => `t${i},${key},${i < 24 ? 'train' : 'test'}`),
    );
    const text = yaml(
      'multiclass_classification',
      'type: mirdata, index: index.json, labels: ids.csv',
      'linear',
    );
    const given = text.replace('{ kind: folds, folds: 3 }', '{ kind: given }');
    const found = await run(given);
    expect(found.rows[0]).toMatchObject({ runs: 1, tested: 12 });
    expect(score(found, 'chroma', 'accuracy')).toBe(1);
    index((path) => (path === 'C1.wav' ? '0'.repeat(32) : md5(path)));
    await expect(run(given)).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringMatching(/C1\.wav .*checksum differs/) as string,
    });
    table('ids.csv', 'id,labels,split', ['t0,x,train', 'nobody,y,test']);
    await expect(run(given)).rejects.toThrow('“nobody”');
    writeFileSync(join(folder, 'index.json'), '[]');
    await expect(run(given)).rejects.toThrow('is no index of mirdata');
  });

  it.each([
    ['regression', 'ridge', 'loud', 'is no number: “loud”'],
    ['regression', 'ridge', '3', 'bear the same number'],
    ['key_estimation', 'linear', 'H minor', 'is no key: “H minor”'],
    ['regression', 'linear', null, 'Nothing of this evaluation can be run'],
    ['mir_targets', 'knn', null, 'Nothing of this evaluation can be run'],
    ['multiclass_classification', 'ridge', null, 'Nothing of this evaluation can be run'],
  ])('refuses %s by %s where labels are “%s”', async (task, probe, label, message) => {
    table(
      'odd.csv',
      'path,labels',
      tones.map(({ path }, i) => `${path},${label ?? i % 2}`),
    );
    await expect(run(yaml(task, 'type: csv, labels: odd.csv', probe))).rejects.toThrow(message);
  });
});
