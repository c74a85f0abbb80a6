import type { SplitName } from '../api/domain.ts';
import type { Database } from '../storage/database.ts';

/** What the network says about a track. */
export interface TrackPrediction {
  trackId: string;
  /** Index of the class of the largest logit. */
  top: number;
  /** `[C]`, of the mean logits over the track's windows. */
  probabilities: Float32Array;
}

/** What the experiments of a library say of its tracks. */
export class PredictionRepository {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Replaces the stored predictions of an experiment, in one transaction of the cache database. */
  replace(
    experiment: { id: string; revision: number; classes: readonly string[] },
    predictions: Iterable<TrackPrediction>,
    splits: ReadonlyMap<string, SplitName>,
  ): void {
    this.#db.transaction(() => {
      this.#db.prepare('DELETE FROM cache.predictions WHERE experiment_id = ?').run([experiment.id]);
      const insert = this.#db.prepare(
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
  list(experimentId: string): { trackId: string; class: string; probability: number }[] {
    const rows = this.#db
      .prepare<{ track_id: string; class: string; probability: number }>(
        `SELECT track_id, class, probability FROM cache.predictions WHERE experiment_id = ?
         ORDER BY class, probability DESC, track_id`,
      )
      .all([experimentId]);
    return rows.map((row) => ({ trackId: row.track_id, class: row.class, probability: row.probability }));
  }
}
