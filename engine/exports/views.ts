import { writeNpz } from '../../models/tensors/index.ts';
import type { ViewNetwork } from '../../models/views/view-network.ts';
import { viewsGraph } from '../../models/views/views-graph.ts';
import type { Experiment } from '../api/experiments.ts';
import type { PrototypeInfo } from '../api/prototypes.ts';
import type { Bundle } from '../bundles/bundle.ts';
import { writeCsv } from '../bundles/csv.ts';
import { libraryOrigin, writeManifest, type Licence, type ManifestOrigin } from '../bundles/manifest.ts';
import { distinctFileNames } from '../bundles/names.ts';
import type { EngineContext } from '../context.ts';
import type { JobHandle } from '../jobs/queue.ts';
import type { Library } from '../library/library.ts';
import { listPrototypes } from '../prototypes/list.ts';
import { partsOf, partWith, weightsIn, type NetworkPart } from '../prototypes/parts.ts';
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
import { writeFormats, type ExportStatement } from './formats.ts';

/** What the manifest says of one view. */
type ViewStatement = Pick<ManifestOrigin, 'pack' | 'space' | 'audio'> & {
  /** Where its files lie. */
  folder: string;
  prototypes: number;
  /** Numbers of its prototypes among those of all views. */
  first: number;
  accuracyAlone: unknown;
  overfitting: boolean;
} & ExportStatement['details'];

/**
 * Fills a bundle with an experiment of several views: a folder for each of them with its prototypes as a bundle of one space has
 * them, and what belongs to all: the joint head, one classifier that takes every view, the split, and a playlist per class.
 */
export async function exportViews(
  context: EngineContext,
  library: Library,
  { experiment, network }: { experiment: Experiment; network: ViewNetwork },
  request: ExportRequest,
  bundle: Bundle,
  job: JobHandle,
): Promise<void> {
  const { formats, raw } = request;
  const has = (format: ExportRequest['formats'][number]): boolean => formats.includes(format);
  const prototypes = await listPrototypes(context, library, experiment.id, job.signal);
  const parts = partsOf(experiment, network);
  const folders = distinctFileNames(parts.map(({ space }, v) => `${v + 1} ${space.packId}`));
  const views: ViewStatement[] = [];
  const origins: ManifestOrigin[] = [];
  for (const [v, part] of parts.entries()) {
    const folder = `views/${folders[v] ?? ''}`;
    const own = prototypes.filter(({ view }) => view === part.view);
    const written = await writeView(
      context,
      library,
      { experiment, network, part, own },
      request,
      bundle.inside(folder),
      job,
    );
    const origin = libraryOrigin(
      context,
      library,
      { ...originOf(library, experiment), space: part.space },
      written.audio,
    );
    const { pack, space, audio } = origin;
    const report = experiment.views?.views[v];
    origins.push(origin);
    views.push({
      ...{ folder, pack, space, audio, prototypes: own.length, first: part.first },
      accuracyAlone: report?.accuracy ?? null,
      overfitting: report?.overfitting ?? false,
      ...written.details,
    });
  }
  await job.checkpoint();
  if (has('csv')) {
    await bundle.add('joint.csv', jointTable(network, parts, prototypes, folders, raw));
    await bundle.add('split.csv', splitTable(library, experiment, raw));
  }
  if (has('npz')) await bundle.add('joint.npz', jointArrays(network, parts));
  if (has('onnx')) await bundle.add('classifier.onnx', viewsGraph(network.data));
  if (has('m3u8'))
    for (const [name, content] of await classPlaylists(library, experiment, job))
      await bundle.add(`playlists/${name}.m3u8`, content);
  await job.checkpoint();
  const [first] = origins;
  if (!first) throw new RangeError('there are no views');
  await writeManifest(
    bundle,
    context.options.version,
    subjectOf(experiment, 'prototype networks of several views with a joint head', prototypes.length, {
      views,
    }),
    // Each view has a pack and a space of its own.
    { ...first, pack: null, space: null, audio: null, licences: licencesOf(origins) },
  );
}

interface OneView {
  experiment: Experiment;
  network: ViewNetwork;
  part: NetworkPart;
  own: readonly PrototypeInfo[];
}

/** The files of one view; the classifier and the playlists are of all views together. */
async function writeView(
  context: EngineContext,
  library: Library,
  { experiment, network, part, own }: OneView,
  { formats, ...request }: ExportRequest,
  bundle: Bundle,
  job: JobHandle,
): Promise<ExportStatement> {
  const soundFiles = distinctFileNames(
    own.map(({ index, class: name }) => `${String(index).padStart(3, '0')} ${name}`),
  ).map((name) => `audio/${name}.wav`);
  return writeFormats(
    {
      kind: 'experiment',
      files: {
        set: prototypeSet(experiment, part.network, part.vectorOf),
        clusterSizes: own.map(({ support }) => support),
        clusters: null,
        seed: request.seed,
        nearest: own.map(({ nearest: [nearest] }) => nearest?.path ?? null),
      },
      soundFiles,
      addSounds: (to) =>
        addAudio(
          context,
          library,
          to,
          part.space,
          own.map(({ index }, i) => ({
            ref: { kind: 'prototype', experimentId: experiment.id, index },
            file: soundFiles[i] ?? '',
          })),
          request,
          job,
        ),
      tables: (sounds) => ({
        'prototypes.csv': prototypeTable(
          experiment,
          own,
          (index) => ({
            vector: part.vectorOf(index - part.first),
            weights: weightsIn(part, index - part.first),
          }),
          sounds,
          request.raw,
        ),
      }),
      arrays: () => viewArrays(network, part, own),
      classifier: () => Promise.resolve({ graph: new Uint8Array() }),
      playlists: () => Promise.resolve([]),
    },
    formats.filter((format) => format !== 'onnx' && format !== 'm3u8'),
    bundle,
    job,
  );
}

function viewArrays(network: ViewNetwork, part: NetworkPart, own: readonly PrototypeInfo[]): Uint8Array {
  const view = network.data.views[part.view ?? 0];
  if (!view) throw new RangeError('there is no such view');
  const { data, prototypeCount: K } = view.network;
  const { embeddingDim: D, classes } = data;
  const vectors = new Float32Array(K * D);
  for (let k = 0; k < K; k++) vectors.set(part.vectorOf(k), k * D);
  const scalar = (value: number) => ({ dtype: 'float64' as const, shape: [], data: Float64Array.of(value) });
  const wide = (values: Float64Array) => ({ dtype: 'float64' as const, shape: [D], data: values });
  return writeNpz({
    prototypes: { dtype: 'float32', shape: [K, D], data: vectors },
    prototypes_normalised: { dtype: 'float32', shape: [K, D], data: data.prototypes },
    class_of: { dtype: 'int32', shape: [K], data: data.prototypeClasses },
    classes: { dtype: 'text', shape: [classes.length], data: classes },
    weights: { dtype: 'float32', shape: [classes.length, K], data: part.network.data.weights },
    weights_alone: { dtype: 'float32', shape: [classes.length, K], data: data.weights },
    bias_alone: { dtype: 'float32', shape: [classes.length], data: data.bias },
    typical: { dtype: 'float32', shape: [K], data: view.typical },
    support: { dtype: 'int32', shape: [K], data: Int32Array.from(own, ({ support }) => support) },
    standardisation_mean: wide(view.standardisation.mean),
    standardisation_scale: wide(view.standardisation.scale),
    mean: scalar(data.normalisation.mean),
    scale: scalar(data.normalisation.scale),
    temperature: scalar(data.temperature),
  });
}

/** The joint head: a row for each prototype of all views. */
function jointTable(
  { classes, data: { joint } }: ViewNetwork,
  parts: readonly NetworkPart[],
  prototypes: readonly PrototypeInfo[],
  folders: readonly string[],
  raw: boolean,
): string {
  const header = ['index', 'view', 'class', 'name', ...classes.map((name) => `weight:${name}`)];
  const rows = prototypes.map(({ index, view, class: name, name: own }) => {
    const part = partWith(parts, index);
    return [...[index, folders[view ?? 0] ?? '', name, own], ...weightsIn(part, index - part.first)];
  });
  return writeCsv(header, [...rows, ['bias', '', '', '', ...joint.bias]], { raw });
}

function jointArrays(
  { classes, prototypeCount: K, data: { joint } }: ViewNetwork,
  parts: readonly NetworkPart[],
): Uint8Array {
  const viewOf = parts.flatMap(({ view, network }) =>
    new Array<number>(network.prototypeCount).fill(view ?? 0),
  );
  return writeNpz({
    weights: { dtype: 'float32', shape: [classes.length, K], data: joint.weights },
    bias: { dtype: 'float32', shape: [classes.length], data: joint.bias },
    classes: { dtype: 'text', shape: [classes.length], data: [...classes] },
    view_of: { dtype: 'int32', shape: [K], data: Int32Array.from(viewOf) },
  });
}

/** Each once. */
function licencesOf(origins: readonly ManifestOrigin[]): Licence[] {
  const all = origins.flatMap(({ licences }) => licences);
  return [...new Map(all.map((licence) => [JSON.stringify(licence), licence])).values()];
}
