import { significant } from '../ui/format.ts';
import { resolveColour } from '../ui/palette.ts';
import { ticks, toMap, toScreen } from './viewport.ts';
import type { Size, Viewport } from './viewport.ts';

/** From one point to another, which is near it in truth. */
export interface Link {
  from: number;
  to: number;
  /** It is among the nearest on the map, too. */
  kept: boolean;
}

export interface OverlayColours {
  text: string;
  muted: string;
  accent: string;
  bad: string;
  ground: string;
  of: (variable: string) => string;
}

export interface Overlay {
  x: Float32Array;
  y: Float32Array;
  lead: number | null;
  hovered: number | null;
  links: readonly Link[];
  /** What a drag has drawn, in pixels; a box is closed. */
  outline: readonly number[];
  boxed: boolean;
  names: readonly { name: string; x: number; y: number; colour: string }[];
}

const font = "system-ui, 'Segoe UI', 'Noto Sans', 'DejaVu Sans', sans-serif";
const longest = 28;

export function overlayColours(): OverlayColours {
  const known = new Map<string, string>();
  return {
    text: resolveColour('--text'),
    muted: resolveColour('--text-3'),
    accent: resolveColour('--accent'),
    bad: resolveColour('--bad'),
    ground: resolveColour('--surface'),
    of: (variable) => {
      const colour = known.get(variable) ?? resolveColour(variable);
      known.set(variable, colour);
      return colour;
    },
  };
}

/** Whether nothing lies above the points. */
export function isBlank({ lead, hovered, links, outline, names }: Overlay): boolean {
  return lead === null && hovered === null && links.length + outline.length + names.length === 0;
}

/** Draws what lies above the points. */
export function drawOverlay(
  context: CanvasRenderingContext2D,
  view: Viewport,
  size: Size,
  colours: OverlayColours,
  overlay: Overlay,
): void {
  context.clearRect(0, 0, size.width, size.height);
  const at = (point: number): [number, number] =>
    toScreen(view, size, overlay.x[point] ?? 0, overlay.y[point] ?? 0);
  for (const { from, to, kept } of overlay.links) {
    context.beginPath();
    context.moveTo(...at(from));
    context.lineTo(...at(to));
    context.lineWidth = 1.5;
    context.setLineDash(kept ? [] : [4, 3]);
    context.strokeStyle = kept ? colours.accent : colours.bad;
    context.stroke();
  }
  context.setLineDash([]);
  drawNames(context, view, size, colours, overlay.names);
  if (overlay.hovered !== null) ring(context, at(overlay.hovered), 8, 1.5, colours.muted);
  if (overlay.lead !== null) ring(context, at(overlay.lead), 9, 2, colours.text);
  if (overlay.outline.length > 3) {
    context.beginPath();
    for (let i = 0; i < overlay.outline.length; i += 2) {
      context.lineTo(overlay.outline[i] ?? 0, overlay.outline[i + 1] ?? 0);
    }
    if (overlay.boxed) context.closePath();
    context.lineWidth = 1.5;
    context.setLineDash([3, 3]);
    context.strokeStyle = colours.accent;
    context.stroke();
    context.setLineDash([]);
  }
}

function ring(
  context: CanvasRenderingContext2D,
  [x, y]: [number, number],
  radius: number,
  width: number,
  colour: string,
): void {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.lineWidth = width;
  context.strokeStyle = colour;
  context.stroke();
}

/** Draws the values along the lower edge (`across`) and the left one (`up`), each at its place in the whole map. */
export function drawTicks(
  { across, up }: Record<'across' | 'up', CanvasRenderingContext2D>,
  view: Viewport,
  size: Size,
  colours: OverlayColours,
): void {
  const [left, top] = toMap(view, size, 0, 0);
  const [right, bottom] = toMap(view, size, size.width, size.height);
  for (const context of [across, up]) {
    context.font = `10px ${font}`;
    context.fillStyle = colours.muted;
  }
  across.textBaseline = 'alphabetic';
  across.textAlign = 'center';
  for (const value of ticks(left, right, view.scale)) {
    const [x] = toScreen(view, size, value, 0);
    if (x > 24 && x < size.width - 16) across.fillText(told(value), x, size.height - 6);
  }
  up.textAlign = 'left';
  up.textBaseline = 'middle';
  for (const value of ticks(bottom, top, view.scale)) {
    const [, y] = toScreen(view, size, 0, value);
    if (y > 12 && y < size.height - 24) up.fillText(told(value), 6, y);
  }
}

const told = (value: number): string => significant(value, 6);

/** The largest groups first; names that would lie on others are left out. */
function drawNames(
  context: CanvasRenderingContext2D,
  view: Viewport,
  size: Size,
  colours: OverlayColours,
  names: Overlay['names'],
): void {
  const taken: [number, number, number, number][] = [];
  context.font = `600 12px ${font}`;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.lineJoin = 'round';
  for (const { name, x, y, colour } of names) {
    const [px, py] = toScreen(view, size, x, y);
    const text = name.length > longest ? `${name.slice(0, longest - 1)}…` : name;
    const half = context.measureText(text).width / 2 + 4;
    const box: [number, number, number, number] = [px - half, py - 9, px + half, py + 9];
    if (box[2] < 0 || box[0] > size.width || box[3] < 0 || box[1] > size.height) continue;
    if (
      taken.some((other) => box[0] < other[2] && other[0] < box[2] && box[1] < other[3] && other[1] < box[3])
    ) {
      continue;
    }
    taken.push(box);
    context.lineWidth = 4;
    context.strokeStyle = colours.ground;
    context.strokeText(text, px, py);
    context.fillStyle = colours.text;
    context.fillText(text, px, py);
    context.fillStyle = colours.of(colour);
    context.fillRect(px - half + 4, py + 8, 2 * half - 8, 2);
  }
}
