import type { Column, ColumnName } from '../../../engine/api/projection.ts';
import { lookOf as lookOfNumber, unlabelledLook } from '../ui/palette.ts';
import type { ClassLook } from '../ui/palette.ts';
import type { MapPoints } from './points.ts';

/** What points can be coloured by: a column, or how far each is to be trusted. */
export type ColourBy = ColumnName | 'trust';

/** What some points look like. */
export interface Paint {
  name: string;
  /** Colour and shape of a name; null for a value. */
  look: ClassLook | null;
  /** Where a value lies on the scale, 0…1. */
  share: number;
  /** Points that have it. */
  count: number;
}

export interface Colouring {
  /** Names: the most frequent first. Values: ascending, then what has none. */
  paints: Paint[];
  /** `[points]`: the paint of each. */
  of: Int32Array;
  /** `[points]`: the paint of its second name, −1 for none; null where no point has two. */
  ring: Int32Array | null;
  /** The values at both ends; null for names. */
  scale: { low: number; high: number } | null;
}

/** Steps of a scale of values. */
const steps = 24;

const verdictLooks: Record<string, ClassLook> = {
  correct: { variable: '--class-2', colour: 'var(--class-2)', shape: 'circle' },
  wrong: { variable: '--class-3', colour: 'var(--class-3)', shape: 'x' },
};
const missing: Partial<Record<ColourBy, string>> = {
  label: 'no label',
  prediction: 'no prediction',
  verdict: 'not judged',
};
/** Of values between 0 and 1 the whole scale is shown, so that colours mean the same in every library. */
const shares: readonly ColourBy[] = ['probability', 'margin', 'trust'];
/** Values of which twice as much is one step, wherever it starts. */
const ratios: readonly ColourBy[] = ['length', 'tempo'];

/** All points alike. */
export function plainColouring(points: MapPoints, name: string): Colouring {
  const paint = { name, look: unlabelledLook, share: 0, count: points.count };
  return { paints: [paint], of: new Int32Array(points.count), ring: null, scale: null };
}

/** @param lookOf of labels and classes, which look alike everywhere */
export function colourBy(
  points: MapPoints,
  by: ColourBy,
  column: Column,
  lookOf: (name: string | null) => ClassLook,
): Colouring {
  if (column.kind === 'names') return byNames(points, by, column, lookOf);
  const byTrack = new Float32Array(points.projection.points.trackIds.length).fill(NaN);
  column.trackIds.forEach((id, i) => {
    const number = points.numberOf(id);
    if (number >= 0) byTrack[number] = column.values[i] ?? NaN;
  });
  return byValues(
    Float32Array.from({ length: points.count }, (_, point) => byTrack[points.trackNumber(point)] ?? NaN),
    by,
  );
}

function byNames(
  points: MapPoints,
  by: ColourBy,
  column: Extract<Column, { kind: 'names' }>,
  lookOf: (name: string | null) => ClassLook,
): Colouring {
  const none = column.names.length;
  const tracks = points.projection.points.trackIds.length;
  const first = new Int32Array(tracks).fill(none);
  const second = column.second ? new Int32Array(tracks).fill(-1) : null;
  column.trackIds.forEach((id, i) => {
    const number = points.numberOf(id);
    const name = column.first[i] ?? -1;
    if (number < 0 || name < 0) return;
    first[number] = name;
    if (second) second[number] = column.second?.[i] ?? -1;
  });
  const counts = new Int32Array(none + 1);
  const names = new Int32Array(points.count);
  for (let point = 0; point < points.count; point += 1) {
    const name = first[points.trackNumber(point)] ?? none;
    names[point] = name;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  const used = new Set<number>(second?.filter((name) => name >= 0));
  const order = Array.from(counts.keys())
    .filter((name) => (counts[name] ?? 0) > 0 || used.has(name))
    .sort((a, b) => (counts[b] ?? 0) - (counts[a] ?? 0) || a - b);
  const places = new Int32Array(none + 1).fill(-1);
  const paints = order.map((name, place): Paint => {
    places[name] = place;
    const title = column.names[name];
    return {
      name: title ?? missing[by] ?? 'none',
      look: title === undefined ? unlabelledLook : lookOfName(by, title, place, lookOf),
      share: 0,
      count: counts[name] ?? 0,
    };
  });
  return {
    paints,
    of: names.map((name) => places[name] ?? -1),
    ring: second
      ? Int32Array.from({ length: points.count }, (_, point) => {
          const name = second[points.trackNumber(point)] ?? -1;
          return name < 0 ? -1 : (places[name] ?? -1);
        })
      : null,
    scale: null,
  };
}

function lookOfName(
  by: ColourBy,
  name: string,
  place: number,
  lookOf: (name: string | null) => ClassLook,
): ClassLook {
  if (by === 'verdict') return verdictLooks[name] ?? unlabelledLook;
  return by === 'label' || by === 'prediction' ? lookOf(name) : lookOfNumber(place);
}

/** Colours points by numbers; what is not a number has none. */
export function byValues(values: Float32Array, by: ColourBy): Colouring {
  const known = values.filter((value) => !Number.isNaN(value)).sort();
  const at = (share: number): number => known[Math.round(share * (known.length - 1))] ?? 0;
  // A few odd values would leave all others one colour.
  const [low, high] = shares.includes(by) ? [0, 1] : [at(0.02), at(0.98)];
  const bent = ratios.includes(by) && low > 0 ? Math.log : (value: number): number => value;
  const span = bent(high) - bent(low);
  const paints = Array.from({ length: steps + 1 }, (_, step): Paint => ({
    name: step === steps ? 'no value' : '',
    look: step === steps ? unlabelledLook : null,
    share: step / (steps - 1),
    count: 0,
  }));
  const of = new Int32Array(values.length);
  values.forEach((value, point) => {
    const share = span > 0 ? (bent(Math.max(value, low)) - bent(low)) / span : 0.5;
    const step = Number.isNaN(value) ? steps : Math.min(steps - 1, Math.max(0, Math.floor(share * steps)));
    of[point] = step;
    const paint = paints[step];
    if (paint) paint.count += 1;
  });
  return { paints, of, ring: null, scale: { low, high } };
}

/** The points of a paint. */
export function pointsOfPaint({ of }: Colouring, paint: number): number[] {
  const points: number[] = [];
  of.forEach((own, point) => {
    if (own === paint) points.push(point);
  });
  return points;
}
