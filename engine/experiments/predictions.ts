import type { SplitName } from '../api/domain.ts';
import type { Library } from '../library/library.ts';
import type { TrackPrediction } from './metrics.ts';

/** Replaces the stored predictions of an experiment, in one transaction of the cache database. */
export function storePredictions(
  library: Library,
  experiment: { id: string; revision: number; classes: readonly string[] },
  predictions: Iterable<TrackPrediction>,
  splits: ReadonlyMap<string, SplitName>,
): void {
  const { db } = library;
  db.transaction(() => {
    db.prepare('DELETE FROM cache.predictions WHERE experiment_id = ?').run([experiment.id]);
    const insert = db.prepare(
      `INSERT INTO cache.predictions (experiment_id, track_id, class, probability, split, revision)
       VALUES (?, ?, ?, ?, ?, ?)`,
    );
    for (const { trackId, top, probabilities } of predictions) {
      insert.run([
        experiment.id,
        trackId,
        experiment.classes[top] ?? '',
        probabilities[top] ?? 0,
        splits.get(trackId) ?? null,
        experiment.revision,
      ]);
    }
  })();
}

/** Tracks predicted as each class, by descending probability and then id. */
export function predictedTracks(
  library: Library,
  experimentId: string,
): { trackId: string; class: string; probability: number }[] {
  const rows = library.db
    .prepare<{ track_id: string; class: string; probability: number }>(
      `SELECT track_id, class, probability FROM cache.predictions WHERE experiment_id = ?
       ORDER BY class, probability DESC, track_id`,
    )
    .all([experimentId]);
  return rows.map((row) => ({ trackId: row.track_id, class: row.class, probability: row.probability }));
}
