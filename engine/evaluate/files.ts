import { scoreText, type EvaluationTable } from '../api/evaluations.ts';

/** The table as CSV, a line per row. */
export function csvOf({ rows, madeBy }: EvaluationTable): string {
  const packOf = new Map(madeBy.packs.map(({ id, sha256 }) => [id, sha256]));
  const quoted = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const lines = rows.map((row) =>
    [
      row.dataset,
      row.space,
      row.probe,
      row.deformation,
      row.metric,
      String(row.mean),
      row.interval === null ? '' : String(row.interval),
      String(row.runs),
      String(row.tested),
      packOf.get(row.space) ?? '',
      madeBy.version,
    ]
      .map(quoted)
      .join(','),
  );
  return `${['dataset,space,probe,deformation,metric,mean,interval,runs,tested,packSha256,version', ...lines].join('\n')}\n`;
}

/** What LaTeX has no backslash for. */
const latexNames: Readonly<Record<string, string>> = {
  '\\': '\\textbackslash{}',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
};

/** The table for a paper. */
export function latexOf({ rows, madeBy }: EvaluationTable): string {
  const packs = madeBy.packs.map(({ id, version, sha256 }) => `${id} ${version} (${sha256.slice(0, 12)})`);
  const made = `% Archetone ${madeBy.version}; packs: ${packs.join(', ')}\n`;
  const plain = (text: string): string =>
    text
      .replaceAll(/[&%$#_{}\\~^]/g, (sign) => latexNames[sign] ?? `\\${sign}`)
      .replaceAll('−', '$-$')
      .replaceAll('±', '$\\pm$')
      .replaceAll('²', '\\textsuperscript{2}');
  const lines = rows.map((row) =>
    [row.dataset, row.space, row.probe, row.deformation, row.metric, scoreText(row)].map(plain).join(' & '),
  );
  return `${made}\\begin{tabular}{lllllr}\n\\hline\ndata set & space & probe & deformation & metric & \\% (errors as they are) \\\\\n\\hline\n${lines.map((line) => `${line} \\\\\n`).join('')}\\hline\n\\end{tabular}\n`;
}
