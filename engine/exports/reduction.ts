import { writeNpz } from '../../models/tensors/index.ts';
import type { GeneratedPrototype } from '../api/domain.ts';
import type { EngineContext, OpenLibrary } from '../context.ts';
import type { JobHandle } from '../jobs/queue.ts';
import { trackName } from '../neighbours/nearest.ts';
import { generatedPrototypes } from '../reductions/prototypes.ts';
import {
  getReduction,
  loadReducedSet,
  reductionSplits,
  type ReducedSet,
  type StoredReduction,
} from '../reductions/store.ts';
import { addAudio } from './audio.ts';
import type { Bundle } from './bundle.ts';
import { writeCsv } from './csv.ts';
import type { ExportRequest } from './experiment.ts';
import { addManifest } from './manifest.ts';
import { distinctFileNames } from './names.ts';
import { playlistTracks, writePlaylist } from './playlists.ts';

/** Fills a bundle with a reduction: the generated prototypes as numbers and sound, and a playlist per label. */
export async function exportReduction(
  context: EngineContext,
  library: OpenLibrary,
  reductionId: string,
  { formats, seed }: ExportRequest,
  bundle: Bundle,
  job: JobHandle,
): Promise<void> {
  const reduction = getReduction(library, reductionId);
  const set = loadReducedSet(library, reductionId);
  const prototypes = await generatedPrototypes(context, library, reductionId);
  const files = distinctFileNames(
    prototypes.map(({ index, labelset }) => `${String(index).padStart(4, '0')} ${labelset.join(' ')}`),
  ).map((name) => `audio/${name}.wav`);
  const audio = formats.includes('wav')
    ? await addAudio(
        context,
        library,
        bundle,
        prototypes.map(({ index }) => ({
          ref: { kind: 'generated', reductionId, index },
          file: files[index] ?? '',
        })),
        seed,
        job,
      )
    : null;
  await job.checkpoint();
  if (formats.includes('csv')) {
    await bundle.add(
      'prototypes.csv',
      prototypeTable(reduction, set, prototypes, audio === null ? [] : files),
    );
    await bundle.add('split.csv', splitTable(library, reductionId));
  }
  if (formats.includes('npz')) await bundle.add('prototypes.npz', prototypeArrays(reduction, set));
  if (formats.includes('m3u8')) await addPlaylists(library, reduction, prototypes, bundle);

  const { split, seed: reductionSeed, method, level, percent, k, taxonomyId } = reduction.request;
  await addManifest(
    context,
    library,
    bundle,
    { ...reduction, taxonomyId, audio },
    {
      kind: 'reduction',
      method,
      parameters: { percent, level, k },
      seed: reductionSeed,
      split: { ...split, groupBy: 'track' },
      classes: reduction.labels,
      counts: {
        corpusRows: reduction.corpusRows,
        testRows: reduction.testRows,
        prototypes: reduction.prototypeRows,
      },
      metrics: { full: reduction.full, reduced: reduction.reduced },
      details: {},
    },
  );
}

function prototypeTable(
  { labels }: StoredReduction,
  set: ReducedSet,
  prototypes: readonly GeneratedPrototype[],
  audioFiles: readonly string[],
): string {
  const L = labels.length;
  const header = [
    ...['index', 'labelset', 'cluster_size', 'audio', 'nearest_path', 'nearest_distance'],
    ...labels.map((name) => `label:${name}`),
    ...Array.from({ length: set.dim }, (_, d) => `z${d}`),
  ];
  const rows = prototypes.map(({ index, labelset, clusterSize, nearest: [nearest] }) => [
    ...[index, labelset.join(';'), clusterSize, audioFiles[index] ?? null],
    ...[nearest?.path ?? null, nearest?.distance ?? null],
    ...set.labelsets.subarray(index * L, (index + 1) * L),
    ...set.prototypes.subarray(index * set.dim, (index + 1) * set.dim),
  ]);
  return writeCsv(header, rows);
}

function splitTable(library: OpenLibrary, reductionId: string): string {
  const rows = [...reductionSplits(library, reductionId)].map(([id, split]) => [
    trackName(library, id).path,
    split,
  ]);
  rows.sort((a, b) => ((a[0] ?? '') < (b[0] ?? '') ? -1 : 1));
  return writeCsv(['path', 'split'], rows);
}

function prototypeArrays(reduction: StoredReduction, set: ReducedSet): Uint8Array {
  const m = set.clusterSizes.length;
  const L = reduction.labels.length;
  return writeNpz({
    prototypes: { dtype: 'float32', shape: [m, set.dim], data: set.prototypes },
    labelsets: { dtype: 'uint8', shape: [m, L], data: set.labelsets },
    labels: { dtype: 'text', shape: [L], data: reduction.labels },
    cluster_sizes: { dtype: 'int32', shape: [m], data: Int32Array.from(set.clusterSizes) },
  });
}

/** One playlist per label: the tracks nearest to the generated prototypes that carry it. */
async function addPlaylists(
  library: OpenLibrary,
  { labels }: StoredReduction,
  prototypes: readonly GeneratedPrototype[],
  bundle: Bundle,
): Promise<void> {
  const known = playlistTracks(library);
  const names = distinctFileNames(labels);
  for (const [index, label] of labels.entries()) {
    const ids = prototypes
      .filter(({ labelset }) => labelset.includes(label))
      .flatMap(({ nearest }) => nearest.map(({ trackId }) => trackId));
    const tracks = [...new Set(ids)].flatMap((id) => known.get(id) ?? []);
    if (tracks.length > 0)
      await bundle.add(`playlists/${names[index] ?? ''}.m3u8`, writePlaylist(label, tracks));
  }
}
