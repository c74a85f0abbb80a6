import { ReductionError } from './errors.ts';
import type { Pacer } from '../numerics/pacer.ts';
import { labelsetIds, type LabelledVectors } from '../embeddings/labelled-vectors.ts';
import type { Random } from '../numerics/random.ts';
import { majorityLabelset, type Emitted } from './emit.ts';
import { gatherRows, kMeans } from '../numerics/kmeans.ts';

/** Rows kept by a baseline, at least one: a reduction to nothing cannot classify. */
export function keptRows(target: number): number {
  return Math.max(1, target);
}

/** `size` rows drawn without replacement, ascending, one cluster each. */
export function randomRows(data: LabelledVectors, size: number, random: Random): Int32Array[] {
  const drawn = random.shuffle(Array.from({ length: data.count }, (_, row) => row)).slice(0, size);
  return drawn.sort((a, b) => a - b).map((row) => Int32Array.of(row));
}

/**
 * As {@link randomRows}, but every labelset keeps its share: whole parts first, the remaining places to the largest
 * remainders (the labelset that appears first on ties).
 */
export function stratifiedRows(data: LabelledVectors, size: number, random: Random): Int32Array[] {
  const { ids, firstRow } = labelsetIds(data.labels, data.count, data.labelNames.length);
  const members: number[][] = firstRow.map(() => []);
  ids.forEach((id, row) => members[id]?.push(row));
  const shares = members.map((rows, id) => {
    const exact = (rows.length * size) / data.count;
    return { id, quota: Math.floor(exact), rest: exact - Math.floor(exact) };
  });
  let open = size - shares.reduce((sum, share) => sum + share.quota, 0);
  for (const share of [...shares].sort((a, b) => b.rest - a.rest || a.id - b.id)) {
    if (open === 0) break;
    share.quota++;
    open--;
  }
  const drawn = shares.flatMap(({ id, quota }) => random.shuffle(members[id] ?? []).slice(0, quota));
  return drawn.sort((a, b) => a - b).map((row) => Int32Array.of(row));
}

/**
 * k-means within every label: `round(p % of its bearers)` centres, at least one, started by k-means++ and refined by
 * Lloyd. A prototype is the *mean* of its rows; its labelset is their strict majority plus the label itself.
 * A row with several labels serves several prototypes; rows without labels serve none.
 * @throws ReductionError `no-labels` when no row bears any label.
 */
export async function labelKMeans(
  data: LabelledVectors,
  percentage: number,
  random: Random,
  pacer: Pacer,
  onProgress?: (fraction: number) => void,
): Promise<Emitted> {
  const { dim } = data;
  const labelCount = data.labelNames.length;
  const prototypes: Float64Array[] = [];
  const labelsets: Uint8Array[] = [];
  const clusters: Int32Array[] = [];
  for (let label = 0; label < labelCount; label++) {
    const rows: number[] = [];
    for (let row = 0; row < data.count; row++)
      if (data.labels[row * labelCount + label] === 1) rows.push(row);
    if (rows.length === 0) continue;
    const points = gatherRows(data.features, dim, rows);
    const wanted = Math.max(1, Math.round((percentage * rows.length) / 100));
    const { centres, clusters: assigned } = await kMeans(points, dim, wanted, random, pacer, {
      surplus: 'repeat',
    });
    for (let c = 0; c < wanted; c++) {
      const own = Int32Array.from(rows.filter((_, i) => assigned[i] === c));
      if (own.length === 0) continue;
      const labelset = majorityLabelset(data.labels, labelCount, own);
      labelset[label] = 1;
      clusters.push(own);
      labelsets.push(labelset);
      prototypes.push(centres.slice(c * dim, (c + 1) * dim));
    }
    onProgress?.((label + 1) / labelCount);
    await pacer.pause();
  }
  if (clusters.length === 0)
    throw new ReductionError(
      'no-labels',
      'No row bears a label.',
      'Label some tracks, or use another method.',
    );
  return { prototypes: joinFloats(prototypes, dim), labelsets: joinBytes(labelsets, labelCount), clusters };
}

function joinFloats(parts: Float64Array[], width: number): Float64Array {
  const out = new Float64Array(parts.length * width);
  parts.forEach((part, i) => out.set(part, i * width));
  return out;
}

function joinBytes(parts: Uint8Array[], width: number): Uint8Array {
  const out = new Uint8Array(parts.length * width);
  parts.forEach((part, i) => out.set(part, i * width));
  return out;
}
