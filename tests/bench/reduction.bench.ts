import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { readMultilabelCsv } from '../../models/datasets/index.ts';
import { takeRows, type LabelledVectors } from '../../models/embeddings/labelled-vectors.ts';
import { multilabelMetrics } from '../../models/evaluation/metrics/multilabel.ts';
import { predictKnn } from '../../models/knn/index.ts';
import { Random } from '../../models/numerics/random.ts';
import {
  reduce,
  toLabelledVectors,
  type ReductionMethod,
  type ReductionParameters,
  type ReductionResult,
} from '../../models/reduction/index.ts';
import { SharedFolder } from '../support/shared-folder.ts';

const signal = new AbortController().signal;
/** The NumPy peer, timed on the same data in processor seconds, distances included. */
const peerScript = `
import sys, json, time, gzip, os
for v in ('OMP_NUM_THREADS','OPENBLAS_NUM_THREADS','MKL_NUM_THREADS'): os.environ[v]='1'
sys.path.insert(0, sys.argv[1])
import numpy as np, pgspec
L=int(sys.argv[3]); A=np.loadtxt(gzip.open(sys.argv[2],'rt'),delimiter=',',skiprows=1)
X=np.ascontiguousarray(A[:,:-L]); Y=np.ascontiguousarray(A[:,-L:]).astype(np.int8); out={}
for name,f in (('MChen 10',lambda:pgspec.MChen(X,Y,10)),('MChen 90',lambda:pgspec.MChen(X,Y,90)),('MRSP1 10',lambda:pgspec.MRSP1(X,Y,10)),('MRSP2 10',lambda:pgspec.MRSP2(X,Y,10,fixed=True)),('MRSP3',lambda:pgspec.MRSP3(X,Y)),('MRHC',lambda:pgspec.MRHC(X,Y,km='plain'))):
    t=[]
    for _ in range(int(sys.argv[4])):
        c=time.process_time(); f(); t.append(time.process_time()-c)
    out[name]=min(t)
print(json.dumps(out))
`;

const cases: [string, ReductionMethod, number?][] = [
  ['MChen 10', 'MChen', 10],
  ['MChen 90', 'MChen', 90],
  ['MRSP1 10', 'MRSP1', 10],
  ['MRSP2 10', 'MRSP2', 10],
  ['MRSP3', 'MRSP3'],
  ['MRHC', 'MRHC'],
];
/** Best of so many runs, for both sides: the machine may be doing something else. */
const repeats = 5;

async function cpuSeconds(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

function peerSeconds(
  python: string,
  peers: string,
  csv: string,
  labelCount: number,
): Record<string, number> | null {
  const args = ['-c', peerScript, peers, csv, String(labelCount), String(repeats)];
  const run = spawnSync(python, args, { encoding: 'utf8' });
  if (run.status !== 0) return null;
  const parsed: unknown = JSON.parse(run.stdout);
  return parsed as Record<string, number>;
}

async function againstPeer(folder: string, name: string, labelCount: number): Promise<void> {
  const csv = join(folder, 'data', `${name}.train.csv.gz`);
  const data = await readMultilabelCsv(csv, { labelCount });
  const python = process.env['ARCHETONE_PYTHON'];
  const peer = python === undefined ? null : peerSeconds(python, join(folder, 'peers'), csv, labelCount);
  if (peer === null) console.log(`${name}: NumPy peer skipped (set ARCHETONE_PYTHON to a Python with NumPy)`);
  const rows = [];
  for (const [title, method, p] of cases) {
    const parameters = p === undefined ? {} : { p };
    const times: number[] = [];
    for (let i = 0; i < repeats; i++)
      times.push(await cpuSeconds(() => reduce(method, data, parameters, { seed: 1, signal })));
    const own = Math.min(...times);
    const other = peer?.[title];
    rows.push({
      data: `${name} ${data.count}×${data.dim}`,
      method: title,
      'CPU s': Number(own.toFixed(3)),
      ...(other !== undefined && {
        'NumPy CPU s': Number(other.toFixed(3)),
        'times faster': Number((other / own).toFixed(1)),
      }),
    });
  }
  console.table(rows);
}

type Shape = 'embeddings' | 'Gaussian';

/**
 * `embeddings`: 200 groups in 16 directions of the space plus noise in all, as embeddings of music lie; `Gaussian`:
 * no structure at all, the worst case for every search that leaves something out.
 */
function synthetic(shape: Shape, count: number, dim: number): LabelledVectors {
  const random = new Random(1);
  const inner = 16;
  const basis = random.normals(inner * dim);
  const centres = random.normals(200 * inner);
  const labels = new Uint8Array(count * 10);
  const features = new Float32Array(count * dim);
  for (let row = 0; row < count; row++) {
    const group = random.integer(200);
    const place = Array.from(
      { length: inner },
      (_, i) => (centres[group * inner + i] ?? 0) + 0.5 * random.normal(),
    );
    for (let d = 0; d < dim; d++) {
      const inside = place.reduce((sum, z, i) => sum + z * (basis[i * dim + d] ?? 0), 0);
      features[row * dim + d] = shape === 'Gaussian' ? random.normal() : inside / 4 + 0.3 * random.normal();
    }
    labels[row * 10 + (group % 10)] = 1;
    if (random.uniform() < 0.3) labels[row * 10 + random.integer(10)] = 1;
  }
  return { features, count, dim, labels, labelNames: Array.from({ length: 10 }, (_, l) => `l${l}`) };
}

const growing: [string, ReductionMethod, ReductionParameters][] = [
  ['MChen 10', 'MChen', { p: 10 }],
  ['MRSP1 10', 'MRSP1', { p: 10 }],
  ['MRSP2 10', 'MRSP2', { p: 10 }],
  ['MRSP2 10 sampled', 'MRSP2', { p: 10, variant: 'sampled' }],
  ['MRSP3', 'MRSP3', {}],
];

/** Processor seconds at each size, and the exponent from the first to the last. */
async function growth(name: string, sets: LabelledVectors[]): Promise<void> {
  const rows = [];
  for (const [title, method, parameters] of growing) {
    const seconds: number[] = [];
    for (const data of sets) {
      const times: number[] = [];
      for (let i = 0; i < (data.count <= 2000 ? repeats : 1); i++)
        times.push(await cpuSeconds(() => reduce(method, data, parameters, { seed: 1, signal })));
      seconds.push(Math.min(...times));
    }
    const [first, last] = [sets[0]?.count ?? 1, sets.at(-1)?.count ?? 1];
    const exponent = Math.log((seconds.at(-1) ?? NaN) / (seconds[0] ?? NaN)) / Math.log(last / first);
    rows.push({
      data: name,
      method: title,
      ...Object.fromEntries(
        sets.map(({ count }, i) => [`n=${count}`, Number((seconds[i] ?? NaN).toFixed(3))]),
      ),
      exponent: Number(exponent.toFixed(2)),
    });
  }
  console.table(rows);
}

function firstRows(data: LabelledVectors, count: number): LabelledVectors {
  return takeRows(
    data,
    Array.from({ length: count }, (_, row) => row),
  );
}

/** The two parts of yeast as one set: 2417 rows. */
async function wholeYeast(folder: string): Promise<LabelledVectors> {
  const [train, test] = await Promise.all(
    ['train', 'test'].map((part) =>
      readMultilabelCsv(join(folder, 'data', `yeast.${part}.csv.gz`), { labelCount: 14 }),
    ),
  );
  if (!train || !test) throw new Error('yeast has two parts');
  return {
    ...train,
    count: train.count + test.count,
    features: Float64Array.from([...train.features, ...test.features]),
    labels: Uint8Array.from([...train.labels, ...test.labels]),
  };
}

/** What estimating the overlap of large clusters costs: 1-NN on the test part, and the rows whose cluster is the same. */
async function sampledOverlaps(folder: string): Promise<void> {
  const rows = [];
  for (const name of ['yeast', 'enron', 'bibtex', 'corel5k']) {
    const about = z
      .object({ n_labels: z.int() })
      .parse(JSON.parse(await readFile(join(folder, 'data', `${name}.json`), 'utf8')));
    const [train, test] = await Promise.all(
      ['train', 'test'].map((part) =>
        readMultilabelCsv(join(folder, 'data', `${name}.${part}.csv.gz`), { labelCount: about.n_labels }),
      ),
    );
    if (!train || !test) throw new Error(`${name} has two parts`);
    const f1 = async (reduction: ReductionResult): Promise<number> => {
      const { labels } = await predictKnn('lpknn', toLabelledVectors(reduction, train), test, {
        k: 1,
        signal,
      });
      const scores = multilabelMetrics(test.labels, labels, test.count, test.labelNames.length);
      return Number(scores.f1Samples.toFixed(4));
    };
    for (const p of [0.2, 1, 10]) {
      const exact = await reduce('MRSP2', train, { p }, { seed: 1, signal });
      const sampled = await reduce('MRSP2', train, { p, variant: 'sampled' }, { seed: 1, signal });
      const found = new Set(sampled.clusters.map(String));
      const same = exact.clusters.filter((cluster) => found.has(String(cluster)));
      rows.push({
        data: `${name} ${train.count}`,
        p,
        prototypes: exact.clusters.length,
        sampled: sampled.clusters.length,
        'rows in equal clusters': Number((same.flat().length / exact.clusters.flat().length).toFixed(3)),
        F1: await f1(exact),
        'F1 sampled': await f1(sampled),
      });
    }
  }
  console.table(rows);
}

/** 50,000 rows of 256 numbers, with the most memory the process ever held. */
async function large(): Promise<void> {
  if (process.env['ARCHETONE_BENCH_LARGE'] === undefined) {
    console.log('50,000 × 256 skipped (set ARCHETONE_BENCH_LARGE=1; about five minutes)');
    return;
  }
  for (const shape of ['embeddings', 'Gaussian'] as const) {
    const data = synthetic(shape, 50_000, 256);
    for (const [title, method, parameters] of growing) {
      const seconds = await cpuSeconds(() => reduce(method, data, parameters, { seed: 1, signal }));
      const peak = Math.round(process.resourceUsage().maxRSS / 1024);
      console.log(`${shape} 50000×256, ${title}: ${seconds.toFixed(1)} CPU s, peak so far ${peak} MB`);
    }
  }
}

/** Reduction methods against the NumPy specification, and their growth with the number of rows. */
export async function run(): Promise<void> {
  const shared = new SharedFolder('golden/multilabel', () => false);
  if (shared.missing) console.log('multilabel reference data not present: comparison skipped');
  else {
    const folder = shared.path();
    await againstPeer(folder, 'emotions', 6);
    await againstPeer(folder, 'yeast', 14);
    await sampledOverlaps(folder);
    const yeast = await wholeYeast(folder);
    await growth(
      'yeast, first rows',
      [500, 1000, 2000].map((count) => firstRows(yeast, count)),
    );
  }
  for (const shape of ['embeddings', 'Gaussian'] as const)
    await growth(
      `${shape} × 128`,
      [2000, 4000, 8000, 16000].map((count) => synthetic(shape, count, 128)),
    );
  await large();
}
