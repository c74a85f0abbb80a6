import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { readDataset, writeMeka, writeMulan, type WritableSet } from '../../models/datasets/index.ts';
import { Random } from '../../models/numerics/random.ts';
import { runCli } from '../support/cli.ts';
import { testFolder, writeMusic } from '../support/music.ts';

/** Sixty rows around three centres, two labels that follow from them. */
function threeClouds(): WritableSet {
  const random = new Random(4);
  const cloud = (row: number): number => row % 3;
  return {
    ...{ name: 'clouds', count: 60, dim: 2, labelNames: ['left', 'upper'], featureNames: ['x', 'y'] },
    features: Float64Array.from(
      { length: 120 },
      (_, i) => 5 * cloud(i >> 1) * (i % 2 || -1) + random.normal(),
    ),
    labels: Uint8Array.from({ length: 120 }, (_, i) => (cloud(i >> 1) > i % 2 ? 1 : 0)),
  };
}

const scoresSchema = z.array(z.object({ metrics: z.record(z.string(), z.array(z.number())) }));
const answerSchema = z.looseObject({
  study: z.looseObject({
    full: z.array(z.object({ scores: scoresSchema })),
    corpus: z.looseObject({ warnings: z.array(z.object({ code: z.string() })) }),
  }),
  reduction: z.looseObject({
    method: z.string(),
    parameters: z.record(z.string(), z.unknown()),
    corpusRows: z.number(),
    testRows: z.number(),
    prototypeRows: z.number(),
    full: z.object({ classifier: z.string(), hammingLoss: z.number() }).nullable(),
    scores: scoresSchema,
  }),
  export: z.object({ folder: z.string(), files: z.array(z.object({ path: z.string() })) }),
});

describe('archetone reduce --within', () => {
  it('exports the smallest set that costs little, and says what smaller ones would have cost', async () => {
    const folder = testFolder();
    const { arff, xml } = writeMulan(threeClouds());
    writeFileSync(join(folder, 'set.arff'), [...arff].join(''));
    writeFileSync(join(folder, 'set.xml'), xml);
    const command = ['reduce', join(folder, 'set.arff'), '--within', '0.05', '--formats', 'csv'];
    const run = await runCli([...command, '--out', join(folder, 'small'), '--json']);
    expect(run.code, run.stderr).toBe(0);
    const { recommendation, reduction } = z
      .looseObject({
        recommendation: z.looseObject({
          chosen: z.string(),
          independent: z.literal(true),
          sets: z.array(z.unknown()),
        }),
        reduction: z.looseObject({ id: z.string(), prototypeRows: z.number(), corpusRows: z.number() }),
      })
      .parse(run.json());
    expect(reduction.id).toBe(recommendation.chosen);
    // Three clouds are told by a few prototypes each.
    expect(reduction.prototypeRows).toBeLessThan(reduction.corpusRows / 3);
    expect(recommendation.sets.length).toBeGreaterThan(20);
    const rows = await readDataset(join(folder, 'small'));
    expect(rows.count).toBe(reduction.prototypeRows);

    const both = await runCli([...command, '--method', 'MChen', '--out', join(folder, 'both')]);
    expect([both.code, both.stderr]).toEqual([2, expect.stringContaining('not clear')]);
    const strict = await runCli(['reduce', join(folder, 'set.arff'), '--out', join(folder, 'none')]);
    expect(strict.code).toBe(2);
    expect(existsSync(join(folder, 'both'))).toBe(false);
  });
});

describe('archetone reduce on data sets', () => {
  it('reads Mulan with its labels told, MEKA by its header, and writes what was asked for', async () => {
    const folder = testFolder();
    const { arff, xml } = writeMulan(threeClouds());
    writeFileSync(join(folder, 'set.arff'), [...arff].join(''));
    writeFileSync(join(folder, 'names.xml'), xml);
    const out = join(folder, 'mulan');
    const run = await runCli([
      ...['reduce', join(folder, 'set.arff'), '--labels', join(folder, 'names.xml'), '--method', 'MRSP2'],
      ...[
        '--param',
        'p=20,variant=reference',
        '--classifier',
        'mlknn',
        '-k',
        '3',
        '--formats',
        'onnx,csv,npz',
      ],
      ...['--out', out, '--json'],
    ]);
    expect(run.code, run.stderr).toBe(0);
    const answer = answerSchema.parse(run.json());
    expect(answer.reduction).toMatchObject({
      method: 'MRSP2',
      parameters: { p: 20, variant: 'reference' },
      corpusRows: 42,
      testRows: 18,
      full: { classifier: 'ML-kNN' },
    });
    expect(Object.keys(answer.reduction.scores[0]?.metrics ?? {})).toEqual(
      expect.arrayContaining(['hammingLoss', 'f1Micro', 'rankingLoss', 'coverage']),
    );
    expect(readdirSync(out).sort()).toEqual([
      'classifier.onnx',
      'manifest.json',
      'prototypes.csv',
      'prototypes.npz',
    ]);
    expect((await readDataset(out)).count).toBe(answer.reduction.prototypeRows);

    // The bundle can be reduced further, and MEKA needs no labels told.
    writeFileSync(join(folder, 'meka.arff'), [...writeMeka(threeClouds())].join(''));
    for (const subject of [out, join(folder, 'meka.arff')]) {
      const again = await runCli([
        ...['reduce', subject, '--method', 'MChen', '--param', '50', '--test-fraction', '0', '--seed', '2'],
        ...['--out', join(folder, `again ${subject.length}`), '--json'],
      ]);
      expect(again.code, again.stderr).toBe(0);
      const { corpusRows, prototypeRows, full, scores } = answerSchema.parse(again.json()).reduction;
      expect(prototypeRows).toBe(Math.floor(corpusRows / 2));
      expect([full, scores]).toEqual([null, []]);
    }
  });

  it('scores on a second file, leaves columns out and tells what it noticed', async () => {
    const folder = testFolder();
    const rows = (from: number): string =>
      Array.from({ length: 30 }, (_, i) => `t${from + i},${from + i},${i % 5},${(i % 5) % 2},1`).join('\n');
    writeFileSync(join(folder, 'train.csv'), `name,id,x,odd,all\n${rows(0)}\n`);
    writeFileSync(join(folder, 'test.csv'), `name,id,x,odd,all\n${rows(100)}\n`);
    const args = ['reduce', join(folder, 'train.csv'), '--label-count', '2', '--method', 'MChen'];
    const run = await runCli([
      ...[...args, '--exclude', 'name,id', '--test', join(folder, 'test.csv'), '--param', '20'],
      ...['--out', join(folder, 'out'), '--json'],
    ]);
    expect(run.code, run.stderr).toBe(0);
    const answer = answerSchema.parse(run.json());
    expect([
      answer.reduction.corpusRows,
      answer.reduction.testRows,
      answer.reduction.full?.hammingLoss,
    ]).toEqual([30, 30, 0]);
    expect(answer.study.corpus.warnings.map(({ code }) => code)).toEqual([
      'duplicate-rows',
      'universal-label',
    ]);
    expect(readFileSync(join(folder, 'out', 'prototypes.csv'), 'utf8').split('\r\n')[0]).toBe('x,odd,all');
    const rare = ['--exclude', 'name', '--rare-labels', '--out', join(folder, 'warned')];
    const warned = await runCli([...args, ...rare]);
    expect(warned.stdout).toContain('“id”');
    expect(warned.stdout).toMatch(/^odd +8 +2\.6 +(lost|\d+) /m);
    expect(warned.stdout).toMatch(/^all +21 +1\.0 /m);
    expect(warned.stdout).toMatch(/^MeanIR \d\.\d of the training rows/m);
  });

  it.each<[string, string[], string | RegExp]>([
    ['an unknown parameter', ['--param', 'q=3'], /takes no parameter “q”/],
    [
      'a value that is no choice',
      ['--method', 'MRSP2', '--param', 'variant=wrong'],
      /variant cannot be “wrong”/,
    ],
    ['a number that is none', ['--param', 'p=many'], /p is a number/],
    ['an unknown method', ['--method', 'Magic'], /no reduction method “Magic”/],
    ['a format for libraries', ['--formats', 'csv,wav'], /“wav” is no format/],
    ['labels told twice', ['--label-count', '1', '--labels', 'x.xml'], /told twice/],
    ['a column that is not there', ['--exclude', 'nothing'], /no column “nothing”/],
  ])('refuses %s in one line', async (_, more, message) => {
    const folder = testFolder();
    writeFileSync(join(folder, 'meka.arff'), [...writeMeka(threeClouds())].join(''));
    const out = join(folder, 'out');
    const method = more.includes('--method') ? [] : ['--method', 'MChen'];
    const run = await runCli(['reduce', join(folder, 'meka.arff'), ...method, ...more, '--out', out]);
    expect(run.code).not.toBe(0);
    expect(run.stderr).toMatch(message);
    expect(existsSync(out)).toBe(false);
  });

  it('names line and column of a broken file', async () => {
    const folder = testFolder();
    const path = join(folder, 'broken.arff');
    writeFileSync(path, [...writeMeka(threeClouds())].join('').replace('@data\n', '@data\n1,0,2,oops\n'));
    const run = await runCli(['reduce', path, '--method', 'MChen', '--out', join(folder, 'out')]);
    expect(run.code).toBe(2);
    expect(run.stderr).toMatch(/line 9, column 7: “oops” is not a finite number/);
  });
});

describe('archetone reduce on libraries', () => {
  it('takes a classifier, named parameters and formats', async () => {
    const data = testFolder();
    const opened = await runCli(['import', writeMusic({ perClass: 6 }), '--library', data]);
    expect(opened.code, opened.stderr).toBe(0);
    const out = join(testFolder(), 'out');
    const run = await runCli([
      ...[
        'reduce',
        data,
        '--method',
        'MRHC',
        '--param',
        'merging=PolicyI',
        '--classifier',
        'brknn-a',
        '-k',
        '3',
      ],
      ...['--formats', 'parquet,onnx,json', '--out', out, '--json'],
    ]);
    expect(run.code, run.stderr).toBe(0);
    const { reduction } = z
      .object({ reduction: z.looseObject({ reduced: z.object({ classifier: z.string(), k: z.number() }) }) })
      .parse(run.json());
    expect(reduction.reduced.classifier).toBe('BRkNN-a');
    expect(readdirSync(out).sort()).toEqual([
      ...['classifier.onnx', 'manifest.json', 'prototypes.json', 'prototypes.parquet'],
    ]);
    expect(JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8'))).toMatchObject({
      classifier: { classifier: 'brknn-a' },
      taxonomy: { source: { kind: 'folders' } },
    });
  });
});

describe('archetone export --tracks', () => {
  it('writes tracks and windows in the formats asked for, and what a search finds', async () => {
    const data = testFolder();
    const opened = await runCli(['import', writeMusic({ perClass: 4 }), '--library', data]);
    expect(opened.code, opened.stderr).toBe(0);
    const added = await runCli(['taxonomies', 'add', 'folders', '--library', data]);
    expect(added.code, added.stderr).toBe(0);
    const write = async (...more: string[]): Promise<string> => {
      const out = join(testFolder(), 'out');
      const run = await runCli(['export', '--library', data, ...more, '--out', out, '--json']);
      expect(run.code, run.stderr).toBe(0);
      return out;
    };
    const all = await write('--tracks', '--neighbours', '2');
    expect(readdirSync(all).sort()).toEqual(['manifest.json', 'tracks.csv', 'tracks.parquet']);
    const [header = '', ...rows] = readFileSync(join(all, 'tracks.csv'), 'utf8').trimEnd().split('\r\n');
    expect(header).toMatch(/^path,.*,labels,.*,x,y,neighbor_ids,neighbor_distances,z0,z1,/);
    expect(rows).toHaveLength(12);
    const few = await write(
      '--tracks',
      '--search',
      'label:bass',
      '--spaces',
      'none',
      '--formats',
      'csv,m3u8',
    );
    expect(readFileSync(join(few, 'tracks.m3u8'), 'utf8').match(/#EXTINF/g)).toHaveLength(4);
    expect(readFileSync(join(few, 'tracks.csv'), 'utf8').split('\r\n')[0]).not.toContain('z0');
    const windows = await write('--windows', '--map', 'none', '--neighbours', '0', '--formats', 'npz');
    expect(readdirSync(windows).sort()).toEqual(['manifest.json', 'tracks.npz']);
    expect(JSON.parse(readFileSync(join(windows, 'manifest.json'), 'utf8'))).toMatchObject({
      kind: 'tracks',
      parameters: { level: 'window', map: null, neighbours: 0 },
    });
  });

  it.each<[string, string[], RegExp]>([
    ['two things at once', ['--tracks', '--reduction', 'latest'], /one thing/],
    ['a format of prototypes', ['--tracks', '--formats', 'onnx'], /“onnx” is no format/],
    ['a space that is not there', ['--tracks', '--spaces', 'other'], /space “other”/],
    ['a search that finds nothing', ['--tracks', '--search', 'nowhere'], /No track is found/],
  ])('refuses %s', async (_, more, message) => {
    const data = testFolder();
    await runCli(['import', writeMusic({ perClass: 1 }), '--library', data]);
    const out = join(testFolder(), 'out');
    const run = await runCli(['export', '--library', data, ...more, '--out', out]);
    expect(run.code).not.toBe(0);
    expect(run.stderr).toMatch(message);
    expect(existsSync(out)).toBe(false);
  });
});
