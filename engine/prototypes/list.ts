import { Pacer } from '../../models/numerics/pacer.ts';
import type { PrototypeNetwork } from '../../models/pecmae/network.ts';
import type { PrototypeInfo } from '../api/prototypes.ts';
import { argmax } from '../classify/network-scores.ts';
import type { EngineContext } from '../context.ts';
import type { Library } from '../library/library.ts';
import { windowsByTrack } from '../experiments/track-windows.ts';
import { nearestTracksByWindow, windowRefs } from '../neighbours/nearest.ts';
import type { LibraryVectors } from '../library/vectors.ts';

/** Real excerpts shown beside a prototype. */
const NEAREST = 5;

/**
 * Describes every prototype of an experiment: how many training windows it stands for, how pure they are, how it
 * weighs on the classes, which real windows are nearest, and its sound where one was made.
 * @throws EngineError `not-found`
 */
export async function listPrototypes(
  context: EngineContext,
  library: Library,
  experimentId: string,
  signal: AbortSignal,
): Promise<PrototypeInfo[]> {
  const experiment = library.experiments.get(experimentId);
  const network = library.experiments.network(experimentId);
  const vectors = library.embeddings.madeIn(experiment.space, 'This experiment');
  const K = network.prototypeCount;
  const dim = network.data.embeddingDim;
  const queries = new Float32Array(K * dim);
  for (let k = 0; k < K; k++) queries.set(network.prototypeVector(k), k * dim);
  const { support, matching, nearest } = await vectors.prototypeFacts(
    `${experimentId} ${experiment.revision}`,
    async () => ({
      ...(await supports(library, experimentId, network, vectors, signal)),
      nearest: await nearestTracksByWindow(vectors, queries, NEAREST),
    }),
  );
  const pack = context.packs.ofSpace(experiment.space);
  return Array.from({ length: K }, (_, k) => ({
    index: k,
    class: experiment.classes[network.classOf(k)] ?? '',
    support: support[k] ?? 0,
    purity: support[k] ? (matching[k] ?? 0) / support[k] : null,
    weights: experiment.classes.map((_name, c) => network.data.weights[c * K + k] ?? 0),
    nearest: windowRefs(library, vectors, nearest[k] ?? []),
    sonification: library.sonifications.latest(context.media, {
      packSha256: pack?.sha256 ?? experiment.space.packSha256,
      vector: queries.subarray(k * dim, (k + 1) * dim),
      sampler: pack?.manifest.sampler ?? null,
    }),
  }));
}

/** Training windows per nearest prototype (the most similar one), and how many of them carry its class. */
async function supports(
  library: Library,
  experimentId: string,
  network: PrototypeNetwork,
  { windows }: LibraryVectors,
  signal: AbortSignal,
): Promise<{ support: Int32Array; matching: Int32Array }> {
  const K = network.prototypeCount;
  const support = new Int32Array(K);
  const matching = new Int32Array(K);
  const training = new Map(
    library.experiments
      .tracksOf(experimentId)
      .flatMap((track) => (track.split === 'train' ? [[track.id, new Set(track.labels)] as const] : [])),
  );
  const pacer = new Pacer(signal);
  for (const { trackId, vectors, count } of windowsByTrack(windows)) {
    const labels = training.get(trackId);
    if (!labels) continue;
    if (pacer.due(vectors.length * K)) await pacer.pause();
    const similarities = network.similarities(vectors, count);
    for (let row = 0; row < count; row++) {
      const nearest = argmax(similarities.subarray(row * K, (row + 1) * K));
      support[nearest] = (support[nearest] ?? 0) + 1;
      if (labels.has(network.classOf(nearest))) matching[nearest] = (matching[nearest] ?? 0) + 1;
    }
  }
  return { support, matching };
}
