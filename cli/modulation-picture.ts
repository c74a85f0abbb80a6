import type { ModulationMapInfo, ModulationReport } from '../engine/api/modulation.ts';
import { escaped, textAt } from '../engine/evaluate/drawings.ts';

const CELL = { width: 34, height: 9 };
const [LEFT, TOP] = [64, 40];

/** A map to be drawn: `signed` for a difference of two. */
export interface DrawnMap {
  title: string;
  map: ModulationMapInfo;
  signed: boolean;
}

/** Modulation maps side by side as an SVG picture: bands from low at the bottom to high, rates from slow to fast. */
export function mapsSvg(maps: readonly DrawnMap[]): string {
  const [first] = maps;
  const rates = first?.map.ratesHz ?? [];
  const bands = first?.map.carriersHz ?? [];
  const each = LEFT + rates.length * CELL.width + 24;
  const [width, height] = [each * maps.length, TOP + bands.length * CELL.height + 56];
  const most = Math.max(0.05, ...maps.flatMap(({ map }) => map.depth.map(Math.abs)));
  const parts = maps.map(
    ({ title, map, signed }, i) =>
      `<g transform="translate(${i * each} 0)">\n${oneMap(title, map, signed, Math.min(1, most)).join('\n')}\n</g>`,
  );
  const legend = textAt(
    LEFT,
    height - 8,
    `depth: white 0, darkest ${Math.min(1, most).toFixed(2)}; differences: blue more, orange less`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" style="font: 11px system-ui, sans-serif; background: #fff">
<desc>${escaped('Modulation maps: carrier bands (Hz) by rates of modulation (Hz)')}</desc>
${parts.join('\n')}
${legend}
</svg>
`;
}

function oneMap(title: string, map: ModulationMapInfo, signed: boolean, most: number): string[] {
  const { carriersHz, ratesHz, depth, slowest } = map;
  const bottom = TOP + carriersHz.length * CELL.height;
  const cells = carriersHz.flatMap((_, band) =>
    ratesHz.map((_rate, rate) => {
      const value = depth[band * ratesHz.length + rate] ?? 0;
      const colour = rate < slowest ? '#999999' : signed && value < 0 ? '#d55e00' : '#0072b2';
      const share = rate < slowest ? 0.25 : Math.min(1, Math.abs(value) / most);
      const [x, y] = [LEFT + rate * CELL.width, bottom - (band + 1) * CELL.height];
      return `<rect x="${x}" y="${y}" width="${CELL.width - 1}" height="${CELL.height}" fill="${colour}" fill-opacity="${share.toFixed(3)}"/>`;
    }),
  );
  const hz = carriersHz.flatMap((centre, band) =>
    band % 5 === 0 ? [textAt(4, bottom - band * CELL.height, hertz(centre))] : [],
  );
  const speeds = ratesHz.map((rate, i) => textAt(LEFT + i * CELL.width + 6, bottom + 16, String(rate)));
  return [
    textAt(4, 16, title, 'bold'),
    textAt(4, 30, 'Hz'),
    ...cells,
    ...hz,
    ...speeds,
    textAt(LEFT, bottom + 30, 'modulation, Hz'),
  ];
}

/** A frequency in words. */
export function hertz(value: number): string {
  return value < 1000 ? `${Math.round(value)} Hz` : `${(value / 1000).toFixed(1)} kHz`;
}

const PLOT = { width: 520, height: 180, left: 48 };
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000'] as const;

/** Classes beyond that could not be told apart by colour and dashes. */
const MOST_LINES = 14;

/** Learned filters over fixed ones, and what lower envelope rates cost each class, as an SVG picture. */
export function reportSvg({ frequenciesHz, filters, rates, classes }: ModulationReport): string {
  const { width, height, left } = PLOT;
  const first = Math.log2(frequenciesHz[0] ?? 1);
  const octaves = Math.log2(frequenciesHz.at(-1) ?? 2) - first;
  const x = (hz: number): number => left + ((Math.log2(hz) - first) / octaves) * width;
  const most = Math.max(...[...filters.fixed, ...filters.learned].flatMap(({ response }) => response));
  const curve = (response: readonly number[], look: string): string => {
    const points = response.map((gain, u) => {
      const y = 30 + (1 - Math.max(0, gain) / most) * height;
      return `${x(frequenciesHz[u] ?? 1).toFixed(1)},${y.toFixed(1)}`;
    });
    return `<polyline points="${points.join(' ')}" fill="none" ${look}/>`;
  };
  const base = 90 + height;
  const column = (i: number): number => left + (i * width) / Math.max(1, rates.length - 1);
  const y = (value: number): number => base + (1 - value) * height;
  const lines = [
    { name: 'all', values: rates.map(({ accuracy }) => accuracy.mean as number | null) },
    ...classes.map((name, c) => ({ name, values: rates.map(({ perClass }) => perClass[c] ?? null) })),
  ].slice(0, MOST_LINES);
  const missing = classes.length + 1 - lines.length;
  const parts = [
    textAt(4, 16, 'Modulation filters: grey fixed, blue learned', 'bold'),
    ...filters.fixed.map(({ response }) => curve(response, 'stroke="#999999"')),
    ...filters.learned.map(({ response }) => curve(response, 'stroke="#0072b2" stroke-width="2"')),
    ...[0.5, 1, 2, 4, 8, 16, 32, 64].map((hz) => textAt(x(hz) - 6, 46 + height, `${hz} Hz`)),
    textAt(4, base - 14, 'Told right, by envelope values a second', 'bold'),
    ...[0, 0.5, 1].map((value) => textAt(4, y(value) + 4, `${100 * value} %`)),
    ...lines.flatMap(({ name, values }, i) => {
      const colour = COLOURS[i % COLOURS.length] ?? '#000000';
      const points = values.flatMap((value, at) => (value === null ? [] : [`${column(at)},${y(value)}`]));
      const look = `stroke="${colour}" stroke-width="${i === 0 ? 3 : 1.5}" stroke-dasharray="${i >= COLOURS.length ? '4 3' : ''}"`;
      return [
        `<polyline points="${points.join(' ')}" fill="none" ${look}/>`,
        `<line x1="${left + width + 20}" x2="${left + width + 40}" y1="${base + i * 16}" y2="${base + i * 16}" ${look}/>`,
        textAt(left + width + 46, base + i * 16 + 4, name),
      ];
    }),
    ...(missing > 0
      ? [textAt(left + width + 20, base + lines.length * 16 + 4, `${missing} more classes have no line`)]
      : []),
    ...rates.map(({ rateHz }, i) => textAt(column(i) - 8, base + height + 16, String(rateHz))),
  ];
  const [wide, high] = [left + width + 220, base + Math.max(height + 30, lines.length * 16 + 26)];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${wide}" height="${high}" viewBox="0 0 ${wide} ${high}" style="font: 11px system-ui, sans-serif; background: #fff">
<desc>${escaped('Learned modulation filters, and accuracy by envelope rate')}</desc>
${parts.join('\n')}
</svg>
`;
}
