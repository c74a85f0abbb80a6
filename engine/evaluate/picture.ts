import { curves, escaped, spiders, textAt } from './drawings.ts';
import { scoreText, shareOfBest, type EvaluationRow, type EvaluationTable } from '../api/evaluations.ts';

const CELL = { width: 104, height: 26 };
const HEAD = 150;
const FONT = '12px system-ui, sans-serif';

/**
 * The clean column of each data set, probe by probe, and each deformation below it, as an SVG heat table: one row for each
 * space, the first metric of each data set. The darker, the better among the cells of its data set. Below it what
 * deformations cost, and what each space knows of the sound.
 */
export function svgOf({ rows, madeBy }: EvaluationTable): string {
  const firsts = new Map<string, string>();
  for (const { dataset, metric } of rows) if (!firsts.has(dataset)) firsts.set(dataset, metric);
  const shown = rows.filter(({ dataset, metric }) => firsts.get(dataset) === metric);
  const spaces = [...new Set(shown.map(({ space }) => space))];
  const blocks = new Map<string, EvaluationRow[]>();
  for (const row of shown) {
    const key = JSON.stringify([row.dataset, row.deformation]);
    blocks.set(key, [...(blocks.get(key) ?? []), row]);
  }
  const parts: string[] = [];
  let y = 8;
  let width = HEAD;
  for (const own of blocks.values()) {
    const [first] = own;
    if (!first) continue;
    const probes = [...new Set(own.map(({ probe }) => probe))];
    width = Math.max(width, HEAD + probes.length * CELL.width);
    parts.push(textAt(4, y + 14, `${first.dataset}, ${first.deformation}: ${first.metric}, %`, 'bold'));
    y += 22;
    probes.forEach((probe, p) => parts.push(textAt(HEAD + p * CELL.width + 4, y + 14, probe)));
    y += 20;
    const values = shown.filter(({ dataset }) => dataset === first.dataset).map(({ mean }) => mean);
    for (const space of spaces) {
      parts.push(textAt(4, y + 17, space));
      probes.forEach((probe, p) => {
        const row = own.find((one) => one.space === space && one.probe === probe);
        if (!row) return;
        const share = shareOfBest(row, values);
        const x = HEAD + p * CELL.width;
        parts.push(
          `<rect x="${x}" y="${y}" width="${CELL.width - 2}" height="${CELL.height - 2}" fill="#0072b2" fill-opacity="${(0.06 + 0.44 * share).toFixed(3)}"/>`,
          textAt(x + 6, y + 17, scoreText(row)),
        );
      });
      y += CELL.height;
    }
    y += 14;
  }
  for (const drawing of [...curves(shown), ...spiders(rows)]) {
    parts.push(`<g transform="translate(0 ${y})">\n${drawing.parts.join('\n')}\n</g>`);
    y += drawing.height;
    width = Math.max(width, drawing.width);
  }
  const packs = madeBy.packs.map(({ id, version, sha256 }) => `${id} ${version} ${sha256.slice(0, 12)}`);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${y}" viewBox="0 0 ${width} ${y}" style="font: ${FONT}; background: #fff">
<desc>${escaped(`Archetone ${madeBy.version}; ${packs.join('; ')}`)}</desc>
${parts.join('\n')}
</svg>
`;
}
