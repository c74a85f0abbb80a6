import type { Pacer } from '../numerics/pacer.ts';
import { takeRows, type LabelledVectors } from '../embeddings/labelled-vectors.ts';
import { at } from '../numerics/vectors.ts';
import { emitMajority, type Emitted } from './emit.ts';
import type { ChoiceParameter, ReductionParameters } from './parameters.ts';

/**
 * The imbalance-aware variants of MRHC, MChen and MRSP3 (golden/multilabel/SPEC.md, “Imbalance-aware variants”):
 * rows with rare labels may be left out of the reduction, and rare labels may survive the merging of a cluster.
 */
export interface ImbalancePolicy {
  /** `ExcludingSamples`: rows with a label rarer than the average are kept as they are, after the prototypes. */
  exclude: 'Base' | 'ExcludingSamples';
  /** How a prototype comes by its labels, see {@link mergedLabelset}. */
  merging: 'Base' | 'PolicyI' | 'PolicyII';
}

export const excludeParameter: ChoiceParameter = {
  kind: 'choice',
  name: 'exclude',
  title: 'Tracks with rare labels',
  options: [
    { value: 'Base', title: 'Reduce like all others' },
    { value: 'ExcludingSamples', title: 'Keep unchanged' },
  ],
  default: 'Base',
};

export const mergingParameter: ChoiceParameter = {
  kind: 'choice',
  name: 'merging',
  title: 'Labels of a prototype',
  options: [
    { value: 'Base', title: 'Those of more than half its tracks' },
    { value: 'PolicyI', title: 'The rarer the label, the fewer tracks it needs' },
    { value: 'PolicyII', title: 'Those of more than half, and every rare one' },
  ],
  default: 'Base',
};

/** The policy among a method's filled-in parameters. */
export function policyOf(parameters: ReductionParameters): ImbalancePolicy {
  const { exclude, merging } = parameters;
  return {
    exclude: exclude === 'ExcludingSamples' ? exclude : 'Base',
    merging: merging === 'PolicyI' || merging === 'PolicyII' ? merging : 'Base',
  };
}

/** True when the policy changes nothing: the plain method. */
export function isPlain({ exclude, merging }: ImbalancePolicy): boolean {
  return exclude === 'Base' && merging === 'Base';
}

/** How rare labels are: `IRLbl` = count of the commonest label / count of this one, at least 1. */
export interface LabelRarity {
  ratios: Float64Array;
  /** `MeanIR`, over all labels, those nobody bears included. */
  mean: number;
}

/** Rarity of every label among the rows of a set. A label nobody bears counts as borne once. */
function labelRarity(data: LabelledVectors): LabelRarity {
  const labelCount = data.labelNames.length;
  const counts = new Float64Array(labelCount);
  for (let i = 0; i < data.labels.length; i++)
    counts[i % labelCount] = at(counts, i % labelCount) + at(data.labels, i);
  const filled = counts.map((count) => (count === 0 ? 1 : count));
  const most = filled.reduce((a, b) => Math.max(a, b), 0);
  const ratios = filled.map((count) => most / count);
  return { ratios, mean: ratios.reduce((sum, ratio) => sum + ratio, 0) / labelCount };
}

/**
 * Labels of a prototype that stands for `size` rows, `counts` of which bear each label. Base: more than half.
 * PolicyI: more than `half / IRLbl`, rounded down. PolicyII: more than half, or rarer than average and borne at all.
 */
function mergedLabelset(
  counts: Int32Array,
  size: number,
  merging: ImbalancePolicy['merging'],
  rarity: LabelRarity,
): Uint8Array {
  const half = size >> 1;
  const out = new Uint8Array(counts.length);
  for (let l = 0; l < counts.length; l++) {
    const count = at(counts, l);
    const ratio = at(rarity.ratios, l);
    const needed = merging === 'PolicyI' ? Math.floor(half / ratio) : half;
    const rescued = merging === 'PolicyII' && count > 0 && ratio > rarity.mean;
    out[l] = count > needed || rescued ? 1 : 0;
  }
  return out;
}

/**
 * Runs a partition under a policy: on all rows, or on those without rare labels, the others being appended
 * unchanged in row order. Sizes given in per cent refer to the rows that take part.
 */
export async function reduceUnderPolicy(
  data: LabelledVectors,
  policy: ImbalancePolicy,
  pacer: Pacer,
  partition: (part: LabelledVectors) => Promise<Int32Array[]>,
): Promise<Emitted> {
  const rarity = labelRarity(data);
  const merge = (counts: Int32Array, size: number): Uint8Array =>
    mergedLabelset(counts, size, policy.merging, rarity);
  if (policy.exclude === 'Base') return emitMajority(data, await partition(data), pacer, { merge });

  const rare: number[] = [];
  const common: number[] = [];
  for (let row = 0; row < data.count; row++) (bearsRare(data, row, rarity) ? rare : common).push(row);
  const part = takeRows(data, common);
  const found = common.length === 0 ? [] : await partition(part);
  const clusters = found.map((rows) => rows.map((row) => at(common, row)));
  const merged = await emitMajority(data, clusters, pacer, { merge });
  const kept = await emitMajority(
    data,
    rare.map((row) => Int32Array.of(row)),
    pacer,
  );
  return {
    prototypes: joined(merged.prototypes, kept.prototypes, Float64Array),
    labelsets: joined(merged.labelsets, kept.labelsets, Uint8Array),
    clusters: [...merged.clusters, ...kept.clusters],
  };
}

function bearsRare(data: LabelledVectors, row: number, { ratios, mean }: LabelRarity): boolean {
  const labelCount = ratios.length;
  return ratios.some((ratio, l) => ratio > mean && data.labels[row * labelCount + l] === 1);
}

function joined<T extends Float64Array | Uint8Array>(a: T, b: T, Kind: new (length: number) => T): T {
  const out = new Kind(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}
