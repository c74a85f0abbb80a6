import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { readMultilabelCsv } from '../../models/datasets/index.ts';
import { Pacer } from '../../models/knn/pacer.ts';
import { nearestRows, type MultilabelSet } from '../../models/knn/index.ts';
import { Random } from '../../models/random.ts';
import { reduce, type ReductionMethod } from '../../models/reduction/index.ts';
import { chenPath } from '../../models/reduction/chen.ts';
import { sharedPath } from '../support/shared.ts';

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
    c=time.process_time(); f(); out[name]=time.process_time()-c
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
  const run = spawnSync(python, ['-c', peerScript, peers, csv, String(labelCount)], { encoding: 'utf8' });
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
    const times = [];
    for (let i = 0; i < 3; i++)
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

function synthetic(count: number, dim: number): MultilabelSet {
  const random = new Random(1);
  const centres = random.normals(40 * dim);
  const labels = new Uint8Array(count * 10);
  const features = new Float32Array(count * dim);
  for (let row = 0; row < count; row++) {
    const centre = random.integer(40);
    for (let d = 0; d < dim; d++)
      features[row * dim + d] = (centres[centre * dim + d] ?? 0) + random.normal();
    labels[row * 10 + (centre % 10)] = 1;
    if (random.uniform() < 0.3) labels[row * 10 + random.integer(10)] = 1;
  }
  return { features, count, dim, labels, labelNames: Array.from({ length: 10 }, (_, l) => `l${l}`) };
}

async function growth(): Promise<void> {
  const rows = [];
  for (const count of [1000, 2000, 4000, 8000]) {
    const data = synthetic(count, 128);
    const tenth = await cpuSeconds(() => chenPath(data, count / 10, new Pacer()));
    const knn = await cpuSeconds(() =>
      nearestRows(data, { features: data.features.subarray(0, 100 * 128), count: 100 }, { k: 5 }),
    );
    rows.push({
      n: count,
      dim: 128,
      'MChen 10 CPU s': Number(tenth.toFixed(2)),
      'kNN CPU ms/query': Number((knn * 10).toFixed(2)),
    });
  }
  console.table(rows);
}

/** Reduction methods against the NumPy specification, and their growth with the number of rows. */
export async function run(): Promise<void> {
  const folder = sharedPath('golden/multilabel');
  if (folder === null) console.log('multilabel reference data not present: comparison skipped');
  else {
    await againstPeer(folder, 'emotions', 6);
    await againstPeer(folder, 'yeast', 14);
  }
  await growth();
}
