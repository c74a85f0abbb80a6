import { PrototypeNetwork } from './network.ts';

/** Everything a network says of one prototype. */
export interface PrototypeColumn {
  /** `[D]` in the normalised space. */
  vector: Float32Array;
  /** `[D]`, 1 in the mean: how much each number counts in the distance; null: all the same. */
  channels: Float32Array | null;
  /** `[C]`: its weight towards every class. */
  weights: Float32Array;
  classIndex: number;
  /** What a person called it; empty where nobody did. */
  name: string;
  /** Training goes on around it. */
  frozen: boolean;
}

/** Takes a network apart by prototypes; copies. */
export function columnsOf(network: PrototypeNetwork): PrototypeColumn[] {
  return Array.from({ length: network.prototypeCount }, (_, j) => columnOf(network, j));
}

/** One prototype of a network; a copy. */
export function columnOf({ data, prototypeCount: k }: PrototypeNetwork, j: number): PrototypeColumn {
  const { prototypes, embeddingDim: d, weights, classes, prototypeClasses } = data;
  const { prototypeNames, prototypeFrozen, channelWeights } = data;
  return {
    vector: prototypes.slice(j * d, (j + 1) * d),
    channels: channelWeights && channelWeights.slice(j * d, (j + 1) * d),
    weights: strided(weights, j, k, classes.length),
    classIndex: prototypeClasses[j] ?? 0,
    name: prototypeNames[j] ?? '',
    frozen: prototypeFrozen[j] ?? false,
  };
}

/** Every `step`-th number from `first` on. */
function strided(values: Float32Array, first: number, step: number, count: number): Float32Array {
  const own = new Float32Array(count);
  for (let i = 0, at = first; i < count; i++, at += step) own[i] = values[at] as number;
  return own;
}

/**
 * The network with these prototypes in place of its own; `withColumns(n, columnsOf(n))` is `n` bit for bit.
 * @throws PrototypeError `shape` or `not-finite`
 */
export function withColumns(
  { data }: PrototypeNetwork,
  columns: readonly PrototypeColumn[],
): PrototypeNetwork {
  const { embeddingDim: d, classes } = data;
  const k = columns.length;
  const prototypes = new Float32Array(k * d);
  const weights = new Float32Array(classes.length * k);
  const channelWeights = columns.some(({ channels }) => channels) ? new Float32Array(k * d).fill(1) : null;
  for (const [j, column] of columns.entries()) {
    prototypes.set(column.vector, j * d);
    if (column.channels) channelWeights?.set(column.channels, j * d);
    for (let c = 0; c < classes.length; c++) weights[c * k + j] = column.weights[c] ?? 0;
  }
  return new PrototypeNetwork({
    ...data,
    prototypes,
    weights,
    channelWeights,
    prototypeClasses: Int32Array.from(columns, ({ classIndex }) => classIndex),
    prototypeNames: columns.map(({ name }) => name),
    prototypeFrozen: columns.map(({ frozen }) => frozen),
  });
}

/** Whether prototype `i` of one network and `j` of another, of the same classes, are the same bit for bit; copies nothing. */
export function samePrototype(one: PrototypeNetwork, i: number, other: PrototypeNetwork, j: number): boolean {
  const [a, b] = [one.data, other.data];
  const [d, C] = [a.embeddingDim, a.classes.length];
  const [channelsA, channelsB] = [a.channelWeights, b.channelWeights];
  return (
    a.prototypeClasses[i] === b.prototypeClasses[j] &&
    a.prototypeNames[i] === b.prototypeNames[j] &&
    a.prototypeFrozen[i] === b.prototypeFrozen[j] &&
    sameRun(a.prototypes, i * d, 1, b.prototypes, j * d, 1, d) &&
    sameRun(a.weights, i, one.prototypeCount, b.weights, j, other.prototypeCount, C) &&
    (channelsA && channelsB ? sameRun(channelsA, i * d, 1, channelsB, j * d, 1, d) : channelsA === channelsB)
  );
}

/** 0 and −0 are not the same. */
function sameRun(
  a: Float32Array,
  firstA: number,
  stepA: number,
  b: Float32Array,
  firstB: number,
  stepB: number,
  count: number,
): boolean {
  let [i, j] = [firstA, firstB];
  for (let n = 0; n < count; n++, i += stepA, j += stepB) if (!Object.is(a[i], b[j])) return false;
  return true;
}

/** Whether two prototypes are the same bit for bit. */
export function sameColumn(a: PrototypeColumn, b: PrototypeColumn): boolean {
  return (
    a.classIndex === b.classIndex &&
    a.name === b.name &&
    a.frozen === b.frozen &&
    sameBits(a.vector, b.vector) &&
    sameBits(a.weights, b.weights) &&
    (a.channels && b.channels ? sameBits(a.channels, b.channels) : a.channels === b.channels)
  );
}

/** Not by comparing numbers: 0 and −0 are equal ones. */
function sameBits(a: Float32Array, b: Float32Array): boolean {
  if (a.length !== b.length) return false;
  const [x, y] = [a, b].map((values) => new Uint32Array(values.buffer, values.byteOffset, values.length));
  if (!x || !y) return false;
  for (let i = 0; i < x.length; i++) if (x[i] !== y[i]) return false;
  return true;
}
