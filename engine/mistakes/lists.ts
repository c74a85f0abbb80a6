import {
  type Mistake,
  type MistakesReport,
  type MistakeTab,
  mistakeTabs,
  type queueOrders,
} from '../api/mistakes.ts';
import type { Library } from '../library/library.ts';
import type { Question, StoredDecision, StoredMistake, StoredReport } from '../library/mistakes.ts';
import { reportId } from './gather.ts';

/** What each list asks: the same label may be in two of them. */
const topics: Record<MistakeTab, string> = {
  'likely-wrong': 'given',
  unsure: 'given',
  'label-missing': 'missing',
  'near-duplicates': 'copies',
  outliers: 'outlier',
  damaged: 'damaged',
  'left-out': 'given',
};

export function questionOf({ tab, trackId, given, suggested }: StoredMistake): Question {
  const topic = given === null && tab === 'unsure' ? topics['label-missing'] : topics[tab];
  return { trackId, topic, label: given ?? suggested ?? '' };
}

/** The newest report of a taxonomy in the space the library is seen in. */
export function currentReport(library: Library, taxonomyId: string): StoredReport | null {
  return library.mistakes.report(taxonomyId, library.space().key);
}

/** The report with what is left of it. */
export function describeReport(library: Library, taxonomyId: string): MistakesReport | null {
  // An unknown taxonomy is an error, one without a report is not.
  library.taxonomies.nameOf(taxonomyId);
  const report = currentReport(library, taxonomyId);
  if (!report) return null;
  const { mistakes, ...facts } = report;
  const open = new Set(openMistakes(library, report));
  const counts = Object.fromEntries(
    mistakeTabs.map((tab) => {
      const all = mistakes.filter((mistake) => mistake.tab === tab);
      return [tab, { total: all.length, left: all.filter((mistake) => open.has(mistake)).length }];
    }),
  ) as MistakesReport['counts'];
  return {
    ...facts,
    space: library.space(),
    counts,
    decisions: library.mistakes.countDecisions(taxonomyId),
    stale: isStale(library, report),
  };
}

/** One page of what is left to decide. */
export function listMistakes(
  library: Library,
  request: {
    taxonomyId: string;
    tab: MistakeTab;
    order: (typeof queueOrders)[number];
    offset: number;
    limit: number;
  },
): { total: number; mistakes: Mistake[] } {
  const { taxonomyId, tab, order, offset, limit } = request;
  library.taxonomies.nameOf(taxonomyId);
  const report = currentReport(library, taxonomyId);
  if (!report) return { total: 0, mistakes: [] };
  const open = openMistakes(library, report).filter((mistake) => mistake.tab === tab);
  if (tab === 'unsure') {
    const place = ({ places }: StoredMistake): number => places?.[order] ?? Infinity;
    open.sort((a, b) => (place(a) === place(b) ? 0 : place(a) - place(b)));
  }
  const page = open.slice(offset, offset + limit);
  const ids = [...new Set(page.flatMap(({ trackId, others }) => [trackId, ...others]))];
  const rows = new Map(library.tracks.rows(ids, taxonomyId, null).map((row) => [row.id, row]));
  const mistakes = page.flatMap((mistake): Mistake[] => {
    const { trackId, others, places, ...facts } = mistake;
    const track = rows.get(trackId);
    if (!track) return [];
    const queued = places?.[order] !== undefined;
    return [{ ...facts, track, queued, others: others.flatMap((id) => rows.get(id) ?? []) }];
  });
  return { total: open.length, mistakes };
}

/** What nobody has decided yet, in the order of the report. */
function openMistakes(library: Library, report: StoredReport): StoredMistake[] {
  const decided = new Map<string, StoredDecision[]>();
  for (const decision of library.mistakes.decisions(report.taxonomyId)) {
    const key = keyOf(decision);
    decided.set(key, [...(decided.get(key) ?? []), decision]);
  }
  const labels = library.labels.of(report.taxonomyId);
  return report.mistakes.filter((mistake) => {
    const own = labels.get(mistake.trackId) ?? [];
    const asked = questionOf(mistake);
    // The label is gone, or there already: somebody saw to it elsewhere.
    if (mistake.given !== null && !own.includes(mistake.given)) return false;
    if (asked.topic === 'missing' && mistake.suggested !== null && own.includes(mistake.suggested))
      return false;
    if (asked.topic === 'missing' && report.task === 'single' && own.length > 0) return false;
    const decisions = decided.get(keyOf(asked)) ?? [];
    return !decisions.some(({ decision, report: asker }) => decision === 'keep' || asker === report.id);
  });
}

const keyOf = ({ trackId, topic, label }: Question): string => JSON.stringify([trackId, topic, label]);

function isStale(library: Library, report: StoredReport): boolean {
  return reportId(library, library.embeddings.vectors(), report) !== report.id;
}
