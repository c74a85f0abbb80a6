import { mapped, writeCsv } from '../bundles/csv.ts';
import { writeNew } from '../bundles/write-new.ts';
import type { Library } from '../library/library.ts';
import { changes } from './decide.ts';

/**
 * Writes a table. `changes`: what was decided here and changed a label. `labels`: all labels in force as `path,labels`,
 * which a taxonomy can be made of.
 * @throws as {@link writeNew}
 */
export async function exportMistakes(
  library: Library,
  { taxonomyId, what, path }: { taxonomyId: string; what: 'changes' | 'labels'; path: string },
): Promise<{ path: string; rows: number }> {
  library.taxonomies.nameOf(taxonomyId);
  const { header, rows } = tables[what](library, taxonomyId);
  await writeNew(path, writeCsv(header, rows));
  return { path, rows: rows.length };
}

interface Table {
  header: string[];
  rows: (string | number | null)[][];
}

/** How several labels stand in one cell. */
const BETWEEN = ';';

const tables: Record<'changes' | 'labels', (library: Library, taxonomyId: string) => Table> = {
  changes: (library, taxonomyId) => ({
    header: ['path', 'before', 'after', 'decision', 'decided_at'],
    rows: [
      ...mapped(library.mistakes.decisions(taxonomyId).filter(changes), (decision) => [
        decision.path,
        decision.before.join(BETWEEN),
        decision.after.join(BETWEEN),
        decision.decision,
        decision.decidedAt,
      ]),
    ].map((row) => [...row]),
  }),
  labels: (library, taxonomyId) => {
    const labels = library.labels.of(taxonomyId);
    return {
      header: ['path', 'labels'],
      rows: library.tracks.tagged().flatMap(({ id, path }) => {
        const own = labels.get(id);
        return own ? [[path, own.join(BETWEEN)]] : [];
      }),
    };
  },
};
