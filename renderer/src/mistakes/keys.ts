import type { Mistake } from '../../../engine/api/mistakes.ts';

export type MistakeAction =
  'accept' | 'keep' | 'skip' | 'change' | 'given' | 'suggested' | 'nearest' | 'next' | 'previous';

/** Keys of the view, small letters; without Ctrl, Alt or Cmd. */
export const actionOf: Readonly<Partial<Record<string, MistakeAction>>> = {
  enter: 'accept',
  y: 'accept',
  k: 'keep',
  s: 'skip',
  l: 'change',
  a: 'given',
  b: 'suggested',
  c: 'nearest',
  arrowdown: 'next',
  arrowup: 'previous',
};

/** Whether there is anything to accept: a label to set, or one to take away. */
export function canAccept({ tab, given, suggested }: Mistake): boolean {
  return tab !== 'left-out' && (given !== null || suggested !== null);
}

/** The prototype of a class that weighs most for it. */
export function strongestOf<P extends { class: string; weights: number[] }>(
  prototypes: readonly P[],
  classes: readonly string[],
  name: string,
): P | null {
  const place = classes.indexOf(name);
  const weight = ({ weights }: P): number => weights[place] ?? -Infinity;
  const own = prototypes.filter((prototype) => prototype.class === name);
  return own.reduce<P | null>((best, next) => (best && weight(best) >= weight(next) ? best : next), null);
}
