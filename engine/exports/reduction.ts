import { basename } from 'node:path';
import type { WritableSet } from '../../models/datasets/index.ts';
import type { KnnClassifier } from '../../models/knn/index.ts';
import type { GeneratedPrototype, Reduction } from '../api/reductions.ts';
import type { StudyRequest } from '../api/studies.ts';
import type { EngineContext } from '../context.ts';
import type { Library } from '../library/library.ts';
import type { JobHandle } from '../jobs/queue.ts';
import { generatedPrototypes } from '../reductions/prototypes.ts';
import type { ReducedSet } from '../library/reductions.ts';
import type { DatasetOrigin } from '../library/studies.ts';
import { addAudio } from './audio.ts';
import { writeFormats } from './formats.ts';
import type { Bundle } from '../bundles/bundle.ts';
import { csvLines, mapped, writeCsv, type Cell } from '../bundles/csv.ts';
import type { ExportRequest } from './experiment-files.ts';
import { datasetOrigin, libraryOrigin, writeManifest } from '../bundles/manifest.ts';
import { distinctFileNames } from '../bundles/names.ts';
import { playlistTracks, writePlaylist } from './playlists.ts';
import { reducedClassifier } from '../bundles/reduced.ts';

/** Fills a bundle with a reduction: the generated prototypes as numbers and sound, and a playlist per label. */
export async function exportReduction(
  context: EngineContext,
  library: Library,
  reductionId: string,
  request: ExportRequest,
  bundle: Bundle,
  job: JobHandle,
): Promise<void> {
  const { formats, seed, raw } = request;
  const reduction = library.reductions.get(reductionId);
  const { request: asked } = library.studies.get(reduction.studyId);
  const dataset = library.studies.datasetOf(reduction.studyId);
  const set = library.reductions.setOf(reductionId);
  const prototypes = await generatedPrototypes(context, library, reductionId);
  const files = distinctFileNames(
    prototypes.map(({ index, labelset }) => `${String(index).padStart(4, '0')} ${labelset.join(' ')}`),
  ).map((name) => `audio/${name}.wav`);
  const ofLibrary = reduction.source.kind === 'library';
  const data = writable(reduction, set, dataset);
  const classifier = classifierOf(reduction, asked, request);
  const { space } = reduction;
  const { audio, details } = await writeFormats(
    {
      kind: reduction.source.kind,
      files: {
        set: data,
        clusterSizes: set.clusterSizes,
        clusters: set.whole?.clusters ?? null,
        seed,
        nearest: ofLibrary ? prototypes.map(({ nearest: [nearest] }) => nearest?.path ?? null) : null,
      },
      soundFiles: files,
      addSounds: (to) =>
        space === null
          ? Promise.resolve(null)
          : addAudio(
              context,
              library,
              to,
              space,
              prototypes.map(({ index }) => ({
                ref: { kind: 'generated', reductionId, index },
                file: files[index] ?? '',
              })),
              request,
              job,
            ),
      tables: (sounds) =>
        ofLibrary
          ? {
              'prototypes.csv': prototypeTable(reduction, set, prototypes, sounds, raw),
              'split.csv': splitTable(library, reduction.studyId, raw),
            }
          : { 'prototypes.csv': datasetTable(data, raw) },
      classifier: (signal) => reducedClassifier(data, classifier, signal),
      playlists: () => Promise.resolve(labelPlaylists(library, reduction, prototypes)),
    },
    formats,
    bundle,
    job,
  );

  const { method, seed: reductionSeed, source, noise } = reduction;
  await writeManifest(
    bundle,
    context.options.version,
    {
      kind: 'reduction',
      method,
      parameters:
        source.kind === 'library'
          ? { ...reduction.parameters, level: source.level, k: asked.k[0], noise }
          : { ...reduction.parameters, classifier: classifier.name, k: classifier.k, noise },
      seed: reductionSeed,
      split: splitStatement(reduction, asked.split),
      classes: reduction.labels,
      counts: {
        corpusRows: reduction.corpusRows,
        testRows: reduction.testRows,
        prototypes: reduction.prototypeRows,
      },
      metrics: { full: reduction.full, reduced: reduction.reduced, scores: reduction.scores },
      details: { ...(source.kind === 'dataset' ? { excluded: source.exclude } : {}), ...details },
    },
    reduction.source.kind === 'dataset' || reduction.space === null
      ? datasetOrigin(nameOf(reduction), dataset?.sha256 ?? null)
      : libraryOrigin(
          context,
          library,
          {
            ...reduction,
            space: reduction.space,
            trackIds: [...library.studies.splitsOf(reduction.studyId).keys()],
          },
          audio,
        ),
  );
}

/** The classifier asked for, else the first that the reduction was scored with. */
function classifierOf(
  { scores }: Reduction,
  asked: StudyRequest,
  { classifier }: ExportRequest,
): { name: KnnClassifier; k: number } {
  if (classifier) return { name: classifier.classifier, k: classifier.k };
  // Without held-out rows there are no scores, but still what was asked for.
  return {
    name: scores[0]?.classifier ?? asked.classifiers[0] ?? 'lpknn',
    k: scores[0]?.k ?? asked.k[0] ?? 1,
  };
}

/** How rows were held out; of several splits the first, whose prototypes these are. */
function splitStatement(
  { corpusRows, testRows, source }: Reduction,
  split: StudyRequest['split'],
): Record<string, unknown> {
  if (split.kind === 'file') return { file: basename(split.path) };
  const test = split.kind === 'holdout' ? split.test : testRows / (corpusRows + testRows);
  return { train: 1 - test, validation: 0, test, groupBy: source.kind === 'library' ? 'track' : 'row' };
}

/** Of the taxonomy, or of the data set file. */
function nameOf({ source, taxonomyName }: Reduction): string {
  return source.kind === 'dataset' ? basename(source.path) : taxonomyName;
}

function writable(reduction: Reduction, set: ReducedSet, dataset: DatasetOrigin | null): WritableSet {
  return {
    name: dataset?.relation ?? nameOf(reduction),
    features: set.whole?.prototypes ?? set.prototypes,
    count: set.clusterSizes.length,
    dim: set.dim,
    labels: set.labelsets,
    labelNames: reduction.labels,
    featureNames: dataset?.features ?? Array.from({ length: set.dim }, (_, d) => `z${d}`),
  };
}

/** Header and columns of the data set file itself. */
function datasetTable(
  { features, labels, count, dim, ...names }: WritableSet,
  raw: boolean,
): Iterable<string> {
  const L = names.labelNames.length;
  const row = (i: number): Cell[] => [
    ...features.subarray(i * dim, (i + 1) * dim),
    ...labels.subarray(i * L, (i + 1) * L),
  ];
  const rows = mapped(Array(count).keys(), row);
  return csvLines([...names.featureNames, ...names.labelNames], rows, { raw });
}

function prototypeTable(
  { labels }: Reduction,
  set: ReducedSet,
  prototypes: readonly GeneratedPrototype[],
  audioFiles: readonly string[],
  raw: boolean,
): Iterable<string> {
  const L = labels.length;
  const header = [
    ...['index', 'labelset', 'cluster_size', 'audio', 'nearest_path', 'nearest_distance'],
    ...labels.map((name) => `label:${name}`),
    ...Array.from({ length: set.dim }, (_, d) => `z${d}`),
  ];
  const row = ({ index, labelset, clusterSize, nearest: [nearest] }: GeneratedPrototype): Cell[] => [
    ...[index, labelset.join(';'), clusterSize, audioFiles[index] ?? null],
    ...[nearest?.path ?? null, nearest?.distance ?? null],
    ...set.labelsets.subarray(index * L, (index + 1) * L),
    ...set.prototypes.subarray(index * set.dim, (index + 1) * set.dim),
  ];
  return csvLines(header, mapped(prototypes, row), { raw });
}

function splitTable(library: Library, studyId: string, raw: boolean): string {
  const rows = [...library.studies.splitsOf(studyId)].map(([id, split]) => [
    library.tracks.nameOf(id).path,
    split,
  ]);
  rows.sort((a, b) => ((a[0] ?? '') < (b[0] ?? '') ? -1 : 1));
  return writeCsv(['path', 'split'], rows, { raw });
}

/** One playlist per label: the tracks nearest to the generated prototypes that carry it. */
function labelPlaylists(
  library: Library,
  { labels }: Reduction,
  prototypes: readonly GeneratedPrototype[],
): [name: string, content: string][] {
  const known = playlistTracks(library);
  const names = distinctFileNames(labels);
  const playlists: [name: string, content: string][] = [];
  for (const [index, label] of labels.entries()) {
    const ids = prototypes
      .filter(({ labelset }) => labelset.includes(label))
      .flatMap(({ nearest }) => nearest.map(({ trackId }) => trackId));
    const tracks = [...new Set(ids)].flatMap((id) => known.get(id) ?? []);
    if (tracks.length > 0) playlists.push([names[index] ?? '', writePlaylist(label, tracks)]);
  }
  return playlists;
}
