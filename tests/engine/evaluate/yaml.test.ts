import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { probeTitle } from '../../../models/probes/probe.ts';
import { readEvaluationFile } from '../../../engine/evaluate/yaml.ts';

const example = `# mir_ref's example
experiments:
  - task: { name: instruments, type: multiclass_classification, feature_aggregation: mean }
    datasets:
      - name: tinysol
        type: folders
        dir: tinysol
        deformations:
          - - type: AddGaussianSNR
              params: { min_snr_in_db: 15, max_snr_in_db: 15, p: 1 }
          - - { type: Gain, params: { min_gain_in_db: -12, max_gain_in_db: -12 } }
            - { type: Mp3Compression, params: { min_bitrate: 32, max_bitrate: 32 } }
          - - { type: TimeMask, params: {} }
      - { name: other, type: mirdata, dir: x }
    features: [compact, effnet-discogs]
    probes:
      - { type: classifier, hidden_units: [infer, 64], weight_decay: 0.001, train_sampling: true }
      - { type: classifier, hidden_units: [some] }
      - { type: linear }
      - { type: forest }
    colour: red # kept
`;

describe('an evaluation file', () => {
  const folder = join(import.meta.dirname, '../../../docs/evaluations');
  it.each(readdirSync(folder))('of the documentation is understood: %s', (name) => {
    const { experiments, marks } = readEvaluationFile(readFileSync(join(folder, name), 'utf8'));
    expect(marks).toEqual([]);
    for (const { features, probes, datasets } of experiments)
      for (const list of [features, probes, datasets]) expect(list.length).toBeGreaterThan(0);
  });

  it('has nearest neighbours among prototypes of a reduction, and says what is no reduction', () => {
    const { experiments, marks } = readEvaluationFile(`experiments:
  - task: { type: multilabel_classification }
    datasets: [{ name: a, type: folders, dir: a }]
    features: [mfcc]
    probes:
      - { type: mlknn, k: 3, reduction: MRSP3 }
      - { type: knn, reduction: { method: MRSP2, p: 20 } }
      - { type: mlknn, reduction: nothing }
      - { type: mlknn, reduction: { method: MRSP2, p: 2000 } }
      - { type: mlknn }
`);
    expect(experiments[0]?.probes.map(probeTitle)).toEqual([
      ...['ML-3NN of MRSP3', '5-NN of MRSP2 (p 20)', 'ML-10NN'],
    ]);
    expect(experiments[0]?.probes[2]).toEqual({ kind: 'mlknn', k: 10 });
    expect(marks.map(({ at }) => at)).toEqual([
      'experiments[0].probes[2].reduction',
      'experiments[0].probes[3].reduction',
    ]);
  });

  it('names layers of packs, and how the columns of a file of vectors are read', () => {
    const { experiments, marks } = readEvaluationFile(`experiments:
  - task: { type: multilabel_classification }
    datasets:
      - { name: a, type: file, file: a.arff, label_columns: { xml: a.xml }, exclude: [id] }
      - { name: b, type: file, file: b.csv, label_columns: 3, missing: drop-rows }
      - { name: c, type: file, file: c.csv, label_columns: [x, y] }
    features: [own, { pack: compact, layer: 2 }, { pack: maest, layer: "StatefulPartitionedCall:7", tokens: cls }]
    probes: [{ type: linear }]
`);
    expect(experiments).toMatchObject([
      {
        features: ['own', 'compact@2', 'maest@StatefulPartitionedCall:7'],
        datasets: [
          {
            dir: 'a.arff',
            reading: { labels: { kind: 'xml', path: 'a.xml' }, exclude: ['id'], missing: 'refuse' },
          },
          { dir: 'b.csv', reading: { labels: { kind: 'last', count: 3 }, missing: 'drop-rows' } },
          { dir: 'c.csv', reading: { labels: { kind: 'names', names: ['x', 'y'] } } },
        ],
      },
    ]);
    expect(marks.map(({ at }) => at)).toEqual(['experiments[0].features[2].tokens']);
  });

  it('is mir_ref’s configuration; what is not known is kept and marked', () => {
    const { experiments, marks, document } = readEvaluationFile(example);
    expect(experiments).toMatchObject([
      {
        task: 'single',
        datasets: [
          {
            name: 'tinysol',
            scenarios: [{ title: 'noise at 15 dB SNR' }, { title: 'gain −12 dB, then MP3 at 32 kbit/s' }],
          },
        ],
        features: ['compact', 'effnet-discogs'],
        probes: [
          { kind: 'mlp', hiddenUnits: ['infer', 64], weightDecay: 0.001, batchSize: 1083 },
          { kind: 'linear' },
        ],
        seeds: [1],
        windows: 8,
      },
    ]);
    expect(marks.map(({ at }) => at).sort()).toEqual([
      'experiments[0].colour',
      'experiments[0].datasets[0].deformations[2]',
      'experiments[0].datasets[1].type',
      'experiments[0].probes[0].train_sampling',
      'experiments[0].probes[1].hidden_units',
      'experiments[0].probes[3]',
    ]);
    const written = document.toString();
    expect(written).toContain('colour: red # kept');
    expect(readEvaluationFile(written).experiments).toEqual(experiments);
  });

  it('marks what is not as it would have to be, and does not run another task in its place', () => {
    const { experiments, marks } = readEvaluationFile(
      example
        .replace('type: multiclass_classification, feature_aggregation: mean', 'type: forecasting')
        .replace('{ type: linear }', '{ type: knn, k: none }')
        .replace('train_sampling: true', 'optimizer: sgd, learning_rate: 7, output_activation: softmax'),
    );
    expect(experiments[0]).toMatchObject({ datasets: [], probes: [{ learningRate: 1e-3 }, { k: 5 }] });
    expect(marks.map(({ at }) => at)).toEqual(
      expect.arrayContaining([
        'experiments[0].task.type',
        'experiments[0].probes[0].optimizer',
        'experiments[0].probes[0].learning_rate',
        'experiments[0].probes[2].k',
      ]),
    );
    expect(marks.map(({ at }) => at)).not.toContain('experiments[0].probes[0].output_activation');
  });

  it('takes a name of JavaScript for a name like any other', () => {
    const { experiments, marks } = readEvaluationFile(
      example
        .replace('{ type: forest }', '{ type: constructor, k: 1 }')
        .replace('train_sampling', 'toString')
        .replace(
          'type: mirdata, dir: x',
          'type: folders, dir: x, test_on: { name: z, type: csv, dir: z, labels: l, deformations: [] }',
        ),
    );
    expect(experiments[0]?.probes).toHaveLength(2);
    expect(marks.map(({ at }) => at)).toEqual(
      expect.arrayContaining([
        'experiments[0].probes[3]',
        'experiments[0].probes[0].toString',
        'experiments[0].datasets[1].test_on.deformations',
      ]),
    );
  });

  it.each([
    ['experiments: [', /no YAML/],
    ['experiments: *none', /no YAML/],
    ['', /the file is empty/],
    ['- a list', /the file is no mapping/],
    ['experiments: []', /experiments/],
    ['experiments: [{}]', /experiments\[0\]\.task is missing/],
    ['experiments: [{ task: { type: [a] } }]', /experiments\[0\]\.task\.type is no text/],
    [
      'experiments: [{ task: { type: x }, datasets: [{ name: a, type: folders }], features: [c], probes: [{ type: knn }] }]',
      /says no dir/,
    ],
    [
      'experiments: [{ task: { type: x }, datasets: [{ name: a, type: folders, dir: d }], features: [c] }]',
      /probes/,
    ],
    [
      'experiments: [{ task: { type: x }, datasets: [{ name: a, type: folders, dir: d }], features: [c], probes: [{ type: knn }], split: { kind: holdout, test: 0.6, validation: 0.5 } }]',
      /nothing to learn/,
    ],
  ])('is refused with the place: %s', (text, words) => {
    expect(() => readEvaluationFile(text)).toThrow(words);
  });
});
