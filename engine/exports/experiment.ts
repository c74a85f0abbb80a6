import type { WritableSet } from '../../models/datasets/index.ts';
import type { KnnClassifier } from '../../models/knn/index.ts';
import { networkGraph } from '../../models/pecmae/classifier-graph.ts';
import { writeNpz } from '../../models/tensors/index.ts';
import type { Experiment } from '../api/experiments.ts';
import type { ExportFormat } from '../api/exports.ts';
import type { PrototypeInfo } from '../api/prototypes.ts';
import type { SoundOrigin } from '../api/sonify.ts';
import { classifyLibrary } from '../classify/library.ts';
import type { EngineContext } from '../context.ts';
import type { Library } from '../library/library.ts';
import type { PrototypeNetwork } from '../../models/pecmae/network.ts';
import type { JobHandle } from '../jobs/queue.ts';
import { listPrototypes } from '../prototypes/list.ts';
import { addAudio } from './audio.ts';
import { writeFormats } from './formats.ts';
import type { Bundle } from '../bundles/bundle.ts';
import { writeCsv } from '../bundles/csv.ts';
import { libraryOrigin, writeManifest } from '../bundles/manifest.ts';
import { distinctFileNames } from '../bundles/names.ts';
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

/** Fills a bundle with an experiment: its prototypes as numbers and sound, its split, and a playlist per class. */
export async function exportExperiment(
  context: EngineContext,
  library: Library,
  experimentId: string,
  { formats, seed, soundsFrom, raw }: ExportRequest,
  bundle: Bundle,
  job: JobHandle,
): Promise<void> {
  const experiment = library.experiments.get(experimentId);
  const network = library.experiments.network(experimentId);
  const prototypes = await listPrototypes(context, library, experimentId, job.signal);
  const audioNames = distinctFileNames(
    prototypes.map(({ index, class: name }) => `${String(index).padStart(3, '0')} ${name}`),
  ).map((name) => `audio/${name}.wav`);

  const { audio, details } = await writeFormats(
    {
      kind: 'experiment',
      files: {
        set: prototypeSet(experiment, network),
        clusterSizes: prototypes.map(({ support }) => support),
        clusters: null,
        seed,
        nearest: prototypes.map(({ nearest: [nearest] }) => nearest?.path ?? null),
      },
      soundFiles: audioNames,
      addSounds: (to) =>
        addAudio(
          context,
          library,
          to,
          experiment.space,
          prototypes.map(({ index }) => ({
            ref: { kind: 'prototype', experimentId, index },
            file: audioNames[index] ?? '',
          })),
          { seed, soundsFrom },
          job,
        ),
      tables: (sounds) => ({
        'prototypes.csv': prototypeTable(experiment, network, prototypes, sounds, raw),
        'split.csv': splitTable(library, experiment, raw),
      }),
      arrays: () => prototypeArrays(network, prototypes),
      classifier: () => Promise.resolve({ graph: networkGraph(network.data) }),
      playlists: () => classPlaylists(library, experiment, job),
    },
    formats,
    bundle,
    job,
  );

  const { split, groupBy, seed: trainingSeed, taxonomyId, ...parameters } = experiment.parameters;
  await writeManifest(
    bundle,
    context.options.version,
    {
      kind: 'experiment',
      method: 'prototype network (PECMAE)',
      parameters,
      seed: trainingSeed,
      split: { ...split, groupBy },
      classes: experiment.classes,
      counts: { ...experiment.counts, prototypes: prototypes.length },
      metrics: experiment.metrics,
      details: {
        revision: experiment.revision,
        droppedClasses: experiment.droppedClasses,
        ...(experiment.thresholds === null ? {} : { thresholds: experiment.thresholds }),
        ...details,
      },
    },
    libraryOrigin(
      context,
      library,
      { ...experiment, taxonomyId, trackIds: library.experiments.tracksOf(experimentId).map(({ id }) => id) },
      audio,
    ),
  );
}

function prototypeTable(
  { classes }: Experiment,
  network: PrototypeNetwork,
  prototypes: readonly PrototypeInfo[],
  audioFiles: readonly string[],
  raw: boolean,
): string {
  const dim = network.data.embeddingDim;
  const header = [
    ...['index', 'class', 'support', 'purity', 'audio'],
    ...['nearest_path', 'nearest_start_seconds', 'nearest_distance'],
    ...classes.map((name) => `weight:${name}`),
    ...Array.from({ length: dim }, (_, d) => `z${d}`),
  ];
  const rows = prototypes.map((prototype) => {
    const [nearest] = prototype.nearest;
    return [
      ...[prototype.index, prototype.class, prototype.support, prototype.purity],
      audioFiles[prototype.index] ?? null,
      ...[nearest?.path ?? null, nearest?.startSeconds ?? null, nearest?.distance ?? null],
      ...prototype.weights,
      ...network.prototypeVector(prototype.index),
    ];
  });
  return writeCsv(header, rows, { raw });
}

function splitTable(library: Library, experiment: Experiment, raw: boolean): string {
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
function prototypeSet({ taxonomyName: name, classes }: Experiment, network: PrototypeNetwork): WritableSet {
  const { embeddingDim: dim, prototypeClasses } = network.data;
  const features = new Float32Array(network.prototypeCount * dim);
  const labels = new Uint8Array(network.prototypeCount * classes.length);
  prototypeClasses.forEach((label, k) => {
    features.set(network.prototypeVector(k), k * dim);
    labels[k * classes.length + label] = 1;
  });
  return {
    ...{ name, features, labels, dim, count: network.prototypeCount, labelNames: classes },
    featureNames: Array.from({ length: dim }, (_, d) => `z${d}`),
  };
}

function prototypeArrays(network: PrototypeNetwork, prototypes: readonly PrototypeInfo[]): Uint8Array {
  const { data, prototypeCount: K } = network;
  const C = data.classes.length;
  const vectors = new Float32Array(K * data.embeddingDim);
  for (let k = 0; k < K; k++) vectors.set(network.prototypeVector(k), k * data.embeddingDim);
  const scalar = (value: number) => ({ dtype: 'float64' as const, shape: [], data: Float64Array.of(value) });
  return writeNpz({
    prototypes: { dtype: 'float32', shape: [K, data.embeddingDim], data: vectors },
    prototypes_normalised: { dtype: 'float32', shape: [K, data.embeddingDim], data: data.prototypes },
    class_of: { dtype: 'int32', shape: [K], data: data.prototypeClasses },
    classes: { dtype: 'text', shape: [C], data: data.classes },
    weights: { dtype: 'float32', shape: [C, K], data: data.weights },
    bias: { dtype: 'float32', shape: [C], data: data.bias },
    ...(data.channelWeights && {
      channel_weights: {
        dtype: 'float32' as const,
        shape: [K, data.embeddingDim],
        data: data.channelWeights,
      },
    }),
    support: { dtype: 'int32', shape: [K], data: Int32Array.from(prototypes, ({ support }) => support) },
    mean: scalar(data.normalisation.mean),
    scale: scalar(data.normalisation.scale),
    temperature: scalar(data.temperature),
  });
}

/** One playlist per class: the tracks predicted as it, the surest first. */
async function classPlaylists(
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
