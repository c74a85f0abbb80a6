import type { Corpus, FullScore, SplitName, Study, StudyFailure, StudyRequest } from '../../api/domain.ts';
import { EngineError } from '../../api/errors.ts';
import type { OpenLibrary } from '../../context.ts';

/** A study with what only the engine needs to know about it. */
export interface StoredStudy extends Study {
  packId: string;
  packSha256: string;
  /** Tells whether the corpus is still the one the study began with. */
  fingerprint: string;
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
  pack_id: string;
  pack_sha256: string;
  created_at: string;
  seconds: number;
  finished: number;
}

const COLUMNS = `id, name, request, corpus, fingerprint, splits, full_scores, failures, planned, state, job_id, pack_id,
  pack_sha256, created_at, seconds`;
/** A reduction is finished when every split is in it. */
const FINISHED = `(SELECT count(*) FROM reductions r WHERE r.study_id = studies.id AND r.removed_at IS NULL
  AND json_array_length(r.sizes) >= json_array_length(studies.splits)) AS finished`;

/** Stores a study that has not begun. */
export function insertStudy(
  library: OpenLibrary,
  study: Omit<StoredStudy, 'finished' | 'jobId'>,
  parts: ReadonlyMap<string, SplitName>,
): void {
  const { db } = library;
  db.transaction(() => {
    db.prepare(
      `INSERT INTO studies (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, ?, ?, ?, ?)`,
    ).run([
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
      study.packId,
      study.packSha256,
      study.createdAt,
      study.seconds,
    ]);
    const insert = db.prepare('INSERT INTO study_tracks (study_id, track_id, split) VALUES (?, ?, ?)');
    for (const [trackId, split] of parts) insert.run([study.id, trackId, split]);
  })();
}

/** Newest first, without what was removed. @param isActive whether a job is under way */
export function listStudies(library: OpenLibrary, isActive: (jobId: string) => boolean): Study[] {
  return library.db
    .prepare<StudyRow>(
      `SELECT ${COLUMNS}, ${FINISHED} FROM studies WHERE removed_at IS NULL ORDER BY created_at DESC, rowid DESC`,
    )
    .all()
    .map((row) => {
      const study: Study = fromRow(row);
      // The process may have ended before it could say so.
      const abandoned = study.state === 'running' && (study.jobId === null || !isActive(study.jobId));
      return abandoned ? { ...study, state: 'stopped' as const } : study;
    });
}

/** @throws EngineError `not-found` */
export function getStudy(library: OpenLibrary, studyId: string): StoredStudy {
  const row = library.db
    .prepare<StudyRow>(`SELECT ${COLUMNS}, ${FINISHED} FROM studies WHERE id = ? AND removed_at IS NULL`)
    .get([studyId]);
  if (!row) throw new EngineError('not-found', `There is no study ${studyId} in this library.`);
  return fromRow(row);
}

export function setStudyJob(library: OpenLibrary, studyId: string, jobId: string): void {
  library.db.prepare(`UPDATE studies SET job_id = ?, state = 'running' WHERE id = ?`).run([jobId, studyId]);
}

export function setFullScores(library: OpenLibrary, studyId: string, full: readonly FullScore[]): void {
  library.db.prepare('UPDATE studies SET full_scores = ? WHERE id = ?').run([JSON.stringify(full), studyId]);
}

export function setFailures(library: OpenLibrary, studyId: string, failures: readonly StudyFailure[]): void {
  library.db.prepare('UPDATE studies SET failures = ? WHERE id = ?').run([JSON.stringify(failures), studyId]);
}

/** Says how a study's job ended, and adds the time it took. */
export function endStudy(
  library: OpenLibrary,
  studyId: string,
  state: 'done' | 'stopped',
  seconds: number,
): void {
  library.db
    .prepare('UPDATE studies SET state = ?, seconds = seconds + ? WHERE id = ?')
    .run([state, seconds, studyId]);
}

/** Marks a study with its reductions as removed. @throws EngineError `not-found` */
export function removeStudy(library: OpenLibrary, studyId: string): void {
  getStudy(library, studyId);
  mark(library, studyId, new Date().toISOString());
}

/** @throws EngineError `not-found` */
export function restoreStudy(library: OpenLibrary, studyId: string): void {
  mark(library, studyId, null);
  getStudy(library, studyId);
}

function mark(library: OpenLibrary, studyId: string, removedAt: string | null): void {
  library.db.prepare('UPDATE studies SET removed_at = ? WHERE id = ?').run([removedAt, studyId]);
}

/** The columns hold what {@link insertStudy} wrote. */
function fromRow(row: StudyRow): StoredStudy {
  return {
    id: row.id,
    name: row.name,
    state: row.state,
    jobId: row.job_id,
    request: JSON.parse(row.request) as StudyRequest,
    corpus: JSON.parse(row.corpus) as Corpus,
    splits: JSON.parse(row.splits) as Study['splits'],
    full: JSON.parse(row.full_scores) as FullScore[],
    failures: JSON.parse(row.failures) as StudyFailure[],
    planned: row.planned,
    finished: row.finished,
    createdAt: row.created_at,
    seconds: row.seconds,
    packId: row.pack_id,
    packSha256: row.pack_sha256,
    fingerprint: row.fingerprint,
  };
}
