import type { Mistake } from '../../../engine/api/mistakes.ts';

export type MistakeAction =
  | 'accept'
  | 'keep'
  | 'skip'
  | 'change'
  | 'given'
  | 'suggested'
  | 'nearest'
  | 'why'
  | 'hide'
  | 'next'
  | 'previous';

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
  w: 'why',
  h: 'hide',
  arrowdown: 'next',
  arrowup: 'previous',
};

/** Labels that keys can set. */
const NUMBERED = 9;

/** What the keys 1 to 9 set: the most frequent labels, in the order of their names so that keys stay where they are. */
export function numbered(labels: readonly { name: string; tracks: number }[]): string[] {
  return [...labels]
    .sort((a, b) => b.tracks - a.tracks || (a.name < b.name ? -1 : 1))
    .slice(0, NUMBERED)
    .map(({ name }) => name)
    .sort();
}

/**
 * Labels that a key sets while labelling; null for another key.
 * @param last what was set before, for “same as last” (the full stop)
 */
export function labelsOfKey(
  key: string,
  labels: readonly string[],
  last: readonly string[] | null,
): string[] | null {
  if (key === '.') return last ? [...last] : null;
  const label = /^[1-9]$/.test(key) ? labels[Number(key) - 1] : undefined;
  return label === undefined ? null : [label];
}

/** Whether there is anything to accept: a label to set, or one to take away. */
export function canAccept({ tab, given, suggested }: Mistake): boolean {
  return tab !== 'left-out' && (given !== null || suggested !== null);
}

/** The prototype of a class that weighs most for it. */
export function strongestOf<P extends { class: string; weight: number }>(
  prototypes: readonly P[],
  name: string,
): P | null {
  const own = prototypes.filter((prototype) => prototype.class === name);
  return own.reduce<P | null>((best, next) => (best && best.weight >= next.weight ? best : next), null);
}
