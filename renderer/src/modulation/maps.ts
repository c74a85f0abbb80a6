import type {
  ModulationChoiceInput,
  ModulationMapInfo,
  ModulationSource,
} from '../../../engine/api/modulation.ts';
import type { PlayerSource } from '../player/sources.ts';
import type { Span } from '../player/zoom.ts';
import { clock } from '../ui/format.ts';

/** Something whose map is looked at. */
export interface Looked {
  of: ModulationSource;
  title: string;
}

/** `depth`: of each band by itself; `strength`: weighted by how loud the band is. */
export const measures = ['depth', 'strength'] as const;
export type Measure = (typeof measures)[number];

/** What the player has, as far as a map can be made of it: what is left of a sound is not looked at in its place. */
export function lookedAt(source: PlayerSource | null, range: Span | null): Looked | null {
  if (!source || source.kind === 'modulation') return null;
  if (source.kind === 'sonification')
    return source.soundId === null
      ? null
      : { of: { kind: 'sound', soundId: source.soundId }, title: source.title };
  const part = { startSeconds: range?.start ?? 0, endSeconds: range?.end ?? null };
  const title = range
    ? `${source.title}, ${clock(range.start, true)}–${clock(range.end, true)}`
    : source.title;
  if (source.kind === 'file') return { of: { kind: 'file', path: source.subtitle, ...part }, title };
  return source.trackId === null ? null : { of: { kind: 'track', trackId: source.trackId, ...part }, title };
}

/** Values of a map in a measure `[bands, rates]`. */
export function valuesOf(map: ModulationMapInfo, measure: Measure): number[] {
  if (measure === 'depth') return map.depth;
  return map.depth.map(
    (value, i) => value * 10 ** ((map.levels[Math.floor(i / map.ratesHz.length)] ?? -60) / 20),
  );
}

/** The first minus the second, in a measure; rates that one of them is too short for are left out. */
export function difference(first: ModulationMapInfo, second: ModulationMapInfo, measure: Measure): number[] {
  const slowest = Math.max(first.slowest, second.slowest);
  const other = valuesOf(second, measure);
  return valuesOf(first, measure).map((value, i) =>
    i % first.ratesHz.length < slowest ? 0 : value - (other[i] ?? 0),
  );
}

/** Where the scale of some values ends: rounded up, so that it stays while little changes. */
export function scaleOf(values: readonly (readonly number[])[]): number {
  const most = values.reduce(
    (high, own) => own.reduce((top, value) => Math.max(top, Math.abs(value)), high),
    0,
  );
  return [0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2].find((step) => most <= step) ?? Math.ceil(most);
}

/** A frequency in words. */
export function hertz(value: number): string {
  if (value < 1000) return `${String(value < 10 ? Number(value.toFixed(1)) : Math.round(value))} Hz`;
  return `${(value / 1000).toFixed(1)} kHz`;
}

/** A cell of a map. */
export interface Cell {
  band: number;
  rate: number;
}

/** The rectangle between two cells. */
export function between(first: Cell, last: Cell): Omit<ModulationChoiceInput, 'mode'> {
  const ends = (a: number, b: number) => ({ first: Math.min(a, b), last: Math.max(a, b) });
  return { carriers: ends(first.band, last.band), rates: ends(first.rate, last.rate) };
}

/** What is chosen, in words: “500 Hz – 2.0 kHz, swelling 4 – 8 times a second”. */
export function choiceText(
  { carriers, rates }: Omit<ModulationChoiceInput, 'mode'>,
  { carriersHz, ratesHz }: ModulationMapInfo,
): string {
  const words = (hz: readonly number[], { first, last }: { first: number; last: number }): string =>
    first === last ? hertz(hz[first] ?? 0) : `${hertz(hz[first] ?? 0)} – ${hertz(hz[last] ?? 0)}`;
  const all = carriers.first === 0 && carriers.last === carriersHz.length - 1;
  return `${all ? 'All bands' : `Bands of ${words(carriersHz, carriers)}`}, modulations of ${words(ratesHz, rates)}`;
}
