import { Pacer } from '../../models/numerics/pacer.ts';
import { argmax } from '../classify/network-scores.ts';
import { tracksOf } from '../experiments/track-windows.ts';
import type { Library } from '../library/library.ts';
import { NOT_TRAINING, type LibraryVectors, type PrototypeFacts } from '../library/vectors.ts';
import { nearestTracksByWindow } from '../neighbours/nearest.ts';
import type { NetworkPart } from './parts.ts';

/** Real excerpts shown beside a prototype. */
const NEAREST = 5;

/**
 * What the embeddings of a space say of the prototypes that a revision has in it; worked out once. Prototypes are counted as the
 * part counts them. @throws the signal's reason
 */
export function factsOf(
  library: Library,
  { id, revision }: { id: string; revision: number },
  part: NetworkPart,
  vectors: LibraryVectors,
  signal: AbortSignal,
): Promise<PrototypeFacts> {
  return vectors.prototypeFacts(`${id} ${revision}`, async () => ({
    ...(await supports(library, id, part, vectors, signal)),
    nearest: await nearestTracksByWindow(vectors, allVectors(part), NEAREST),
  }));
}

/** `[K, D]` in the embedding space. */
export function allVectors({ network, vectorOf }: NetworkPart): Float32Array {
  const { prototypeCount: K } = network;
  const dim = network.data.embeddingDim;
  const all = new Float32Array(K * dim);
  for (let k = 0; k < K; k++) all.set(vectorOf(k), k * dim);
  return all;
}

/** Training windows per nearest prototype (the most similar one), and how many of them carry its class. */
async function supports(
  library: Library,
  experimentId: string,
  { network, prepare }: NetworkPart,
  vectors: LibraryVectors,
  signal: AbortSignal,
): Promise<Omit<PrototypeFacts, 'nearest'>> {
  const K = network.prototypeCount;
  const support = new Int32Array(K);
  const matching = new Int32Array(K);
  const nearestOf = new Int32Array(vectors.windows.count).fill(NOT_TRAINING);
  const training = new Map(
    library.experiments
      .tracksOf(experimentId)
      .flatMap((track) => (track.split === 'train' ? [[track.id, new Set(track.labels)] as const] : [])),
  );
  const pacer = new Pacer(signal);
  for (const track of await tracksOf(vectors, signal)) {
    const { start, count } = track;
    const labels = training.get(track.trackId);
    if (!labels) continue;
    if (pacer.due(count * vectors.windows.dim * K)) await pacer.pause();
    const similarities = network.similarities(prepare(track.vectors), count);
    for (let row = 0; row < count; row++) {
      const nearest = argmax(similarities.subarray(row * K, (row + 1) * K));
      nearestOf[start + row] = nearest;
      support[nearest] = (support[nearest] ?? 0) + 1;
      if (labels.has(network.classOf(nearest))) matching[nearest] = (matching[nearest] ?? 0) + 1;
    }
  }
  return { support, matching, nearestOf };
}
