import { columnsOf, withColumns, type PrototypeColumn } from '../pecmae/columns.ts';
import { applyEdit, type PrototypeEdit } from '../pecmae/edits.ts';
import type { PrototypeNetwork } from '../pecmae/network.ts';
import { ViewNetwork } from './view-network.ts';

/**
 * The network after an edit of the prototypes of one view; the one given stays as it is. Prototypes are counted within the
 * view, vectors are standardised as its networks take them. The edit is made of the view's part of the joint head and, by the same
 * rules, of the head that answers by this view alone; only a weight that is set is set in the joint head, which decides.
 * @param meanSimilarities `[K]` of a network in this view: the means over the training windows, which stand for tracks that lack
 * the view. Asked for prototypes that are new or were moved.
 * @throws as `applyEdit`
 */
export async function editView(
  network: ViewNetwork,
  view: number,
  edit: PrototypeEdit,
  meanSimilarities: (network: PrototypeNetwork) => Promise<Float32Array>,
): Promise<ViewNetwork> {
  const before = network.data.views[view];
  if (!before) throw new RangeError(`there is no view ${view}`);
  const part = applyEdit(network.part(view), edit);
  const own = edit.kind === 'weight' ? before.network : applyEdit(before.network, edit);
  const typical = await typicalOf(network.part(view), part, before.typical, meanSimilarities);
  return new ViewNetwork({
    views: network.data.views.map((other, v) => (v === view ? { ...before, network: own, typical } : other)),
    joint: { weights: jointWeights(network, view, part), bias: network.data.joint.bias },
  });
}

/**
 * What an edit of a view adds to the logits: a network of the prototypes that differ, those that are gone with weights turned
 * round (null where none differ), and what it adds where a track lacks the view, `[C]`.
 */
export function changeOfView(
  before: ViewNetwork,
  after: ViewNetwork,
  view: number,
): { network: PrototypeNetwork | null; lacking: Float32Array } {
  const [was, willBe] = [before.part(view), after.part(view)];
  const key = (column: PrototypeColumn): string => `${vectorKey(column)} ${keyOf(column.weights)}`;
  const [old, next] = [columnsOf(was), columnsOf(willBe)];
  const changed = [
    ...beyond(old, next, key).map((column) => ({
      ...column,
      weights: column.weights.map((weight) => -weight),
    })),
    ...beyond(next, old, key),
  ];
  const lacking = new Float32Array(before.classes.length);
  for (const [of, columns, sign] of [
    [before, old, -1],
    [after, next, 1],
  ] as const) {
    const typical = of.data.views[view]?.typical ?? new Float32Array();
    for (const [j, { weights }] of columns.entries())
      weights.forEach((weight, c) => (lacking[c] = (lacking[c] ?? 0) + sign * weight * (typical[j] ?? 0)));
  }
  return { network: changed.length === 0 ? null : withColumns(was, changed), lacking };
}

/** What is there beyond the others; a second one that is the same is one more. */
function beyond(
  columns: readonly PrototypeColumn[],
  others: readonly PrototypeColumn[],
  keyOf: (column: PrototypeColumn) => string,
): PrototypeColumn[] {
  const left = new Map<string, number>();
  for (const key of others.map(keyOf)) left.set(key, (left.get(key) ?? 0) + 1);
  return columns.filter((column) => {
    const key = keyOf(column);
    const count = left.get(key) ?? 0;
    left.set(key, count - 1);
    return count <= 0;
  });
}

/** The mean similarities of the prototypes that stay, and of new ones those that are asked for. */
async function typicalOf(
  before: PrototypeNetwork,
  after: PrototypeNetwork,
  typical: Float32Array,
  meanSimilarities: (network: PrototypeNetwork) => Promise<Float32Array>,
): Promise<Float32Array> {
  const known = new Map(columnsOf(before).map((column, j) => [vectorKey(column), typical[j] ?? 0]));
  const columns = columnsOf(after);
  const fresh = columns.filter((column) => !known.has(vectorKey(column)));
  if (fresh.length > 0) {
    const means = await meanSimilarities(withColumns(after, fresh));
    fresh.forEach((column, i) => known.set(vectorKey(column), means[i] ?? 0));
  }
  return Float32Array.from(columns, (column) => known.get(vectorKey(column)) ?? 0);
}

/** The weights of the joint head with those of one view as its part has them. */
function jointWeights(network: ViewNetwork, view: number, part: PrototypeNetwork): Float32Array {
  const C = network.classes.length;
  const K = network.prototypeCount;
  const start = network.startOf(view);
  const old = network.part(view).prototypeCount;
  const width = K - old + part.prototypeCount;
  const weights = new Float32Array(C * width);
  for (let c = 0; c < C; c++) {
    const row = network.data.joint.weights.subarray(c * K, (c + 1) * K);
    weights.set(row.subarray(0, start), c * width);
    weights.set(
      part.data.weights.subarray(c * part.prototypeCount, (c + 1) * part.prototypeCount),
      c * width + start,
    );
    weights.set(row.subarray(start + old), c * width + start + part.prototypeCount);
  }
  return weights;
}

const vectorKey = ({ vector, channels }: PrototypeColumn): string =>
  `${keyOf(vector)} ${channels ? keyOf(channels) : ''}`;

/** Equal for numbers that are the same to the bit. */
function keyOf(values: Float32Array): string {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64');
}
