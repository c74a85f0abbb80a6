/**
 * How classes look: ten colours, eight of them after Okabe and Ito (tuned per theme in app.css), each combined with eight shapes,
 * so that a class is never told by colour alone and 80 classes stay distinct.
 */
const shapes = [
  'circle',
  'square',
  'triangle-up',
  'diamond',
  'cross',
  'x',
  'triangle-down',
  'pentagon',
] as const;

export type Shape = (typeof shapes)[number];

export interface ClassLook {
  /** CSS custom property of the colour. */
  variable: string;
  /** The same, ready for a style. */
  colour: string;
  shape: Shape;
}

const colourCount = 10;

/** The look of the n-th class; colours come first, the shape shifts with every round. */
export function lookOf(index: number): ClassLook {
  const n = Math.max(0, index);
  const colour = n % colourCount;
  const shape = shapes[(n + Math.floor(n / colourCount)) % shapes.length] ?? 'circle';
  const variable = `--class-${String(colour)}`;
  return { variable, colour: `var(${variable})`, shape };
}

export const unlabelledLook: ClassLook = {
  variable: '--class-none',
  colour: 'var(--class-none)',
  shape: 'circle',
};

/** Gives every class its look by its place in a list of names; names not in the list look unlabelled. */
export function looksOf(classes: readonly string[]): (name: string | null | undefined) => ClassLook {
  const places = new Map(classes.map((name, index) => [name, index]));
  return (name) => {
    const place = name === null || name === undefined ? undefined : places.get(name);
    return place === undefined ? unlabelledLook : lookOf(place);
  };
}

/** SVG outlines of the shapes in a 10 × 10 box. */
export const shapePaths: Record<Shape, string> = {
  circle: 'M5 1a4 4 0 1 1 0 8a4 4 0 1 1 0-8Z',
  square: 'M1.5 1.5h7v7h-7Z',
  'triangle-up': 'M5 1l4.3 7.8H.7Z',
  diamond: 'M5 .6L9.4 5L5 9.4L.6 5Z',
  cross: 'M3.6 1h2.8v2.6H9v2.8H6.4V9H3.6V6.4H1V3.6h2.6Z',
  x: 'M2.7 1L5 3.3L7.3 1L9 2.7L6.7 5L9 7.3L7.3 9L5 6.7L2.7 9L1 7.3L3.3 5L1 2.7Z',
  'triangle-down': 'M5 9L.7 1.2h8.6Z',
  pentagon: 'M5 .8L9.2 3.9L7.6 8.9H2.4L.8 3.9Z',
};

/** The value a colour variable has now, for drawings that cannot use CSS (WebGL, canvas). */
export function resolveColour(variable: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(${variable})`;
  probe.style.display = 'none';
  document.body.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}
