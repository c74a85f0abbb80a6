import { createHash } from 'node:crypto';
import { labelsetIds } from '../../../models/embeddings/labelled-vectors.ts';
import { Pacer } from '../../../models/numerics/pacer.ts';
import type { Corpus } from '../../api/corpora.ts';
import { toBlob } from '../../storage/database.ts';
import type { LabelledRows } from './rows.ts';

/**
 * What labelled rows are, in the figures of the field: cardinality, density, imbalance (IRLbl, MeanIR as
 * golden/multilabel/SPEC.md §8 has them), distinct labelsets, duplicate rows.
 * @throws the signal's reason
 */
export async function corpusFacts(rows: LabelledRows, signal?: AbortSignal): Promise<Corpus> {
  const pacer = new Pacer(signal);
  const { count, dim, labels, labelNames } = rows;
  const L = labelNames.length;
  const bearers = new Float64Array(L);
  let total = 0;
  for (let row = 0; row < count; row++) {
    for (let l = 0; l < L; l++) {
      const on = labels[row * L + l] ?? 0;
      bearers[l] = (bearers[l] ?? 0) + on;
      total += on;
    }
    if (pacer.due(L)) await pacer.pause();
  }
  const most = Math.max(0, ...bearers);
  const imbalanceOf = (borne: number): number => (borne > 0 ? most / borne : 1);
  const { ids, firstRow } = labelsetIds(labels, count, L);
  const sizes = new Float64Array(firstRow.length);
  for (const id of ids) sizes[id] = (sizes[id] ?? 0) + 1;

  const { duplicates, conflicting } = await copies(rows, ids, pacer);
  return {
    source: rows.source,
    name: rows.name,
    rows: count,
    dim,
    labels: labelNames.map((name, l) => ({
      name,
      rows: bearers[l] ?? 0,
      imbalance: imbalanceOf(bearers[l] ?? 0),
    })),
    meanImbalance: bearers.reduce((sum, borne) => sum + imbalanceOf(borne), 0) / Math.max(1, L),
    cardinality: total / Math.max(1, count),
    oneLabel: firstRow.every((row) => sizeOf(labels.subarray(row * L, (row + 1) * L)) === 1),
    density: total / Math.max(1, count * L),
    labelsets: firstRow.length,
    singleLabelsets: sizes.filter((size) => size === 1).length,
    unlabelled: rows.unlabelled,
    duplicates,
    conflicting,
    silent: rows.silent,
    warnings: rows.warnings,
  };
}

const sizeOf = (labelset: Uint8Array): number => labelset.reduce((sum, on) => sum + on, 0);

/** Tells whether the very same rows, labels included, are at hand again. @throws the signal's reason */
export async function fingerprintOf(rows: LabelledRows, signal?: AbortSignal): Promise<string> {
  const pacer = new Pacer(signal);
  const hash = createHash('sha256').update(JSON.stringify([rows.count, rows.dim, rows.labelNames]));
  for (let row = 0; row < rows.count; row++) {
    hash.update(toBlob(rows.features.subarray(row * rows.dim, (row + 1) * rows.dim)));
    if (pacer.due(8 * rows.dim)) await pacer.pause();
  }
  return hash.update(rows.labels).digest('hex');
}

/** Rows whose vector occurred before, and how many of them bear other labels than its first occurrence. */
async function copies(
  { features, count, dim }: LabelledRows,
  labelsets: Int32Array,
  pacer: Pacer,
): Promise<{ duplicates: number; conflicting: number }> {
  const first = new Map<string, number>();
  let duplicates = 0;
  let conflicting = 0;
  for (let row = 0; row < count; row++) {
    const bytes = toBlob(features.subarray(row * dim, (row + 1) * dim));
    const key = createHash('sha1').update(bytes).digest('base64');
    const earlier = first.get(key);
    if (earlier === undefined) first.set(key, row);
    else {
      duplicates += 1;
      if (labelsets[earlier] !== labelsets[row]) conflicting += 1;
    }
    if (pacer.due(64 * dim)) await pacer.pause();
  }
  return { duplicates, conflicting };
}
