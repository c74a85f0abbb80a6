import type { ModulationMapInfo } from '../engine/api/modulation.ts';
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
