import type { Corpus } from '../api/corpora.ts';
import type { SplitName } from '../api/experiments.ts';
import type { SpaceInfo } from '../api/spaces.ts';
import type { FullScore, Study, StudyFailure, StudyRequest } from '../api/studies.ts';
import { EngineError } from '../api/errors.ts';
import type { Database } from '../storage/database.ts';
import type { Announce } from './changes.ts';
import type { SpaceRepository } from './spaces.ts';

/** A study with what only the engine needs to know about it. */
export interface StoredStudy extends Study {
  /** Of the corpus; null for a data set file. */
  space: SpaceInfo | null;
  /** Tells whether the corpus is still the one the study began with. */
  fingerprint: string;
}

/** What a data set file was when its study began: with it a reduced set can take the file's place. */
export interface DatasetOrigin {
  relation: string;
  features: string[];
  sha256: string;
}

interface StudyRow {
  id: string;
  name: string;
  request: string;
  corpus: string;
  fingerprint: string;
  splits: string;
  full_scores: string;
  failures: string;
  planned: number;
  state: Study['state'];
  job_id: string | null;
  space: string | null;
  created_at: string;
  seconds: number;
  finished: number;
}

const COLUMNS = `id, name, request, corpus, fingerprint, splits, full_scores, failures, planned, state, job_id, space,
  created_at, seconds`;
/** A reduction is finished when every split is in it. */
const FINISHED = `(SELECT count(*) FROM reductions r WHERE r.study_id = studies.id AND r.removed_at IS NULL
  AND json_array_length(r.sizes) >= json_array_length(studies.splits)) AS finished`;

/** The studies of a library. Removing one can be undone until the library is opened again. */
export class StudyRepository {
  readonly #db: Database;
  readonly #spaces: SpaceRepository;
  readonly #announce: Announce;

  constructor(db: Database, spaces: SpaceRepository, announce: Announce) {
    this.#db = db;
    this.#spaces = spaces;
    this.#announce = announce;
  }

  /** Stores a study that has not begun. */
  insert(
    study: Omit<StoredStudy, 'finished' | 'jobId'>,
    parts: ReadonlyMap<string, SplitName>,
    dataset: DatasetOrigin | null,
  ): void {
    this.#db.transaction(() => {
      this.#db
        .prepare(
          `INSERT INTO studies (${COLUMNS}, dataset) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, ?, ?, ?, ?)`,
        )
        .run([
          study.id,
          study.name,
          JSON.stringify(study.request),
          JSON.stringify(study.corpus),
          study.fingerprint,
          JSON.stringify(study.splits),
          JSON.stringify(study.full),
          JSON.stringify(study.failures),
          study.planned,
          study.state,
          study.space?.key ?? null,
          study.createdAt,
          study.seconds,
          dataset === null ? null : JSON.stringify(dataset),
        ]);
      const insert = this.#db.prepare(
        'INSERT INTO study_tracks (study_id, track_id, split) VALUES (?, ?, ?)',
      );
      for (const [trackId, split] of parts) insert.run([study.id, trackId, split]);
    })();
    this.#announce('reductions');
  }

  /** Newest first, without what was removed. @param isActive whether a job is under way */
  list(isActive: (jobId: string) => boolean): Study[] {
    return this.#db
      .prepare<StudyRow>(
        `SELECT ${COLUMNS}, ${FINISHED} FROM studies WHERE removed_at IS NULL ORDER BY created_at DESC, rowid DESC`,
      )
      .all()
      .map((row) => {
        const study: Study = this.#fromRow(row);
        // The process may have ended before it could say so.
        const abandoned = study.state === 'running' && (study.jobId === null || !isActive(study.jobId));
        return abandoned ? { ...study, state: 'stopped' as const } : study;
      });
  }

  /** @throws EngineError `not-found` */
  get(studyId: string): StoredStudy {
    const row = this.#db
      .prepare<StudyRow>(`SELECT ${COLUMNS}, ${FINISHED} FROM studies WHERE id = ? AND removed_at IS NULL`)
      .get([studyId]);
    if (!row) throw new EngineError('not-found', `There is no study ${studyId} in this library.`);
    return this.#fromRow(row);
  }

  /** Of a study of a data set file; null for a library, and where an earlier version did not keep it. */
  datasetOf(studyId: string): DatasetOrigin | null {
    const row = this.#db
      .prepare<{ dataset: string | null }>('SELECT dataset FROM studies WHERE id = ?')
      .get([studyId]);
    // Written by `insert`.
    return row?.dataset == null ? null : (JSON.parse(row.dataset) as DatasetOrigin);
  }

  /** Part of the (first) split of every track that took part. */
  splitsOf(studyId: string): Map<string, SplitName> {
    const rows = this.#db
      .prepare<{ track_id: string; split: SplitName }>(
        'SELECT track_id, split FROM study_tracks WHERE study_id = ?',
      )
      .all([studyId]);
    return new Map(rows.map((row) => [row.track_id, row.split]));
  }

  setJob(studyId: string, jobId: string): void {
    this.#db.prepare(`UPDATE studies SET job_id = ?, state = 'running' WHERE id = ?`).run([jobId, studyId]);
    this.#announce('reductions');
  }

  setFullScores(studyId: string, full: readonly FullScore[]): void {
    this.#db.prepare('UPDATE studies SET full_scores = ? WHERE id = ?').run([JSON.stringify(full), studyId]);
  }

  setFailures(studyId: string, failures: readonly StudyFailure[]): void {
    this.#db.prepare('UPDATE studies SET failures = ? WHERE id = ?').run([JSON.stringify(failures), studyId]);
  }

  /** Says how a study's job ended, and adds the time it took. */
  end(studyId: string, state: 'done' | 'stopped', seconds: number): void {
    this.#db
      .prepare('UPDATE studies SET state = ?, seconds = seconds + ? WHERE id = ?')
      .run([state, seconds, studyId]);
    this.#announce('reductions');
  }

  /** Marks a study with its reductions as removed. @throws EngineError `not-found` */
  remove(studyId: string): void {
    this.get(studyId);
    this.#mark(studyId, new Date().toISOString());
    this.#announce('reductions');
  }

  /** @throws EngineError `not-found` */
  restore(studyId: string): void {
    this.#mark(studyId, null);
    this.get(studyId);
    this.#announce('reductions');
  }

  #mark(studyId: string, removedAt: string | null): void {
    this.#db.prepare('UPDATE studies SET removed_at = ? WHERE id = ?').run([removedAt, studyId]);
  }

  /** The columns hold what {@link insert} wrote. */
  #fromRow(row: StudyRow): StoredStudy {
    return {
      id: row.id,
      name: row.name,
      state: row.state,
      jobId: row.job_id,
      request: JSON.parse(row.request) as StudyRequest,
      corpus: JSON.parse(row.corpus) as Corpus | null,
      splits: JSON.parse(row.splits) as Study['splits'],
      full: JSON.parse(row.full_scores) as FullScore[],
      failures: JSON.parse(row.failures) as StudyFailure[],
      planned: row.planned,
      finished: row.finished,
      createdAt: row.created_at,
      seconds: row.seconds,
      space: row.space === null ? null : this.#spaces.get(row.space),
      fingerprint: row.fingerprint,
    };
  }
}
