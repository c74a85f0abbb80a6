import { createHash } from 'node:crypto';
import { Pacer } from '../../models/numerics/pacer.ts';
import { columnOf, withColumns, type PrototypeColumn } from '../../models/pecmae/columns.ts';
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
  const parts = partsOf(changes, similarities, C);
  const touched = new Set(parts.flatMap(({ classes }) => [...classes]));
  const work = parts.reduce((sum, { classes }) => sum + classes.length, touched.size);
  const [logits, tops] = [known.logits.slice(), known.tops.slice()];
  const pacer = new Pacer(signal);
  for (let first = 0; first < windows.tracks; first += ROWS_AT_ONCE) {
    if (pacer.due(ROWS_AT_ONCE * work)) await pacer.pause();
    const end = Math.min(windows.tracks, first + ROWS_AT_ONCE);
    addParts(logits, C, parts, first, end);
    renewTops(tops, logits, C, touched, first, end);
  }
  return { logits, tops };
}

/** Tracks whose logits are changed without looking at the clock. */
const ROWS_AT_ONCE = 512;

/** What a prototype's similarities `[tracks]` add to the logits of some classes, by these weights. */
interface Part {
  similarity: Float32Array;
  classes: Int32Array;
  weights: Float64Array;
}

/** Weights of the same prototype before and after cancel where the edit left them alone: it touches few classes of most. */
function partsOf(
  changes: readonly PrototypeColumn[],
  similarities: readonly Float32Array[],
  C: number,
): Part[] {
  const sums = new Map<Float32Array, Float64Array>();
  for (const [i, { weights }] of changes.entries()) {
    const similarity = similarities[i];
    if (!similarity) continue;
    const sum = sums.get(similarity) ?? new Float64Array(C);
    for (let c = 0; c < C; c++) sum[c] = (sum[c] as number) + (weights[c] as number);
    sums.set(similarity, sum);
  }
  return [...sums].map(([similarity, sum]) => {
    const classes = Int32Array.from([...sum.keys()].filter((c) => sum[c] !== 0));
    return { similarity, classes, weights: Float64Array.from(classes, (c) => sum[c] ?? 0) };
  });
}

/** By rows, as the logits lie: with hundreds of classes a column of them is a cache line for each number. */
function addParts(logits: Float32Array, C: number, parts: readonly Part[], first: number, end: number): void {
  for (const { similarity, classes, weights } of parts)
    for (let row = first; row < end; row++) {
      const [start, value] = [row * C, similarity[row] as number];
      for (let i = 0; i < classes.length; i++) {
        const at = start + (classes[i] as number);
        logits[at] = (logits[at] as number) + (weights[i] as number) * value;
      }
    }
}

/** The classes of the largest logits, where those of some classes were changed. */
function renewTops(
  tops: Uint16Array,
  logits: Float32Array,
  C: number,
  touched: ReadonlySet<number>,
  first: number,
  end: number,
): void {
  const changed = [...touched].sort((a, b) => a - b);
  for (let row = first; row < end; row++) {
    const start = row * C;
    let best = tops[row] as number;
    if (touched.has(best)) best = topOf(logits, start, C);
    else
      for (const c of changed) {
        const [value, most] = [logits[start + c] as number, logits[start + best] as number];
        if (value > most || (value === most && c < best)) best = c;
      }
    tops[row] = best;
  }
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
  const gone = Array.from({ length: before.prototypeCount }, (_, j) => j)
    .filter((j) => !stay.has(j))
    .map((j) => columnOf(before, j));
  for (const { weights } of gone) for (const [c, weight] of weights.entries()) weights[c] = -weight;
  return [...gone, ...columns.filter((column) => typeof column === 'object')];
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
