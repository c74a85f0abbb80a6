/**
 * Processor seconds of looking for mistakes in 10,000 tracks of 200 classes, on made-up embeddings of 256 components: folds,
 * verdicts, copies. ARCHETONE_BENCH_SIZES (default 10000x200): tracks and classes.
 */
import { oneHot } from '../../models/embeddings/labelled-vectors.ts';
import { judgeLabels } from '../../models/mistakes/judge.ts';
import { findDuplicates } from '../../models/mistakes/near-duplicates.ts';
import { outOfFold } from '../../models/mistakes/out-of-fold.ts';
import { Random } from '../../models/numerics/random.ts';

const DIM = 256;
const signal = new AbortController().signal;

export async function run(): Promise<void> {
  for (const size of (process.env['ARCHETONE_BENCH_SIZES'] ?? '10000x200').split(',')) {
    const [count = 0, classes = 0] = size.split('x').map(Number);
    const random = new Random(1);
    const centres = random.normals(classes * DIM);
    const given = Array.from({ length: count }, (_, track) => track % classes);
    const features = random.normals(count * DIM);
    given.forEach((label, track) => {
      for (let d = 0; d < DIM; d++) {
        const cell = track * DIM + d;
        features[cell] = (features[cell] ?? 0) + 0.5 * (centres[label * DIM + d] ?? 0);
      }
    });
    const ids = given.map((_, track) => String(track));
    const set = {
      ...{ features, count, dim: DIM, labels: oneHot(given, classes) },
      labelNames: Array.from({ length: classes }, (_, label) => `class ${String(label)}`),
      tracks: { of: Int32Array.from(ids.keys()), ids, groups: ids },
    };
    console.log(`${count} tracks, ${classes} classes`);
    const folds = await timed('5 folds', () => outOfFold(set, { task: 'single', folds: 5, seed: 1, signal }));
    const { verdicts } = await timed('verdicts', () => judgeLabels(set, folds, { task: 'single', signal }));
    const compared = ids.map(() => ({ contentHash: null, durationSeconds: 3 }));
    await timed('copies', () => findDuplicates(compared, features, DIM, { signal }));
    console.log(`${verdicts.filter(({ margin }) => margin < 0).length} likely wrong`);
  }
}

async function timed<T>(name: string, work: () => Promise<T>): Promise<T> {
  const before = process.cpuUsage();
  const started = performance.now();
  const result = await work();
  const { user, system } = process.cpuUsage(before);
  const wall = (performance.now() - started) / 1000;
  console.log(`${name}: ${((user + system) / 1e6).toFixed(1)} s processor, ${wall.toFixed(1)} s`);
  return result;
}
