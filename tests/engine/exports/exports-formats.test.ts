import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { XMLParser } from 'fast-xml-parser';
import { parquetReadObjects } from 'hyparquet';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { type ExportFormat, formatsOf } from '../../../engine/api/exports.ts';
import type { Reduction } from '../../../engine/api/reductions.ts';
import { predictKnn, type KnnClassifier } from '../../../models/knn/index.ts';
import { PrototypeNetwork } from '../../../models/pecmae/network.ts';
import { readNpz } from '../../../models/tensors/index.ts';
import { startTestEngine } from '../../support/engine.ts';
import { testFolder } from '../../support/music.ts';
import { reduced } from '../../support/reduced.ts';
import { sharedFolder } from '../../support/shared.ts';
import { exported, trainedLibrary, type TrainedLibrary } from '../../support/trained.ts';
import { readAnyDataset } from '../../support/workers.ts';

const manifestSchema = z.looseObject({
  kind: z.string(),
  classes: z.array(z.string()),
  parameters: z.record(z.string(), z.unknown()),
  classifier: z.object({ classifier: z.string(), k: z.number() }).optional(),
  map: z.object({ method: z.enum(['umap', 'pca']), seed: z.number() }).optional(),
  dataset: z.object({ name: z.string(), sha256: z.string().nullable() }).nullable(),
  pack: z.object({ id: z.string() }).nullable(),
  licences: z.array(z.object({ part: z.string() })).min(1),
  files: z.array(z.object({ path: z.string(), sha256: z.string() })),
});
const manifestOf = (folder: string) =>
  manifestSchema.parse(JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')));

/** Every file of a folder with the hash of its content. */
const hashes = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map(
      (path) =>
        `${path.slice(folder.length + 1)} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`,
    )
    .sort();

/** Rows of a Parquet file by hyparquet itself, not by the product's reader. */
async function parquetRows(path: string): Promise<Record<string, unknown>[]> {
  const bytes = readFileSync(path);
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  return parquetReadObjects({ file });
}

const python = process.env['ARCHETONE_PYTHON'] ?? 'python3';
function hasPython(modules: string): boolean {
  try {
    execFileSync(python, ['-c', `import ${modules}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
const runPython = (script: readonly string[], ...args: string[]): unknown =>
  JSON.parse(execFileSync(python, ['-c', script.join('\n'), ...args], { encoding: 'utf8' }));

/** A network from the arrays of its export. */
function networkOf(arrays: ReturnType<typeof readNpz>, classes: string[]): PrototypeNetwork {
  const floats = (name: string): Float32Array =>
    Float32Array.from(Array.from<unknown, number>(arrays.get(name)?.data ?? [], Number));
  const number = (name: string): number => Number(arrays.get(name)?.data[0]);
  return new PrototypeNetwork({
    classes,
    embeddingDim: arrays.get('prototypes')?.shape[1] ?? 0,
    prototypesPerClass: 2,
    task: 'single',
    normalisation: { mean: number('mean'), scale: number('scale') },
    prototypes: floats('prototypes_normalised'),
    weights: floats('weights'),
    bias: floats('bias'),
    temperature: number('temperature'),
  });
}

const data = sharedFolder('golden/multilabel/data/arff');
const emotions = (): string => data.path('emotions-train.arff');
const emotionsTest = (): string => data.path('emotions-test.arff');

describe.skipIf(data.missing)('the bundle of a reduced data set', () => {
  /** Reduces a file with MChen, scored on the published test part, and exports the prototypes. */
  const run = async (change: {
    out: string;
    path?: string;
    p?: number;
    classifier?: KnnClassifier;
    formats?: readonly ExportFormat[];
  }) => {
    const { out, path = emotions(), p = 10, classifier = 'mlknn', formats = formatsOf('dataset') } = change;
    const { client } = await startTestEngine();
    const { id: libraryId } = await client.call('libraries.open', { folder: testFolder() });
    const { reduction } = await reduced(client, libraryId, {
      source: { kind: 'dataset', path },
      run: { method: 'MChen', parameters: { p } },
      split: { kind: 'file', path: emotionsTest() },
      ...{ classifiers: [classifier], k: [5], seed: 3 },
    });
    await exported(client, libraryId, {
      subject: { kind: 'reduction', reductionId: reduction.id },
      ...{ folder: out, formats: [...formats], seed: 3 },
    });
    return reduction;
  };
  let folder = '';
  let rows = 0;

  beforeAll(async () => {
    folder = join(testFolder(), 'bundle');
    const result = await run({ out: folder });
    rows = result.prototypeRows;
    expect([result.corpusRows, result.testRows, rows]).toEqual([391, 202, 39]);
    expect(result.scores[0]?.classifier).toBe('mlknn');
  });

  it('holds every format, and says so with hashes', () => {
    expect(readdirSync(folder).sort()).toEqual([
      ...['classifier.onnx', 'manifest.json', 'prototypes-meka.arff', 'prototypes.arff', 'prototypes.csv'],
      ...['prototypes.json', 'prototypes.npz', 'prototypes.parquet', 'prototypes.xml'],
    ]);
    expect(manifestOf(folder)).toMatchObject({
      kind: 'reduction',
      method: 'MChen',
      parameters: { p: 10, classifier: 'mlknn', k: 5 },
      split: { file: 'emotions-test.arff' },
      classifier: { classifier: 'mlknn', k: 5 },
      map: { seed: 3 },
      dataset: {
        name: 'emotions-train.arff',
        sha256: createHash('sha256').update(readFileSync(emotions())).digest('hex'),
      },
      pack: null,
    });
  });

  it('is the same, byte for byte, when made again', async () => {
    const again = join(testFolder(), 'again');
    await run({ out: again });
    expect(hashes(again)).toEqual(hashes(folder));
  });

  it('is read back as a data set, from the folder and from each file', async () => {
    const whole = await readAnyDataset(folder);
    expect([whole.count, whole.dim, whole.labelNames.length]).toEqual([39, 72, 6]);
    const labels = { kind: 'last', count: 6 } as const;
    for (const file of [
      'prototypes.arff',
      'prototypes-meka.arff',
      'prototypes.npz',
      'prototypes.parquet',
      'prototypes.csv',
    ]) {
      const read = await readAnyDataset(join(folder, file), file.endsWith('.csv') ? { labels } : {});
      expect(read.features, file).toEqual(whole.features);
      expect(read.labels, file).toEqual(whole.labels);
      expect([read.labelNames, read.featureNames], file).toEqual([whole.labelNames, whole.featureNames]);
    }
    const json = z
      .object({ prototypes: z.array(z.object({ rows: z.array(z.number()), clusterSize: z.number() })) })
      .parse(JSON.parse(readFileSync(join(folder, 'prototypes.json'), 'utf8')));
    expect(json.prototypes.map(({ rows: own }) => own.length)).toEqual(
      json.prototypes.map((p) => p.clusterSize),
    );
    expect(new Set(json.prototypes.flatMap(({ rows: own }) => own)).size).toBe(391);
  });

  it('can be reduced again, and a changed file is noticed', async () => {
    const out = join(testFolder(), 'smaller');
    const result = await run({ path: folder, p: 50, out, formats: ['csv'] });
    expect([result.corpusRows, result.prototypeRows]).toEqual([39, 19]);
    expect((await readAnyDataset(out)).count).toBe(19);
    writeFileSync(join(out, 'prototypes.csv'), 'changed');
    await expect(readAnyDataset(out)).rejects.toMatchObject({ code: 'unreadable' });
  });

  it('has a Parquet table as embedding-atlas wants it', async () => {
    const table = await parquetRows(join(folder, 'prototypes.parquet'));
    const schema = z.array(
      z.object({
        x: z.number(),
        y: z.number(),
        labelset: z.string(),
        cluster_size: z.number().min(1),
        neighbors: z.object({
          ids: z.array(z.number().int().min(0).max(38)).length(10),
          distances: z.array(z.number().min(0)).length(10),
        }),
        vector: z.array(z.number()).length(72),
      }),
    );
    const read = schema.parse(table);
    expect(read).toHaveLength(39);
    for (const [row, { neighbors, vector }] of read.entries()) {
      expect(neighbors.ids).not.toContain(row);
      const expected = neighbors.ids.map((id) =>
        Math.hypot(...vector.map((value, d) => value - (read[id]?.vector[d] ?? NaN))),
      );
      neighbors.distances.forEach((distance, i) => expect(distance).toBeCloseTo(expected[i] ?? NaN, 9));
      expect(neighbors.distances).toEqual(neighbors.distances.toSorted((a, b) => a - b));
    }
    // Points on the map differ: a map of one spot would say nothing.
    expect(new Set(read.map(({ x, y }) => `${x} ${y}`)).size).toBe(39);
  });

  it('has labels in its XML that another parser finds, in the words of the data set', () => {
    const parsed = new XMLParser({ ignoreAttributes: false, attributeNamePrefix: '' }).parse(
      readFileSync(join(folder, 'prototypes.xml'), 'utf8'),
    ) as { labels: { label: { name: string }[] } };
    expect(parsed.labels.label.map(({ name }) => name)).toEqual(manifestOf(folder).classes);
  });

  it.each(['lpknn', 'brknn-a', 'brknn-b', 'mlknn'] as const)(
    'has %s as ONNX that predicts the test rows as the classifier does',
    async (classifier) => {
      const out = join(testFolder(), classifier);
      await run({ classifier, out, formats: ['onnx', 'npz'] });
      const train = await readAnyDataset(out);
      const test = await readAnyDataset(emotionsTest());
      const features = Float32Array.from(test.features);
      const expected = await predictKnn(classifier, train, { features, count: test.count }, { k: 5 });
      const session = await InferenceSession.create(readFileSync(join(out, 'classifier.onnx')));
      const result = await session.run({ features: new Tensor('float32', features, [test.count, test.dim]) });
      expect(result['labels']?.data).toEqual(expected.labels);
    },
  );

  it.skipIf(!hasPython('scipy.io.arff'))('has ARFF files that SciPy reads', async () => {
    const whole = await readAnyDataset(folder);
    const script = [
      'import sys, json',
      'from scipy.io import arff',
      'data, meta = arff.loadarff(sys.argv[1])',
      'print(json.dumps([[float(v) for v in row] for row in data.tolist()]))',
    ];
    const rowsOf = (file: string): number[][] =>
      z.array(z.array(z.number())).parse(runPython(script, join(folder, file)));
    const expected = Array.from({ length: 39 }, (_, i) => [
      ...whole.features.subarray(i * 72, (i + 1) * 72),
      ...whole.labels.subarray(i * 6, (i + 1) * 6),
    ]);
    expect(rowsOf('prototypes.arff')).toEqual(expected);
    expect(rowsOf('prototypes-meka.arff')).toEqual(
      expected.map((row) => [...row.slice(72), ...row.slice(0, 72)]),
    );
  });

  it.skipIf(!hasPython('numpy, onnxruntime'))(
    'has NPZ and ONNX files that NumPy and ONNX Runtime read',
    async () => {
      const script = [
        'import sys, json, numpy, onnxruntime',
        'a = numpy.load(sys.argv[1], allow_pickle=False)',
        's = onnxruntime.InferenceSession(sys.argv[2])',
        'x = a["prototypes"].astype(numpy.float32)',
        'labels, scores = s.run(["labels", "scores"], {"features": x})',
        'print(json.dumps({"shape": list(a["prototypes"].shape), "names": a["labels"].tolist(),',
        ' "type": str(labels.dtype), "labels": labels.ravel().tolist(), "scores": scores.ravel().tolist()}))',
      ];
      const read = z
        .object({
          shape: z.array(z.number()),
          names: z.array(z.string()),
          type: z.literal('uint8'),
          labels: z.array(z.number()),
          scores: z.array(z.number().min(0).max(1)),
        })
        .parse(runPython(script, join(folder, 'prototypes.npz'), join(folder, 'classifier.onnx')));
      expect([read.shape, read.names]).toEqual([[39, 72], manifestOf(folder).classes]);
      const whole = await readAnyDataset(folder);
      const queries = { features: Float32Array.from(whole.features), count: 39 };
      const expected = await predictKnn('mlknn', whole, queries, { k: 5 });
      expect(read.labels).toEqual([...expected.labels]);
    },
  );

  it.skipIf(!hasPython('pyarrow'))('has a Parquet file that Arrow reads', () => {
    const script = [
      'import sys, json, pyarrow.parquet as pq',
      't = pq.read_table(sys.argv[1])',
      'print(json.dumps([t.num_rows, t.column("neighbors")[0].as_py()["ids"]]))',
    ];
    expect(runPython(script, join(folder, 'prototypes.parquet'))).toMatchObject([39, expect.any(Array)]);
  });

  it.skipIf(!hasPython('duckdb'))(
    'has a Parquet file that DuckDB, on which embedding-atlas stands, queries',
    () => {
      const script = [
        'import sys, json, duckdb',
        'q = "SELECT count(*), min(x) < max(x), min(y) < max(y), min(len(neighbors.ids)), max(len(labels)) FROM read_parquet(?)"',
        'print(json.dumps(duckdb.execute(q, [sys.argv[1]]).fetchone()))',
      ];
      expect(runPython(script, join(folder, 'prototypes.parquet'))).toEqual([
        39,
        true,
        true,
        10,
        expect.any(Number),
      ]);
    },
  );
});

describe('the bundle of a library', () => {
  let lib: TrainedLibrary;
  let reduction: Reduction;
  let folder = '';

  beforeAll(async () => {
    lib = await trainedLibrary({ perClass: 6 });
    const { client } = lib.test;
    const made = await reduced(client, lib.libraryId, {
      source: { kind: 'library', taxonomyId: lib.taxonomyId },
      run: { method: 'MChen', parameters: { p: 50 } },
      k: [3],
    });
    reduction = made.reduction;
    const bundle = await exported(client, lib.libraryId, {
      subject: { kind: 'reduction', reductionId: reduction.id },
      folder: join(testFolder(), 'reduced'),
    });
    folder = bundle.folder;
  });

  it('holds every format of a reduction, and all of them agree', async () => {
    expect(readdirSync(folder).sort()).toEqual([
      ...[
        'audio',
        'classifier.onnx',
        'manifest.json',
        'playlists',
        'prototypes-meka.arff',
        'prototypes.arff',
      ],
      ...[
        'prototypes.csv',
        'prototypes.json',
        'prototypes.npz',
        'prototypes.parquet',
        'prototypes.xml',
        'split.csv',
      ],
    ]);
    const whole = await readAnyDataset(folder);
    expect([whole.count, whole.labelNames]).toEqual([reduction.prototypeRows, reduction.labels]);
    for (const file of ['prototypes.csv', 'prototypes.arff', 'prototypes-meka.arff', 'prototypes.parquet']) {
      const read = await readAnyDataset(join(folder, file));
      expect([read.features, read.labels, read.labelNames], file).toEqual([
        whole.features,
        whole.labels,
        whole.labelNames,
      ]);
    }
    const rows = await parquetRows(join(folder, 'prototypes.parquet'));
    const audio = readdirSync(join(folder, 'audio')).map((name) => `audio/${name}`);
    expect(rows.map((row) => row['audio'])).toEqual(audio.sort());
    expect(rows.every((row) => typeof row['nearest_path'] === 'string')).toBe(true);
  });

  it('has the classifier that scored, or the one asked for', async () => {
    expect(manifestOf(folder).classifier).toMatchObject({ classifier: 'lpknn', k: 3 });
    const other = await exported(lib.test.client, lib.libraryId, {
      subject: { kind: 'reduction', reductionId: reduction.id },
      folder: join(testFolder(), 'other'),
      formats: ['onnx'],
      classifier: { classifier: 'brknn-a', k: 1 },
    });
    expect(manifestOf(other.folder).classifier).toMatchObject({ classifier: 'brknn-a', k: 1 });
    const session = await InferenceSession.create(readFileSync(join(other.folder, 'classifier.onnx')));
    const { features, labels, count, dim } = await readAnyDataset(folder);
    // With one neighbour every prototype is classified as itself.
    const input = new Tensor('float32', Float32Array.from(features), [count, dim]);
    expect((await session.run({ features: input }))['labels']?.data).toEqual(labels);
  });

  it('holds the prototype network of an experiment as ONNX, equal to the network', async () => {
    const bundle = await exported(lib.test.client, lib.libraryId, {
      subject: { kind: 'experiment', experimentId: lib.experiment.id },
      folder: join(testFolder(), 'experiment'),
      formats: ['onnx', 'parquet', 'mulan', 'npz'],
    });
    const whole = await readAnyDataset(join(bundle.folder, 'prototypes.arff'));
    expect([whole.count, whole.labelNames]).toEqual([6, lib.experiment.classes]);
    expect(await parquetRows(join(bundle.folder, 'prototypes.parquet'))).toHaveLength(6);
    const network = networkOf(readNpz(readFileSync(join(bundle.folder, 'prototypes.npz'))), whole.labelNames);
    const z0 = Float32Array.from(whole.features, (value, i) => value + 0.01 * (i % 7));
    const session = await InferenceSession.create(readFileSync(join(bundle.folder, 'classifier.onnx')));
    const result = await session.run({ features: new Tensor('float32', z0, [6, whole.dim]) });
    const logits = network.logits(z0, 6);
    const close = (name: string, expected: Float32Array): void => {
      const values = result[name]?.data as Float32Array;
      expect(
        Math.max(...values.map((value, i) => Math.abs(value - (expected[i] ?? NaN)))),
        name,
      ).toBeLessThan(1e-5);
    };
    close('logits', logits);
    const C = lib.experiment.classes.length;
    const probabilities = Array.from({ length: 6 }, (_, i) => [
      ...network.probabilities(logits.subarray(i * C, (i + 1) * C)),
    ]);
    close('scores', Float32Array.from(probabilities.flat()));
    const labels = probabilities.flatMap((row) => row.map((p) => (p === Math.max(...row) ? 1 : 0)));
    expect([...(result['labels']?.data as Uint8Array)]).toEqual(labels);
  });
});
