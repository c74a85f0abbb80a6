import { spawnSync } from 'node:child_process';
import { ExactIndex } from '../../models/neighbours/exact.ts';
import { Random } from '../../models/random.ts';

const [count, dim, k] = [20_000, 256, 10];
/** scikit-learn's brute force and a NumPy product on data of the same shape, processor milliseconds per query. */
const peerScript = `
import time, json, numpy as np
n,d,k=${count},${dim},${k}; rng=np.random.default_rng(0)
X=rng.standard_normal((n,d),dtype=np.float32); Q=rng.standard_normal((256,d),dtype=np.float32); xn=(X*X).sum(1)
def f(q):
    s=xn[None]-2*(q@X.T); i=np.argpartition(s,k,axis=1)[:,:k]; r=np.take_along_axis(s,i,1); return np.take_along_axis(i,np.argsort(r,1),1)
out={}
for m in (1,256):
    f(Q[:m]); best=9e9
    for _ in range(5):
        c=time.process_time(); f(Q[:m]); best=min(best,time.process_time()-c)
    out[str(m)]=best*1000/m
print(json.dumps(out))
`;

/** Exact search by batch size, against NumPy (float32, not verified) when there is a Python. */
export async function run(): Promise<void> {
  const random = new Random(1);
  const vectors = random.normals(count * dim);
  const queries = random.normals(256 * dim);
  const index = await ExactIndex.build(vectors, dim);
  const python = process.env['ARCHETONE_PYTHON'];
  const peer = python === undefined ? null : spawnSync(python, ['-c', peerScript], { encoding: 'utf8' });
  const found = peer?.status === 0 ? (JSON.parse(peer.stdout) as Record<string, number>) : null;
  if (found === null)
    console.log('neighbours: NumPy peer skipped (set ARCHETONE_PYTHON to a Python with NumPy)');
  const rows = [];
  for (const batch of [1, 256]) {
    const asked = queries.subarray(0, batch * dim);
    await index.query(asked, k);
    let [cpu, wall] = [Infinity, Infinity];
    for (let i = 0; i < 5; i++) {
      const before = process.cpuUsage();
      const start = performance.now();
      await index.query(asked, k);
      const used = process.cpuUsage(before);
      wall = Math.min(wall, performance.now() - start);
      cpu = Math.min(cpu, (used.user + used.system) / 1000);
    }
    const other = found?.[String(batch)];
    rows.push({
      n: count,
      dim,
      batch,
      'CPU ms/query': Number((cpu / batch).toFixed(3)),
      'wall ms/query': Number((wall / batch).toFixed(3)),
      ...(other !== undefined && {
        'NumPy CPU ms/query': Number(other.toFixed(3)),
        ratio: Number(((other * batch) / cpu).toFixed(2)),
      }),
    });
  }
  console.table(rows);
  console.log(`row-by-row fallbacks: ${index.fallbacks}`);
  await index.close();
}
