import type { ComparedModel, PrototypePair } from '../api/prototypes.ts';

/** Weights that differ by less are told as the same. */
const SAME_WEIGHT = 0.005;

/** What became of a prototype from one model to the other, in a word and in a sentence. */
export function pairInWords(
  { first, second, distance }: Pick<PrototypePair, 'first' | 'second' | 'distance'>,
  reach: number,
): Pick<PrototypePair, 'kind' | 'change'> {
  if (!second) return { kind: 'only-first', change: 'only in A' };
  if (!first) return { kind: 'only-second', change: 'only in B' };
  const share = Number.isFinite(reach) && reach > 0 ? (distance ?? 0) / reach : null;
  const parts = [
    ...(distance === 0
      ? []
      : [
          `moved by ${(distance ?? 0).toFixed(2)}${share === null ? '' : ` (${Math.round(100 * share)} % of reach)`}`,
        ]),
    ...(first.class === second.class ? [] : [`${first.class} → ${second.class}`]),
    ...(first.name === second.name ? [] : [`name “${first.name}” → “${second.name}”`]),
    ...(Math.abs(first.weight - second.weight) < SAME_WEIGHT
      ? []
      : [`weight ${first.weight.toFixed(2)} → ${second.weight.toFixed(2)}`]),
  ];
  return parts.length === 0
    ? { kind: 'same', change: 'same' }
    : { kind: 'changed', change: parts.join(', ') };
}

/** What changed as a whole, a sentence each. */
export function summary(
  first: ComparedModel,
  second: ComparedModel,
  pairs: readonly PrototypePair[],
): string[] {
  const of = (kind: PrototypePair['kind']): number => pairs.filter((pair) => pair.kind === kind).length;
  const counts = (
    [
      ['same', 'the same'],
      ['changed', 'changed'],
      ['only-first', 'only in A'],
      ['only-second', 'only in B'],
    ] as const
  ).flatMap(([kind, text]) => (of(kind) > 0 ? [`${of(kind)} ${text}`] : []));
  const gone = first.classes.filter((name) => !second.classes.includes(name));
  const come = second.classes.filter((name) => !first.classes.includes(name));
  const classes = [
    ...(gone.length > 0 ? [`Classes only in A: ${gone.join(', ')}.`] : []),
    ...(come.length > 0 ? [`Classes only in B: ${come.join(', ')}.`] : []),
  ];
  const share = (value: number | null): string => (value === null ? '–' : `${(100 * value).toFixed(1)} %`);
  const own =
    first.experimentId === second.experimentId ? 'on the same test tracks' : 'each on its own test tracks';
  return [
    `Prototypes: ${counts.join(', ')}.`,
    ...classes,
    `Accuracy ${share(first.accuracy)} → ${share(second.accuracy)}, balanced ${share(first.balancedAccuracy)} → ${share(second.balancedAccuracy)}, ${own}.`,
  ];
}
