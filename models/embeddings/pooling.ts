import type { LabelledWindows } from './labelled-vectors.ts';

/**
 * Mean of the rows of each track, summed in float64: from windows to tracks, for embeddings and logits alike. A track
 * without rows gets zeros.
 * @param rows `[n, dim]` · @param trackOf `[n]`, each in `0 … tracks − 1`
 * @returns `[tracks, dim]`
 */
export function meanByTrack(
  rows: Float32Array,
  dim: number,
  trackOf: ArrayLike<number>,
  tracks: number,
): Float32Array {
  if (isAscending(trackOf)) return meanOfRuns(rows, dim, trackOf, tracks);
  const sums = new Float64Array(tracks * dim);
  const counts = new Int32Array(tracks);
  for (let row = 0; row < trackOf.length; row++) {
    const track = trackOf[row] as number;
    counts[track] = (counts[track] as number) + 1;
    for (let d = 0, to = track * dim, from = row * dim; d < dim; d++, to++, from++)
      sums[to] = (sums[to] as number) + (rows[from] as number);
  }
  const means = new Float32Array(sums.length);
  for (let track = 0; track < tracks; track++) {
    const count = Math.max(1, counts[track] as number);
    for (let d = track * dim; d < (track + 1) * dim; d++) means[d] = (sums[d] as number) / count;
  }
  return means;
}

/** The same where the rows of a track follow each other, as those of a library do: one sum is held at a time, not one per track. */
function meanOfRuns(
  rows: Float32Array,
  dim: number,
  trackOf: ArrayLike<number>,
  tracks: number,
): Float32Array {
  const means = new Float32Array(tracks * dim);
  const sum = new Float64Array(dim);
  for (let row = 0; row < trackOf.length;) {
    const [first, track] = [row, trackOf[row] as number];
    sum.fill(0);
    for (; row < trackOf.length && trackOf[row] === track; row++)
      for (let d = 0, from = row * dim; d < dim; d++, from++)
        sum[d] = (sum[d] as number) + (rows[from] as number);
    const count = row - first;
    for (let d = 0, to = track * dim; d < dim; d++, to++) means[to] = (sum[d] as number) / count;
  }
  return means;
}

function isAscending(numbers: ArrayLike<number>): boolean {
  for (let i = 1; i < numbers.length; i++)
    if ((numbers[i] as number) < (numbers[i - 1] as number)) return false;
  return true;
}

/** Mean of all rows `[n, dim]`. */
export function meanOfRows(rows: Float32Array, dim: number): Float32Array {
  return meanByTrack(rows, dim, new Int32Array(rows.length / dim), 1);
}

/** One row per track: the mean of its windows, with their labelset. */
export function poolTracks(set: LabelledWindows): LabelledWindows {
  const { dim, labelNames, tracks } = set;
  const width = labelNames.length;
  const count = tracks.ids.length;
  const labels = new Uint8Array(count * width);
  tracks.of.forEach((track, row) => {
    labels.set(set.labels.subarray(row * width, (row + 1) * width), track * width);
  });
  const features = meanByTrack(set.features, dim, tracks.of, count);
  return {
    ...{ features, count, dim, labels, labelNames },
    tracks: { ...tracks, of: Int32Array.from(Array(count).keys()) },
  };
}
