import type { Mistake, MistakeDecision, MistakesReport, MistakeTab } from '../api/mistakes.ts';
import { toBlob, type Database } from '../storage/database.ts';
import type { Announce } from './changes.ts';
import { Kept } from './kept.ts';
import { Verdicts } from './verdicts.ts';

/** A mistake as a report keeps it; tracks by id. */
export type StoredMistake = Omit<Mistake, 'track' | 'others' | 'queued'> & {
  trackId: string;
  others: string[];
  /** Place in each order of the unsure ones. */
  places?: Record<string, number>;
};

/** What a run found. */
export type StoredReport = Omit<
  MistakesReport,
  'counts' | 'decisions' | 'stale' | 'space' | 'previousAccuracy'
> & {
  /** Key of the space. */
  space: string;
  previousAccuracy: number | null;
  mistakes: StoredMistake[];
};

/** Runs that did not end whose folds are kept. */
const UNFINISHED = 4;

/** What is asked of a track: two lists may ask the same. */
export interface Question {
  trackId: string;
  topic: string;
  label: string;
}

/** A decision as it is stored. */
export interface StoredDecision extends MistakeDecision, Question {
  report: string;
}

interface DecisionRow {
  id: number;
  track_id: string;
  path: string;
  tab: MistakeTab;
  topic: string;
  label: string;
  given: string | null;
  suggested: string | null;
  decision: MistakeDecision['decision'];
  before: string;
  after: string;
  report: string;
  decided_at: string;
}

/** Reports of labels that are probably wrong, which can be made again, and what a person decided, which cannot. */
export class MistakeRepository {
  readonly verdicts = new Verdicts();
  readonly #db: Database;
  readonly #announce: Announce;
  /** The newest report of a taxonomy: lists are read from it page by page. */
  readonly #reports: Kept<string, StoredReport | null>;

  constructor(db: Database, announce: Announce) {
    this.#db = db;
    this.#announce = announce;
    this.#reports = new Kept(db, ['mistakes'], 2);
  }

  /** The newest report of a taxonomy in a space. */
  report(taxonomyId: string, space: string): StoredReport | null {
    return this.#reports.get(`${taxonomyId} ${space}`, () => {
      const row = this.#db
        .prepare<{ report: string; items: string }>(
          'SELECT report, items FROM cache.mistakes WHERE taxonomy_id = ? AND space = ?',
        )
        .get([taxonomyId, space]);
      if (!row) return null;
      // Written by `put`.
      const report = JSON.parse(row.report) as Omit<StoredReport, 'mistakes' | 'askedFolds' | 'history'> & {
        /** Reports of earlier versions do not have these. */
        askedFolds?: number;
        history?: StoredReport['history'];
      };
      return {
        ...report,
        askedFolds: report.askedFolds ?? report.folds,
        history: report.history ?? [],
        mistakes: JSON.parse(row.items) as StoredMistake[],
      };
    });
  }

  /**
   * Takes the place of the report before; the folds it was made of are forgotten, those of other runs are not.
   * @param folds name of these folds; null where nothing could be judged
   */
  put({ mistakes, ...report }: StoredReport, folds: string | null): void {
    const { id, taxonomyId, space, createdAt } = report;
    this.#db.transaction(() => {
      this.#db
        .prepare('DELETE FROM cache.mistakes WHERE taxonomy_id = ? AND space = ?')
        .run([taxonomyId, space]);
      this.#db
        .prepare(
          `INSERT OR REPLACE INTO cache.mistakes (id, taxonomy_id, space, report, items, created_at)
             VALUES (?, ?, ?, ?, ?, ?)`,
        )
        .run([id, taxonomyId, space, JSON.stringify(report), JSON.stringify(mistakes), createdAt]);
      this.#db.prepare('DELETE FROM cache.mistake_folds WHERE id = ?').run([folds]);
      // What was given up and never taken up again: labels change, and its name with them.
      this.#db
        .prepare(
          `DELETE FROM cache.mistake_folds WHERE id NOT IN (
             SELECT id FROM cache.mistake_folds GROUP BY id ORDER BY max(rowid) DESC LIMIT ?)`,
        )
        .run([UNFINISHED]);
    })();
    this.#announce('mistakes');
  }

  /** Tracks that are copies of one recording, as the newest run in a space found them. */
  copies(space: string): string[][] {
    const row = this.#db
      .prepare<{ items: string }>(
        'SELECT items FROM cache.mistakes WHERE space = ? ORDER BY created_at DESC, id LIMIT 1',
      )
      .get([space]);
    const items = row ? (JSON.parse(row.items) as StoredMistake[]) : [];
    return items.flatMap(({ tab, trackId, others }) =>
      tab === 'near-duplicates' ? [[trackId, ...others]] : [],
    );
  }

  /** What an earlier run found of a fold. @param id name of its folds */
  fold(id: string, fold: number): Float32Array | null {
    const row = this.#db
      .prepare<{ rows: ArrayBuffer }>('SELECT rows FROM cache.mistake_folds WHERE id = ? AND fold = ?')
      .get([id, fold]);
    return row ? new Float32Array(row.rows) : null;
  }

  putFold(id: string, fold: number, rows: Float32Array): void {
    this.#db
      .prepare('INSERT OR REPLACE INTO cache.mistake_folds (id, fold, rows) VALUES (?, ?, ?)')
      .run([id, fold, toBlob(rows)]);
  }

  /** Oldest first. */
  decisions(taxonomyId: string): StoredDecision[] {
    return this.#db
      .prepare<DecisionRow>(
        `SELECT d.*, t.path FROM mistake_decisions d JOIN tracks t ON t.id = d.track_id
          WHERE d.taxonomy_id = ? ORDER BY d.id`,
      )
      .all([taxonomyId])
      .map(decisionOf);
  }

  countDecisions(taxonomyId: string): number {
    return (
      this.#db
        .prepare<{ n: number }>('SELECT COUNT(*) AS n FROM mistake_decisions WHERE taxonomy_id = ?')
        .get([taxonomyId])?.n ?? 0
    );
  }

  decide(taxonomyId: string, decision: Omit<StoredDecision, 'id' | 'path'>): StoredDecision {
    const { trackId, tab, topic, label, given, suggested, before, after, report, decidedAt } = decision;
    this.#db
      .prepare(
        `INSERT INTO mistake_decisions (taxonomy_id, track_id, tab, topic, label, given, suggested, decision, before,
           after, report, decided_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run([
        ...[taxonomyId, trackId, tab, topic, label, given, suggested, decision.decision],
        ...[JSON.stringify(before), JSON.stringify(after), report, decidedAt],
      ]);
    this.#announce('mistakes');
    return this.newest(taxonomyId) ?? { ...decision, id: 0, path: '' };
  }

  newest(taxonomyId: string): StoredDecision | null {
    const row = this.#db
      .prepare<DecisionRow>(
        `SELECT d.*, t.path FROM mistake_decisions d JOIN tracks t ON t.id = d.track_id
          WHERE d.taxonomy_id = ? ORDER BY d.id DESC LIMIT 1`,
      )
      .get([taxonomyId]);
    return row ? decisionOf(row) : null;
  }

  forget(decisionId: number): void {
    this.#db.prepare('DELETE FROM mistake_decisions WHERE id = ?').run([decisionId]);
    this.#announce('mistakes');
  }

  /** Files that hold no sound, or that could not be read as they should. */
  damaged(): { trackId: string; note: string | null; failed: boolean; silent: boolean }[] {
    return this.#db
      .prepare<{ id: string; note: string | null; failed: number; silent: number }>(
        `SELECT * FROM (
           SELECT t.id, t.path, t.note, t.problem IS NOT NULL OR EXISTS (
               SELECT 1 FROM embedding_failures f, library l
                WHERE f.space = l.space AND f.track_id = t.id AND f.content_hash = t.content_hash) AS failed,
             coalesce(p.peaks = zeroblob(length(p.peaks)), 0) AS silent
           FROM tracks t LEFT JOIN cache.peaks p ON p.track_id = t.id
           WHERE t.kind = 'file' AND t.file_state <> 'missing')
         WHERE note IS NOT NULL OR failed OR silent ORDER BY path`,
      )
      .all()
      .map(({ id, note, failed, silent }) => ({
        trackId: id,
        note,
        failed: failed === 1,
        silent: silent === 1,
      }));
  }

  /** Length of every file, where known. */
  durations(): Map<string, number> {
    return new Map(
      this.#db
        .prepare<{ id: string; seconds: number }>(
          'SELECT id, duration_seconds AS seconds FROM tracks WHERE duration_seconds IS NOT NULL',
        )
        .all()
        .map(({ id, seconds }) => [id, seconds]),
    );
  }
}

function decisionOf(row: DecisionRow): StoredDecision {
  // Labels were written by `decide`.
  return {
    id: row.id,
    trackId: row.track_id,
    path: row.path,
    tab: row.tab,
    topic: row.topic,
    label: row.label,
    given: row.given,
    suggested: row.suggested,
    decision: row.decision,
    before: JSON.parse(row.before) as string[],
    after: JSON.parse(row.after) as string[],
    report: row.report,
    decidedAt: row.decided_at,
  };
}
