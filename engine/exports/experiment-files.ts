import type { WritableSet } from '../../models/datasets/index.ts';
import type { KnnClassifier } from '../../models/knn/index.ts';
import type { PrototypeNetwork } from '../../models/pecmae/network.ts';
import type { Experiment } from '../api/experiments.ts';
import type { ExportFormat } from '../api/exports.ts';
import type { PrototypeInfo } from '../api/prototypes.ts';
import type { SoundOrigin } from '../api/sonify.ts';
import type { SpaceInfo } from '../api/spaces.ts';
import { writeCsv } from '../bundles/csv.ts';
import type { ManifestSubject } from '../bundles/manifest.ts';
import { distinctFileNames } from '../bundles/names.ts';
import { classifyLibrary } from '../classify/library.ts';
import type { JobHandle } from '../jobs/queue.ts';
import type { Library } from '../library/library.ts';
import { playlistTracks, writePlaylist } from './playlists.ts';

export interface ExportRequest {
  formats: readonly ExportFormat[];
  seed: number;
  soundsFrom: SoundOrigin;
  /** Tables keep text that spreadsheets would run. */
  raw: boolean;
  /** Reductions: the kNN classifier that is exported; left out: the one it was scored with first. */
  classifier?: { classifier: KnnClassifier; k: number } | undefined;
}

/** What the manifest says of an experiment. */
export function subjectOf(
  experiment: Experiment,
  method: string,
  prototypes: number,
  details: object,
): ManifestSubject {
  const { split, groupBy, seed, ...rest } = experiment.parameters;
  // An identifier of this installation.
  const parameters = { ...rest, taxonomyId: undefined };
  return {
    ...{ kind: 'experiment', method, parameters, seed },
    split: { ...split, groupBy },
    classes: experiment.classes,
    counts: { ...experiment.counts, prototypes },
    metrics: experiment.metrics,
    details: {
      revision: experiment.revision,
      droppedClasses: experiment.droppedClasses,
      ...(experiment.thresholds === null ? {} : { thresholds: experiment.thresholds }),
      ...details,
    },
  };
}

/** What a library's origin is asked with. */
export function originOf(
  library: Library,
  experiment: Experiment,
): { space: SpaceInfo; taxonomyId: string; taxonomyName: string; trackIds: readonly string[] } {
  const { space, taxonomyName, parameters } = experiment;
  const trackIds = library.experiments.tracksOf(experiment.id).map(({ id }) => id);
  return { space, taxonomyId: parameters.taxonomyId, taxonomyName, trackIds };
}

/**
 * Prototypes as a table, in the order given.
 * @param numbersOf by the number of the prototype
 * @param audioFiles of each, in that order; none where there are no sounds
 */
export function prototypeTable(
  { classes }: Experiment,
  prototypes: readonly PrototypeInfo[],
  numbersOf: (index: number) => { vector: Float32Array; weights: Float32Array },
  audioFiles: readonly string[],
  raw: boolean,
): string {
  const dim = prototypes[0] ? numbersOf(prototypes[0].index).vector.length : 0;
  const header = [
    ...['index', 'class', 'support', 'purity', 'audio'],
    ...['nearest_path', 'nearest_start_seconds', 'nearest_distance'],
    ...classes.map((name) => `weight:${name}`),
    ...Array.from({ length: dim }, (_, d) => `z${d}`),
  ];
  const rows = prototypes.map((prototype, row) => {
    const [nearest] = prototype.nearest;
    const { vector, weights } = numbersOf(prototype.index);
    return [
      ...[prototype.index, prototype.class, prototype.support, prototype.purity],
      audioFiles[row] ?? null,
      ...[nearest?.path ?? null, nearest?.startSeconds ?? null, nearest?.distance ?? null],
      ...weights,
      ...vector,
    ];
  });
  return writeCsv(header, rows, { raw });
}

export function splitTable(library: Library, experiment: Experiment, raw: boolean): string {
  const rows = library.experiments
    .tracksOf(experiment.id)
    .map(({ id, split, labels }) => [
      library.tracks.nameOf(id).path,
      split,
      labels.map((label) => experiment.classes[label] ?? '').join(';'),
    ]);
  rows.sort((a, b) => ((a[0] ?? '') < (b[0] ?? '') ? -1 : 1));
  return writeCsv(['path', 'split', 'labels'], rows, { raw });
}

/** Prototypes as a labelled set: each bears the label of its class alone. */
export function prototypeSet(
  { taxonomyName: name, classes }: Experiment,
  network: PrototypeNetwork,
  vectorOf: (index: number) => Float32Array,
): WritableSet {
  const { embeddingDim: dim, prototypeClasses } = network.data;
  const features = new Float32Array(network.prototypeCount * dim);
  const labels = new Uint8Array(network.prototypeCount * classes.length);
  prototypeClasses.forEach((label, k) => {
    features.set(vectorOf(k), k * dim);
    labels[k * classes.length + label] = 1;
  });
  return {
    ...{ name, features, labels, dim, count: network.prototypeCount, labelNames: classes },
    featureNames: Array.from({ length: dim }, (_, d) => `z${d}`),
  };
}

/** One playlist per class: the tracks predicted as it, the surest first. */
export async function classPlaylists(
  library: Library,
  experiment: Experiment,
  job: JobHandle,
): Promise<[name: string, content: string][]> {
  // The cache of predictions may have been deleted.
  await classifyLibrary(library, experiment.id, { signal: job.signal });
  const known = playlistTracks(library);
  const predicted = library.predictions.list(experiment);
  const names = distinctFileNames(experiment.classes);
  const playlists: [name: string, content: string][] = [];
  for (const [index, name] of experiment.classes.entries()) {
    const tracks = predicted
      .filter((prediction) => prediction.class === name)
      .flatMap(({ trackId, probability }) => {
        const track = known.get(trackId);
        return track ? [{ track, probability }] : [];
      })
      // By path where equal: identifiers differ from one installation to the next.
      .sort((a, b) => b.probability - a.probability || (a.track.path < b.track.path ? -1 : 1))
      .map(({ track }) => track);
    playlists.push([names[index] ?? '', writePlaylist(name, tracks)]);
  }
  return playlists;
}
