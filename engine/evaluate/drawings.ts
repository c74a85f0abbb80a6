import { scoreText, type EvaluationRow } from '../api/evaluations.ts';
import { onSpoke, spiderOf } from '../api/spider.ts';

/** Colours that are told apart also by those who see red and green alike (M. Okabe, K. Ito 2008). */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000'] as const;
const DASHES = ['', '7 3', '2 3', '9 3 2 3'] as const;
const RADIUS = 120;
const CURVES = { width: 560, height: 180, left: 40, right: 80 };
const GRID = '#d0d4da';

/** A part of a picture, from its upper left corner. */
export interface Drawing {
  /** SVG elements. */
  parts: string[];
  width: number;
  height: number;
}

/** What deformations cost: a figure for each probe on each data set that was deformed. */
export function curves(rows: readonly EvaluationRow[]): Drawing[] {
  const figures = grouped(rows, ({ dataset, probe }) => JSON.stringify([dataset, probe]));
  return [...figures.values()].flatMap((own) => {
    const [first] = own;
    const deformations = [...new Set(own.map(({ deformation }) => deformation))];
    if (!first || deformations.length < 2) return [];
    const { width, height, left, right } = CURVES;
    const means = own.map(({ mean }) => mean);
    const [low, high] = [Math.min(0, ...means), Math.max(...means, 1e-9)];
    const x = (i: number): number => left + (i * (width - left - right)) / (deformations.length - 1);
    const y = (value: number): number => 30 + ((high - value) / (high - low)) * height;
    const spaces = grouped(own, ({ space }) => space);
    const ticks = [low, (low + high) / 2, high].flatMap((value) => [
      `<line x1="${left}" x2="${width - right}" y1="${y(value)}" y2="${y(value)}" stroke="${GRID}"/>`,
      textAt(4, y(value) + 4, scoreText({ metric: first.metric, mean: value, interval: null })),
    ]);
    const lines = [...spaces.values()].map((inSpace, s) => {
      const points = deformations.flatMap((name, i) => {
        const row = inSpace.find(({ deformation }) => deformation === name);
        return row ? [`${x(i)},${y(row.mean)}`] : [];
      });
      return `<polyline points="${points.join(' ')}" ${strokeOf(s)}/>`;
    });
    const from = 80 + height;
    const parts = [
      textAt(4, 14, `${first.dataset}, ${first.probe}: ${first.metric}`, 'bold'),
      ...ticks,
      ...deformations.map((name, i) => textAt(x(i), 46 + height + (i % 2) * 14, name)),
      ...lines,
      ...legend([...spaces.keys()], from),
    ];
    return [{ parts, width, height: from + 20 * spaces.size + 14 }];
  });
}

/** What each space knows of the sound: a spider for each data set, probe and deformation. */
export function spiders(rows: readonly EvaluationRow[]): Drawing[] {
  const known = grouped(rows, ({ dataset, probe, deformation }) =>
    JSON.stringify([dataset, probe, deformation]),
  );
  return [...known.values()].flatMap((own) => {
    const [first] = own;
    const spider = first && spiderOf(own, first, first.deformation);
    if (!spider) return [];
    const count = spider.targets.length;
    const [cx, cy] = [260, RADIUS + 60];
    const polygon = (values: readonly number[], look: string): string => {
      const points = values.map((value, t) => {
        const { x, y } = onSpoke(value, t, count, RADIUS);
        return `${(cx + x).toFixed(1)},${(cy + y).toFixed(1)}`;
      });
      return `<polygon points="${points.join(' ')}" ${look}/>`;
    };
    const rings = [0.25, 0.5, 0.75, 1].map((share) =>
      polygon(Array<number>(count).fill(share), `fill="none" stroke="${GRID}"`),
    );
    const names = spider.targets.map((target, t) => {
      const { x, y } = onSpoke(1, t, count, RADIUS + 14);
      const anchor = Math.abs(x) < 10 ? 'middle' : x > 0 ? 'start' : 'end';
      return `<g text-anchor="${anchor}">${textAt(cx + x, cy + y + 4, target)}</g>`;
    });
    const webs = spider.spaces.map(({ rows: web }, s) =>
      polygon(
        web.map((row) => row?.mean ?? 0),
        strokeOf(s),
      ),
    );
    const from = cy + RADIUS + 50;
    const spaces = spider.spaces.map(({ space }) => space);
    const title = textAt(4, 14, `${first.dataset}, ${first.deformation}: R² of tracks held out`, 'bold');
    const parts = [title, ...rings, ...names, ...webs, ...legend(spaces, from)];
    return [{ parts, width: 540, height: from + 20 * spaces.length + 14 }];
  });
}

function strokeOf(i: number): string {
  const dash = DASHES[Math.floor(i / COLOURS.length) % DASHES.length] ?? '';
  return `fill="none" stroke="${COLOURS[i % COLOURS.length] ?? ''}" stroke-width="1.8" stroke-dasharray="${dash}"`;
}

const legend = (spaces: readonly string[], from: number): string[] =>
  spaces.flatMap((space, s) => [
    `<line x1="4" x2="36" y1="${from + 20 * s}" y2="${from + 20 * s}" ${strokeOf(s)}/>`,
    textAt(44, from + 20 * s + 4, space),
  ]);

function grouped<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    groups.set(key, [...(groups.get(key) ?? []), item]);
  }
  return groups;
}

/** @param content as it is: signs of XML are written as such */
export function textAt(x: number, y: number, content: string, weight = 'normal'): string {
  return `<text x="${x}" y="${y}" font-weight="${weight}" fill="#1a1d22">${escaped(content)}</text>`;
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
export const escaped = (content: string): string =>
  content.replace(/[&<>"]/g, (sign) => entities[sign] ?? sign).replace(/[\p{Cc}\p{Cs}\uFFFE\uFFFF]/gu, ' ');
