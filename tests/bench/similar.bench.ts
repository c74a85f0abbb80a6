/**
 * In which space nearest neighbours are looked for: as trained, or with every dimension standardised on the library.
 * Measured is the share of tracks whose class is what most of their five nearest other tracks are (leave one out; of a
 * draw the nearer decides), by track embeddings of the compact pack. What the product does by default was chosen on the
 * folders of ARCHETONE_BENCH_TUNING (the demo sounds among them); the folders of ARCHETONE_BENCH_AUDIO chose nothing. Folders are
 * separated by colons; each holds a folder per class, or files whose names begin with their class and an underscore.
 */
import { embedFolder } from './mistakes-collection.ts';
import { classOfTracks } from '../../models/embeddings/tracks.ts';
import { poolTracks } from '../../models/embeddings/pooling.ts';
import { ExactIndex } from '../../models/neighbours/exact.ts';
import { standardisationOf, standardise } from '../../models/neighbours/standardised.ts';

const K = 5;
const metrics = ['euclidean', 'cosine'] as const;
const folders = (name: string): string[] => (process.env[name] ?? '').split(':').filter(Boolean);

export async function run(): Promise<void> {
  const tuning = folders('ARCHETONE_BENCH_TUNING');
  const audio = folders('ARCHETONE_BENCH_AUDIO');
  if (tuning.length + audio.length === 0) {
    console.log(
      'skipped: name folders with a folder per class in ARCHETONE_BENCH_TUNING and ARCHETONE_BENCH_AUDIO',
    );
    return;
  }
  const rows: object[] = [];
  for (const [use, list] of [
    ['choosing', tuning],
    ['reporting', audio],
  ] as const)
    for (const folder of list) {
      const row = { for: use, folder: folder.split('/').slice(-2).join('/'), ...(await measure(folder)) };
      rows.push(row);
    }
  console.table(rows);
}

async function measure(folder: string): Promise<Record<string, number | string>> {
  const set = await embedFolder(folder, (path) => path.split(path.includes('/') ? '/' : '_').slice(0, 1));
  const pooled = poolTracks(set);
  const classes = classOfTracks(set);
  const figures: Record<string, number | string> = {
    tracks: pooled.count,
    classes: new Set(classes).size,
  };
  const standardised = standardise(pooled.features, await standardisationOf(pooled.features, pooled.dim));
  for (const metric of metrics)
    for (const [name, vectors] of [
      ['trained', pooled.features],
      ['standardised', standardised],
    ] as const) {
      const right = await rightOf(vectors, pooled.dim, classes, metric);
      figures[`${metric} ${name}`] = `${((100 * right) / pooled.count).toFixed(1)} %`;
    }
  return figures;
}

async function rightOf(
  vectors: Float32Array,
  dim: number,
  classes: readonly string[],
  metric: (typeof metrics)[number],
): Promise<number> {
  const index = await ExactIndex.build(vectors, dim, metric);
  const found = await index.query(vectors, K + 1);
  await index.close();
  return found.filter((near, own) => {
    const votes = new Map<string, number>();
    for (const { row } of near.filter(({ row: other }) => other !== own).slice(0, K)) {
      const name = classes[row] ?? '';
      votes.set(name, (votes.get(name) ?? 0) + 1);
    }
    // A map keeps the order of insertion: of equally many the nearest came first.
    const [winner] = [...votes].sort(([, a], [, b]) => b - a);
    return winner?.[0] === classes[own];
  }).length;
}
