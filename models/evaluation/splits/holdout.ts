import { Random } from '../../numerics/random.ts';

/** One track to be assigned to a part. */
export interface SplitItem {
  id: string;
  /** Tracks of one group never part: the track itself, or its artist or album where known. */
  group: string;
  /** Class index; parts get each class in proportion. */
  label: number;
}
/** The parts of a split. */
export type Part = 'train' | 'validation' | 'test';
/** Share of each part; non-negative, summing to 1. */
export type SplitFractions = Readonly<Record<Part, number>>;

const PARTS: readonly Part[] = ['train', 'validation', 'test'];
/** With fewer groups a class cannot be present in every part. */
const MIN_GROUPS = 3;

interface Group {
  items: SplitItem[];
}

/**
 * Splits tracks into train, validation and test: seeded, stratified by class, groups kept whole.
 * The result depends on the items and the seed, not on the order of the items.
 *
 * Within a class, groups in seeded order each go to the part that is furthest below its share of tracks; then every
 * part with a share above 0 gets at least one group. A class of one or two groups goes to train as a whole: it can be
 * learned, not scored. A group of several classes counts as its most frequent one.
 * @throws RangeError when fractions do not sum to 1, train is 0, or an id occurs twice.
 */
export function splitTracks(
  items: readonly SplitItem[],
  fractions: SplitFractions,
  seed: number,
): Map<string, Part> {
  checkFractions(fractions);
  if (new Set(items.map((item) => item.id)).size !== items.length) throw new RangeError('an id occurs twice');
  const random = new Random(seed);
  const strata = stratify(items);
  const result = new Map<string, Part>();
  for (const label of [...strata.keys()].sort((a, b) => a - b)) {
    for (const [part, groups] of assign(random.shuffle(strata.get(label) ?? []), fractions)) {
      for (const item of groups.flatMap((group) => group.items)) result.set(item.id, part);
    }
  }
  return result;
}

function checkFractions(fractions: SplitFractions): void {
  const values = PARTS.map((part) => fractions[part]);
  if (values.some((value) => !(value >= 0))) throw new RangeError('fractions are not negative');
  if (Math.abs(values.reduce((a, b) => a + b, 0) - 1) > 1e-9) throw new RangeError('fractions sum to 1');
  if (fractions.train === 0) throw new RangeError('train needs a share above 0');
}

/** Groups by class, in an order that does not depend on the order of the items. */
function stratify(items: readonly SplitItem[]): Map<number, Group[]> {
  const groups = new Map<string, SplitItem[]>();
  for (const item of [...items].sort((a, b) => compare(a.group, b.group) || compare(a.id, b.id))) {
    const members = groups.get(item.group);
    if (members) members.push(item);
    else groups.set(item.group, [item]);
  }
  const strata = new Map<number, Group[]>();
  for (const members of groups.values()) {
    const label = mostFrequent(members.map((item) => item.label));
    const stratum = strata.get(label);
    if (stratum) stratum.push({ items: members });
    else strata.set(label, [{ items: members }]);
  }
  return strata;
}

function assign(groups: readonly Group[], fractions: SplitFractions): Map<Part, Group[]> {
  const parts = new Map<Part, Group[]>(PARTS.map((part) => [part, []]));
  const of = (part: Part): Group[] => parts.get(part) ?? [];
  if (groups.length < MIN_GROUPS) {
    of('train').push(...groups);
    return parts;
  }
  const total = size(groups);
  const wanted = PARTS.filter((part) => fractions[part] > 0);
  for (const group of groups) {
    const deficit = (part: Part): number => fractions[part] * total - size(of(part));
    of(wanted.reduce((best, part) => (deficit(part) > deficit(best) ? part : best))).push(group);
  }
  for (const part of wanted.filter((wantedPart) => of(wantedPart).length === 0)) {
    const donor = wanted.reduce((best, other) => (of(other).length > of(best).length ? other : best));
    const smallest = of(donor).reduce((best, group) =>
      group.items.length < best.items.length ? group : best,
    );
    of(donor).splice(of(donor).indexOf(smallest), 1);
    of(part).push(smallest);
  }
  return parts;
}

function size(groups: readonly Group[]): number {
  return groups.reduce((total, group) => total + group.items.length, 0);
}

function mostFrequent(labels: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return [...counts].reduce((best, entry) =>
    entry[1] > best[1] || (entry[1] === best[1] && entry[0] < best[0]) ? entry : best,
  )[0];
}

/** By UTF-16 code units: the same on every machine, whatever its locale. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
