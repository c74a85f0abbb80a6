import { columnOf, columnsOf, samePrototype, withColumns, type PrototypeColumn } from './columns.ts';
import { PrototypeError } from './errors.ts';
import type { PrototypeNetwork } from './network.ts';
import { normalise } from './normalisation.ts';

/**
 * A change of a network's prototypes, as data. Prototypes are named by their place in the network before the edit, classes
 * by their index, vectors `[D]` are of the embedding space.
 */
export type PrototypeEdit =
  | { kind: 'add'; classIndex: number; vector: Float32Array; name?: string }
  | { kind: 'remove'; index: number }
  | { kind: 'move'; index: number; vector: Float32Array }
  | { kind: 'merge'; indices: readonly number[] }
  | { kind: 'split'; index: number; vectors: readonly [Float32Array, Float32Array] }
  | { kind: 'rename'; index: number; name: string }
  /** `frozen`: training goes on around them; else it moves them again. */
  | { kind: 'freeze'; indices: readonly number[]; frozen: boolean }
  | { kind: 'reassign'; index: number; classIndex: number }
  | { kind: 'weight'; index: number; classIndex: number; value: number }
  /** Any change: a prototype that stays by its place, or all that is to be known of it. What {@link invert} gives. */
  | { kind: 'arrange'; columns: readonly (number | PrototypeColumn)[] };

type Kind = PrototypeEdit['kind'];
type EditOf<K extends Kind> = { [P in K]: Extract<PrototypeEdit, { kind: P }> }[K];

/** What an edit makes of the prototypes; the columns may be changed in place. */
type Apply<K extends Kind> = (
  columns: PrototypeColumn[],
  edit: EditOf<K>,
  network: PrototypeNetwork,
) => PrototypeColumn[];

const kinds: { readonly [K in Kind]: Apply<K> } = {
  /**
   * As the last one. It takes an equal share of the class's own weight from its siblings, so that the class neither gains
   * nor loses as a whole, and has weight 0 for other classes. Where channels have weights, its own are the mean of theirs.
   */
  add: (columns, { classIndex, vector, name = '' }, network) => {
    const C = classCount(network, classIndex);
    const siblings = columns.filter((column) => column.classIndex === classIndex);
    const total = siblings.reduce((sum, { weights }) => sum + (weights[classIndex] ?? 0), 0);
    const share = siblings.length === 0 ? 1 : total / (siblings.length + 1);
    for (const { weights } of siblings)
      weights[classIndex] = (weights[classIndex] ?? 0) - share / siblings.length;
    const weights = new Float32Array(C);
    weights[classIndex] = share;
    const channels = meanChannels(siblings.length > 0 ? siblings : columns);
    return [
      ...columns,
      { vector: inSpace(network, vector), channels, weights, classIndex, name, frozen: false },
    ];
  },
  /** Its weight for its own class is shared out evenly among its siblings. */
  remove: (columns, { index }, network) => {
    const { classIndex, weights } = columnAt(columns, index);
    const siblings = siblingsOf(columns, index, network);
    const share = (weights[classIndex] ?? 0) / siblings.length;
    for (const sibling of siblings) sibling.weights[classIndex] = (sibling.weights[classIndex] ?? 0) + share;
    return columns.filter((_, j) => j !== index);
  },
  move: (columns, { index, vector }, network) => {
    columnAt(columns, index).vector = inSpace(network, vector);
    return columns;
  },
  /** Into one at the place of the first: in the middle, with their weights together and the mean weights of channels. */
  merge: (columns, { indices }, network) => {
    const wanted = [...new Set(indices)].sort((a, b) => a - b);
    const members = wanted.map((index) => columnAt(columns, index));
    const [first] = members;
    if (!first || members.length < 2)
      throw new PrototypeError(
        'parameters',
        'one prototype cannot be merged',
        'Choose two or more of a class.',
      );
    if (members.some(({ classIndex }) => classIndex !== first.classIndex))
      throw new PrototypeError(
        'parameters',
        'prototypes of several classes cannot be merged',
        'Choose prototypes of one class, or give them to one class first.',
      );
    const merged: PrototypeColumn = {
      vector: first.vector.map((_, e) => sumOf(members, ({ vector }) => vector[e]) / members.length),
      channels: meanChannels(members),
      weights: Float32Array.from(network.data.classes, (_, c) => sumOf(members, ({ weights }) => weights[c])),
      classIndex: first.classIndex,
      name: members.find(({ name }) => name !== '')?.name ?? '',
      frozen: false,
    };
    const gone = new Set(wanted);
    return columns.flatMap((column, j) => (j === wanted[0] ? [merged] : gone.has(j) ? [] : [column]));
  },
  /** In two with half of its weights each: one at its place, one as the last. */
  split: (columns, { index, vectors: [first, second] }, network) => {
    const column = columnAt(columns, index);
    column.weights = column.weights.map((weight) => weight / 2);
    column.vector = inSpace(network, first);
    column.frozen = false;
    return [
      ...columns,
      {
        ...column,
        weights: column.weights.slice(),
        channels: column.channels?.slice() ?? null,
        vector: inSpace(network, second),
      },
    ];
  },
  rename: (columns, { index, name }) => {
    columnAt(columns, index).name = name;
    return columns;
  },
  freeze: (columns, { indices, frozen }) => {
    for (const index of indices) columnAt(columns, index).frozen = frozen;
    return columns;
  },
  /** Its weights towards the two classes change places. */
  reassign: (columns, { index, classIndex }, network) => {
    classCount(network, classIndex);
    const column = columnAt(columns, index);
    if (column.classIndex === classIndex) return columns;
    siblingsOf(columns, index, network);
    const own = column.weights[column.classIndex] ?? 0;
    column.weights[column.classIndex] = column.weights[classIndex] ?? 0;
    column.weights[classIndex] = own;
    column.classIndex = classIndex;
    return columns;
  },
  weight: (columns, { index, classIndex, value }, network) => {
    classCount(network, classIndex);
    columnAt(columns, index).weights[classIndex] = value;
    return columns;
  },
  arrange: (columns, edit) =>
    edit.columns.map((column) => (typeof column === 'number' ? columnAt(columns, column) : column)),
};

/**
 * The network after an edit; the one given stays as it is.
 * @throws PrototypeError `last-prototype` when a class would be left without one; `parameters` for prototypes that cannot
 * be merged; `shape`, `not-finite` for a vector or weight of that kind; RangeError for what is not there
 */
export function applyEdit<K extends Kind>(network: PrototypeNetwork, edit: EditOf<K>): PrototypeNetwork {
  return withColumns(network, kinds[edit.kind](columnsOf(network), edit, network));
}

/**
 * What takes an edit of a network back: `applyEdit(applyEdit(n, e), invert(n, e))` is `n` bit for bit. Holds only what the
 * edit touches.
 * @throws as {@link applyEdit}
 */
export function invert(network: PrototypeNetwork, edit: PrototypeEdit): EditOf<'arrange'> {
  return difference(applyEdit(network, edit), network);
}

/** The edit that makes the second network of the first: they differ in nothing but their prototypes. */
export function difference(before: PrototypeNetwork, after: PrototypeNetwork): EditOf<'arrange'> {
  const places = new Map<string, number[]>();
  for (let j = 0; j < before.prototypeCount; j++) {
    const key = placeKey(before, j);
    const known = places.get(key);
    if (known) known.push(j);
    else places.set(key, [j]);
  }
  const columns = Array.from({ length: after.prototypeCount }, (_, k) => {
    const left = places.get(placeKey(after, k)) ?? [];
    const found = left.findIndex((j) => samePrototype(before, j, after, k));
    // Each place once: a second prototype that is the same to the bit is one more.
    const [place] = found < 0 ? [] : left.splice(found, 1);
    return place ?? columnOf(after, k);
  });
  return { kind: 'arrange', columns };
}

/** Equal for equal prototypes; cheap, and few others have the same. */
function placeKey({ data }: PrototypeNetwork, j: number): string {
  const { prototypes, embeddingDim: d, prototypeClasses, prototypeNames } = data;
  const [first, last] = [prototypes[j * d] ?? 0, prototypes[(j + 1) * d - 1] ?? 0];
  return `${prototypeClasses[j] ?? 0} ${first} ${last} ${prototypeNames[j] ?? ''}`;
}

function columnAt(columns: readonly PrototypeColumn[], index: number): PrototypeColumn {
  const column = columns[index];
  if (!column) throw new RangeError(`there is no prototype ${index} of ${columns.length}`);
  return column;
}

/** @throws RangeError where there is no such class @returns number of classes */
function classCount({ data: { classes } }: PrototypeNetwork, classIndex: number): number {
  if (classes[classIndex] === undefined) throw new RangeError(`there is no class ${classIndex}`);
  return classes.length;
}

/** The other prototypes of its class. @throws PrototypeError `last-prototype` where there is none */
function siblingsOf(
  columns: readonly PrototypeColumn[],
  index: number,
  { data }: PrototypeNetwork,
): PrototypeColumn[] {
  const { classIndex } = columnAt(columns, index);
  const siblings = columns.filter((column, j) => j !== index && column.classIndex === classIndex);
  if (siblings.length > 0) return siblings;
  throw new PrototypeError(
    'last-prototype',
    `${data.classes[classIndex] ?? ''} has only this prototype`,
    'Add another prototype of the class first.',
  );
}

/** @throws PrototypeError `shape` */
function inSpace({ data }: PrototypeNetwork, vector: Float32Array): Float32Array {
  if (vector.length === data.embeddingDim) return normalise(vector, data.normalisation);
  throw new PrototypeError(
    'shape',
    `a vector of ${vector.length} numbers`,
    `Give ${data.embeddingDim} numbers.`,
  );
}

/** Mean weights of channels; null where these have none. */
function meanChannels(columns: readonly PrototypeColumn[]): Float32Array | null {
  if (!columns.some(({ channels }) => channels)) return null;
  const width = columns[0]?.vector.length ?? 0;
  return Float32Array.from(
    { length: width },
    (_, e) => sumOf(columns, ({ channels }) => channels?.[e]) / columns.length,
  );
}

function sumOf(
  columns: readonly PrototypeColumn[],
  value: (column: PrototypeColumn) => number | undefined,
): number {
  return columns.reduce((sum, column) => sum + (value(column) ?? 0), 0);
}
