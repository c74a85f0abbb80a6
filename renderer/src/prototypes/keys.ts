export type StudioAction =
  | 'next'
  | 'previous'
  | 'sonified'
  | 'nearest'
  | 'second'
  | 'third'
  | 'fourth'
  | 'fifth'
  | 'mark'
  | 'freeze'
  | 'morph'
  | 'morphOn'
  | 'morphBack'
  | 'remove'
  | 'apply'
  | 'drop';

/** Keys of the Prototypes view, small letters; without Ctrl, Alt or Cmd. */
export const studioActionOf: Readonly<Partial<Record<string, StudioAction>>> = {
  arrowdown: 'next',
  arrowup: 'previous',
  a: 'sonified',
  b: 'nearest',
  1: 'nearest',
  2: 'second',
  3: 'third',
  4: 'fourth',
  5: 'fifth',
  m: 'mark',
  f: 'freeze',
  x: 'morph',
  arrowright: 'morphOn',
  arrowleft: 'morphBack',
  delete: 'remove',
  enter: 'apply',
  escape: 'drop',
};
