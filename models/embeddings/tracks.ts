import { takeRows, type LabelledVectors, type LabelledWindows, type RowTracks } from './labelled-vectors.ts';

/**
 * Numbers tracks by first appearance.
 * @param rowIds id of each row's track
 * @param groupOf group of each track; a track that is not named is its own group
 */
export function numberTracks(
  rowIds: readonly string[],
  groupOf: ReadonlyMap<string, string> = new Map(),
): RowTracks {
  const numbers = new Map<string, number>();
  const of = Int32Array.from(rowIds, (id) => {
    const number = numbers.get(id) ?? numbers.size;
    numbers.set(id, number);
    return number;
  });
  const ids = [...numbers.keys()];
  return { of, ids, groups: ids.map((id) => groupOf.get(id) ?? id) };
}

/** First label of every track by name, its class in a single-label task; '' for a track without any. */
export function classOfTracks({ labels, labelNames, tracks }: LabelledWindows): string[] {
  const width = labelNames.length;
  const classes = tracks.ids.map(() => '');
  tracks.of.forEach((track, row) => {
    classes[track] = labelNames[labels.subarray(row * width, (row + 1) * width).indexOf(1)] ?? '';
  });
  return classes;
}

/** Names of the labels that some row bears, in column order. */
export function borneLabels({ labels, labelNames }: LabelledVectors): string[] {
  const width = labelNames.length;
  const borne = new Uint8Array(width);
  labels.forEach((value, cell) => {
    if (value === 1) borne[cell % width] = 1;
  });
  return labelNames.filter((_, label) => borne[label] === 1);
}

/** The same rows with the given labels only, in that order. */
export function withLabels<T extends LabelledVectors>(set: T, names: readonly string[]): T {
  const columns = names.map((name) => set.labelNames.indexOf(name));
  const width = set.labelNames.length;
  const labels = new Uint8Array(set.count * names.length);
  for (let row = 0; row < set.count; row++)
    columns.forEach((column, i) => {
      labels[row * names.length + i] = set.labels[row * width + column] ?? 0;
    });
  return { ...set, labels, labelNames: [...names] };
}

/** The windows of the tracks that `keep` accepts; the kept tracks are numbered anew, in order. */
export function selectTracks(set: LabelledWindows, keep: (track: number) => boolean): LabelledWindows {
  const { of, ids, groups } = set.tracks;
  const kept = [...ids.keys()].filter(keep);
  const places = new Map(kept.map((track, place) => [track, place]));
  const rows = [...of.keys()].filter((row) => places.has(of[row] ?? -1));
  const { features, ...taken } = takeRows(set, rows);
  return {
    ...taken,
    features: Float32Array.from(features),
    tracks: {
      of: Int32Array.from(rows, (row) => places.get(of[row] ?? -1) ?? 0),
      ids: kept.map((track) => ids[track] ?? ''),
      groups: kept.map((track) => groups[track] ?? ''),
    },
  };
}
