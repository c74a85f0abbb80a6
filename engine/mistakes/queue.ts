import type { LabelledWindows } from '../../models/embeddings/labelled-vectors.ts';
import { poolTracks } from '../../models/embeddings/pooling.ts';
import { labellingQueue, type Candidate, type QueueOrder } from '../../models/mistakes/queue.ts';
import { queueOrders } from '../api/mistakes.ts';
import type { StoredMistake } from '../library/mistakes.ts';

/** So many are put in order; nobody labels more before the next run. */
const QUEUED = 300;
/** Of so many labelled tracks the distance is looked at: enough to know where labels are dense. */
const REFERENCE = 500;

/** Gives the unsure ones their place in each order of the queue. @throws the signal's reason */
export async function withPlaces(
  mistakes: readonly StoredMistake[],
  labelled: LabelledWindows,
  unlabelled: LabelledWindows | null,
  signal: AbortSignal,
): Promise<StoredMistake[]> {
  const unsure = mistakes.filter(({ tab }) => tab === 'unsure');
  if (unsure.length === 0) return [...mistakes];
  const [known, bare] = [poolTracks(labelled), unlabelled && poolTracks(unlabelled)];
  const { dim, labelNames } = known;
  const vectors = new Float32Array((known.count + (bare?.count ?? 0)) * dim);
  vectors.set(known.features);
  if (bare) vectors.set(bare.features, known.features.length);
  const ids = [...known.tracks.ids, ...(bare?.tracks.ids ?? [])];
  const rows = new Map(ids.map((id, row) => [id, row]));
  const asked = new Set(unsure.map(({ trackId }) => trackId));
  const sure = [...known.tracks.ids.keys()].filter((track) => !asked.has(known.tracks.ids[track] ?? ''));
  const step = Math.max(1, Math.floor(sure.length / REFERENCE));
  const counts = labelNames.map((_, label) => {
    let count = 0;
    for (let track = 0; track < known.count; track++)
      count += known.labels[track * labelNames.length + label] ?? 0;
    return count;
  });
  const candidates = unsure.map(({ trackId, suggested, given, margin }): Candidate => ({
    track: rows.get(trackId) ?? 0,
    suggested: labelNames.indexOf(suggested ?? given ?? ''),
    margin: margin ?? 0,
  }));
  const facts = { vectors, dim, labelled: sure.filter((_, i) => i % step === 0), counts };
  const places = unsure.map((): Record<string, number> => ({}));
  for (const order of queueOrders satisfies readonly QueueOrder[])
    for (const [place, candidate] of (
      await labellingQueue(candidates, order, QUEUED, facts, signal)
    ).entries()) {
      const own = places[candidates.indexOf(candidate)];
      if (own) own[order] = place;
    }
  const placeOf = new Map(unsure.map((mistake, i) => [mistake, places[i]]));
  return mistakes.map((mistake) => {
    const own = placeOf.get(mistake);
    return own ? { ...mistake, places: own } : mistake;
  });
}
