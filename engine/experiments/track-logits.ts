import { createHash } from 'node:crypto';
import { Pacer } from '../../models/numerics/pacer.ts';
import { columnsOf, withColumns, type PrototypeColumn } from '../../models/pecmae/columns.ts';
import { difference } from '../../models/pecmae/edits.ts';
import type { PrototypeNetwork } from '../../models/pecmae/network.ts';
import { logitsOf, trackLogits } from '../../models/pecmae/window-products.ts';
import { TrackSimilarities, type ComparedWindows } from '../library/track-similarities.ts';
import type { LibraryVectors, TrackLogits } from '../library/vectors.ts';

/**
 * What a network says of every track of a library. Kept for the last networks that were asked about: training, going along
 * the history and previews ask the same.
 * @param options.onTrack told how many tracks of how many are compared
 * @throws the signal's reason
 */
export function trackLogitsOf(
  network: PrototypeNetwork,
  vectors: LibraryVectors,
  { signal, onTrack }: { signal: AbortSignal; onTrack?: ((done: number, total: number) => void) | undefined },
): Promise<TrackLogits> {
  return vectors.trackLogits(fingerprintOf(network), async () => {
    const windows = await comparedWindows(vectors, signal);
    const { rows, trackOf, tracks } = windows;
    const options = { signal, onRows: (done: number) => onTrack?.(trackOf[done] ?? tracks, tracks) };
    const logits = TrackSimilarities.holds(network, windows)
      ? await logitsOf(network, await vectors.similarities.of(network, windows, options), tracks, signal)
      : await trackLogits(network, rows, trackOf, tracks, options);
    return { logits, tops: await topsOf(logits, windows.tracks, network.data.classes.length, signal) };
  });
}

/**
 * The same of an edited network. Logits are linear in the similarities to prototypes, so those of the network before are
 * taken, and only what the edit changes is added to them: within 1e-5 of {@link trackLogitsOf}.
 * @throws the signal's reason
 */
export async function changedLogits(
  before: PrototypeNetwork,
  after: PrototypeNetwork,
  known: TrackLogits,
  vectors: LibraryVectors,
  signal: AbortSignal,
): Promise<TrackLogits> {
  const changes = changesOf(before, after);
  if (changes.length === 0) return known;
  const windows = await comparedWindows(vectors, signal);
  const similarities = await vectors.similarities.of(withColumns(before, changes), windows, { signal });
  const C = before.data.classes.length;
  // Weights of the same prototype before and after cancel where the edit left them alone.
  const weights = new Map<Float32Array, Float64Array>();
  for (const [i, column] of changes.entries()) {
    const similarity = similarities[i];
    if (!similarity) continue;
    const sum = weights.get(similarity) ?? new Float64Array(C);
    column.weights.forEach((weight, c) => (sum[c] = (sum[c] ?? 0) + weight));
    weights.set(similarity, sum);
  }
  const logits = known.logits.slice();
  const pacer = new Pacer(signal);
  for (const [similarity, sums] of weights) {
    // An edit touches few classes of most prototypes.
    const touched = [...sums.keys()].filter((c) => sums[c] !== 0);
    // By rows, as the logits lie: with hundreds of classes a column of them is a cache line for each number.
    for (let row = 0; row < windows.tracks; row++) {
      if (pacer.due(touched.length)) await pacer.pause();
      addRow(logits, row * C, touched, sums, similarity[row] as number);
    }
  }
  return { logits, tops: await topsOf(logits, windows.tracks, C, signal) };
}

/** All windows of a library, wherever they lie. @throws the signal's reason; EngineError */
export async function comparedWindows(
  vectors: LibraryVectors,
  signal: AbortSignal,
): Promise<ComparedWindows> {
  const { trackOf, trackIds } = vectors.windows;
  return { rows: await vectors.rows('window', signal), trackOf, tracks: trackIds.length };
}

/** Prototypes that an edit took away, with their weights negated, and those it put there. */
function changesOf(before: PrototypeNetwork, after: PrototypeNetwork): PrototypeColumn[] {
  const { columns } = difference(before, after);
  const stay = new Set(columns.filter((column) => typeof column === 'number'));
  const gone = stay.size === before.prototypeCount ? [] : columnsOf(before).filter((_, j) => !stay.has(j));
  for (const { weights } of gone) for (const [c, weight] of weights.entries()) weights[c] = -weight;
  return [...gone, ...columns.filter((column) => typeof column === 'object')];
}

/** Loops in async functions are compiled less well. */
function addRow(
  logits: Float32Array,
  start: number,
  touched: readonly number[],
  sums: Float64Array,
  similarity: number,
): void {
  for (const c of touched)
    logits[start + c] = (logits[start + c] as number) + (sums[c] as number) * similarity;
}

/** Of each row its largest number, the first on ties. */
async function topsOf(
  logits: Float32Array,
  rows: number,
  width: number,
  signal: AbortSignal,
): Promise<Uint16Array> {
  const tops = new Uint16Array(rows);
  const pacer = new Pacer(signal);
  for (let row = 0; row < rows; row++) {
    if (pacer.due(width)) await pacer.pause();
    tops[row] = topOf(logits, row * width, width);
  }
  return tops;
}

function topOf(logits: Float32Array, start: number, width: number): number {
  let best = 0;
  for (let c = 1; c < width; c++)
    if ((logits[start + c] as number) > (logits[start + best] as number)) best = c;
  return best;
}

/** Equal for networks that say the same of every window. */
function fingerprintOf({ data }: PrototypeNetwork): string {
  const { prototypes, channelWeights, weights, bias, normalisation } = data;
  const hash = createHash('sha256').update(Float64Array.of(normalisation.mean, normalisation.scale));
  for (const numbers of [prototypes, channelWeights ?? new Float32Array(), weights, bias])
    hash.update(`${numbers.length} `).update(numbers);
  return hash.digest('hex');
}
