import { ExactIndex } from '../../models/neighbours/exact.ts';
import type { Rows } from '../../models/neighbours/rows.ts';
import { compareWindows } from '../../models/pecmae/window-products.ts';
import { argmax } from '../classify/network-scores.ts';
import { comparedWindows } from '../experiments/track-logits.ts';
import type { Library } from '../library/library.ts';
import { TrackSimilarities } from '../library/track-similarities.ts';
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
    nearest: await nearestTracksByWindow(vectors, allVectors(part), NEAREST, signal),
    twins: await twinsOf(allVectors(part), part.network.data.embeddingDim, signal),
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

/**
 * Training windows per nearest prototype (the most similar one), and how many of them carry its class. In an experiment of one
 * space the tracks' mean similarities, which previews need, come with it.
 */
async function supports(
  library: Library,
  experimentId: string,
  { network, prepare, view }: NetworkPart,
  vectors: LibraryVectors,
  signal: AbortSignal,
): Promise<Omit<PrototypeFacts, 'nearest' | 'twins'>> {
  const K = network.prototypeCount;
  const support = new Int32Array(K);
  const matching = new Int32Array(K);
  const { trackIds, trackOf, count: windows } = vectors.windows;
  const nearestOf = new Int32Array(windows).fill(NOT_TRAINING);
  const training = new Map(
    library.experiments
      .tracksOf(experimentId)
      .flatMap((track) => (track.split === 'train' ? [[track.id, new Set(track.labels)] as const] : [])),
  );
  const labelsOf = trackIds.map((id) => training.get(id));
  const onBlock = (first: number, count: number, similarities: Float32Array): void => {
    for (let row = 0; row < count; row++) {
      const labels = labelsOf[trackOf[first + row] ?? -1];
      if (!labels) continue;
      const nearest = argmax(similarities.subarray(row * K, (row + 1) * K));
      nearestOf[first + row] = nearest;
      support[nearest] = (support[nearest] ?? 0) + 1;
      if (labels.has(network.classOf(nearest))) matching[nearest] = (matching[nearest] ?? 0) + 1;
    }
  };
  const compared = await comparedWindows(vectors, signal);
  if (view === null && TrackSimilarities.holds(network, compared))
    await vectors.similarities.of(network, compared, { signal, onBlock });
  else {
    const { rows } = compared;
    const prepared: Rows = {
      ...{ count: rows.count, dim: rows.dim },
      read: (first, count) => prepare(rows.read(first, count)),
      one: (row) => prepare(rows.one(row)),
    };
    await compareWindows(network, prepared, { signal, onBlock });
  }
  return { support, matching, nearestOf };
}

/** Of every prototype the nearest other one, the first of equally near ones. */
async function twinsOf(
  vectors: Float32Array,
  dim: number,
  signal: AbortSignal,
): Promise<PrototypeFacts['twins']> {
  const K = vectors.length / dim;
  if (K < 2) return Array.from({ length: K }, () => null);
  // Five thousand prototypes are twelve million pairs: compared one by one they take a quarter of a minute.
  const index = await ExactIndex.build(vectors, dim, 'euclidean');
  try {
    const found = await index.query(vectors, 2, { signal });
    return found.map((near, k) => {
      const twin = near.find(({ row }) => row !== k);
      return twin ? { index: twin.row, distance: twin.distance } : null;
    });
  } finally {
    await index.close();
  }
}
