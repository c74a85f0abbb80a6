import { networkGraph } from '../../models/pecmae/classifier-graph.ts';
import type { PrototypeNetwork } from '../../models/pecmae/network.ts';
import { writeNpz } from '../../models/tensors/index.ts';
import { ViewNetwork } from '../../models/views/view-network.ts';
import type { PrototypeInfo } from '../api/prototypes.ts';
import type { Bundle } from '../bundles/bundle.ts';
import { libraryOrigin, writeManifest } from '../bundles/manifest.ts';
import { distinctFileNames } from '../bundles/names.ts';
import type { EngineContext } from '../context.ts';
import type { JobHandle } from '../jobs/queue.ts';
import type { Library } from '../library/library.ts';
import { listPrototypes } from '../prototypes/list.ts';
import { partOfView, partsOf, weightsIn } from '../prototypes/parts.ts';
import { addAudio } from './audio.ts';
import {
  classPlaylists,
  originOf,
  prototypeSet,
  prototypeTable,
  splitTable,
  subjectOf,
  type ExportRequest,
} from './experiment-files.ts';
import { writeFormats } from './formats.ts';
import { exportViews } from './views.ts';

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
  const request = { formats, seed, soundsFrom, raw };
  const whole = library.experiments.anyNetwork(experimentId, experiment.revision);
  if (whole instanceof ViewNetwork)
    return exportViews(context, library, { experiment, network: whole }, request, bundle, job);
  const network = whole;
  const part = partOfView(partsOf(experiment, network), 0);
  const prototypes = await listPrototypes(context, library, experimentId, job.signal);
  const audioNames = distinctFileNames(
    prototypes.map(({ index, class: name }) => `${String(index).padStart(3, '0')} ${name}`),
  ).map((name) => `audio/${name}.wav`);

  const { audio, details } = await writeFormats(
    {
      kind: 'experiment',
      files: {
        set: prototypeSet(experiment, network, (index) => network.prototypeVector(index)),
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
        'prototypes.csv': prototypeTable(
          experiment,
          prototypes,
          (index) => ({ vector: part.vectorOf(index), weights: weightsIn(part, index) }),
          sounds,
          raw,
        ),
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

  await writeManifest(
    bundle,
    context.options.version,
    subjectOf(experiment, 'prototype network (PECMAE)', prototypes.length, details),
    libraryOrigin(context, library, originOf(library, experiment), audio),
  );
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
