import type { Experiment, LabelThreshold, SplitName } from '../api/experiments.ts';
import type { Database } from '../storage/database.ts';
import type { Announce } from './changes.ts';
import type { PredictedLabel, PredictionTruth } from './track-row.ts';

/** What the network says about a track. */
export interface TrackPrediction {
  trackId: string;
  /** Index of the class of the largest logit. */
  top: number;
  /** `[C]`, of the mean logits over the track's windows. */
  probabilities: Float32Array;
}

/** Labels at or above their thresholds, as indices, the most probable first. */
export function predictedLabels(
  probabilities: Float32Array,
  thresholds: readonly LabelThreshold[],
): number[] {
  return thresholds
    .flatMap(({ value }, c) => ((probabilities[c] ?? 0) >= value ? [c] : []))
    .sort((a, b) => (probabilities[b] ?? 0) - (probabilities[a] ?? 0));
}

/** Index of the most probable class but one; null where there is but one. */
function secondOf(probabilities: Float32Array, top: number): number | null {
  let second: number | null = null;
  probabilities.forEach((probability, c) => {
    if (c !== top && (second === null || probability > (probabilities[second] ?? 0))) second = c;
  });
  return second;
}

/** What the experiments of a library say of its tracks. */
export class PredictionRepository {
  readonly #db: Database;
  readonly #announce: Announce;

  constructor(db: Database, announce: Announce) {
    this.#db = db;
    this.#announce = announce;
  }

  /** Replaces the stored predictions of an experiment, in one transaction of the cache database. */
  replace(
    { id, revision, classes, thresholds }: Pick<Experiment, 'id' | 'revision' | 'classes' | 'thresholds'>,
    predictions: Iterable<TrackPrediction>,
    splits: ReadonlyMap<string, SplitName>,
  ): void {
    this.#db.transaction(() => {
      this.#forget(id);
      const insert = this.#db.prepare(
        `INSERT INTO cache.predictions (experiment_id, track_id, class, probability, split, revision,
           second_class, second_probability, label_count) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      );
      const insertLabel = this.#db.prepare(
        `INSERT INTO cache.predicted_labels (experiment_id, track_id, label, probability) VALUES (?, ?, ?, ?)`,
      );
      for (const { trackId, top, probabilities } of predictions) {
        const second = secondOf(probabilities, top);
        const labels = thresholds === null ? null : predictedLabels(probabilities, thresholds);
        insert.run([
          ...[id, trackId, classes[top] ?? '', probabilities[top] ?? 0],
          ...[splits.get(trackId) ?? null, revision],
          ...(second === null ? [null, null] : [classes[second] ?? '', probabilities[second] ?? 0]),
          labels?.length ?? null,
        ]);
        for (const label of labels ?? [])
          insertLabel.run([id, trackId, classes[label] ?? '', probabilities[label] ?? 0]);
      }
    })();
    this.#announce('predictions');
  }

  /** Labels that an experiment predicts for some tracks, the most probable first. */
  labelsOf(experimentId: string, trackIds: readonly string[]): Map<string, PredictedLabel[]> {
    const rows = this.#db
      .prepare<PredictedLabel & { track_id: string }>(
        `SELECT track_id, label, probability FROM cache.predicted_labels
          WHERE experiment_id = ? AND track_id IN (SELECT value FROM json_each(?)) ORDER BY probability DESC, label`,
      )
      .all([experimentId, JSON.stringify(trackIds)]);
    const labels = new Map<string, PredictedLabel[]>();
    for (const { track_id: id, ...label } of rows) labels.set(id, [...(labels.get(id) ?? []), label]);
    return labels;
  }

  /** Tracks predicted as each class (as each of several labels), by descending probability and then id. */
  list({
    id,
    thresholds,
  }: Pick<Experiment, 'id' | 'thresholds'>): { trackId: string; class: string; probability: number }[] {
    const [table, name] = thresholds === null ? ['predictions', 'class'] : ['predicted_labels', 'label'];
    return this.#db
      .prepare<{ trackId: string; class: string; probability: number }>(
        `SELECT track_id AS trackId, ${name} AS class, probability FROM cache.${table} WHERE experiment_id = ?
         ORDER BY ${name}, probability DESC, track_id`,
      )
      .all([id]);
  }

  /** How many tracks each class is predicted for, or comes second for; the most frequent first, and those of none last. */
  counts(
    { experimentId, multilabel, classes }: PredictionTruth,
    of: 'predicted' | 'second',
  ): { value: string; tracks: number }[] {
    const several = of === 'predicted' && multilabel;
    const [table, name] = several
      ? ['predicted_labels', 'label']
      : ['predictions', of === 'second' ? 'second_class' : 'class'];
    const rows = this.#db
      .prepare<{ value: string; tracks: number }>(
        `SELECT ${name} AS value, count(*) AS tracks FROM cache.${table} WHERE experiment_id = ? GROUP BY ${name}`,
      )
      .all([experimentId]);
    const known = new Map(rows.map(({ value, tracks }) => [value, tracks]));
    return classes
      .map((value) => ({ value, tracks: known.get(value) ?? 0 }))
      .sort((a, b) => b.tracks - a.tracks);
  }

  /** Forgets what an experiment says. */
  #forget(experimentId: string): void {
    this.#db.prepare('DELETE FROM cache.predictions WHERE experiment_id = ?').run([experimentId]);
    this.#db.prepare('DELETE FROM cache.predicted_labels WHERE experiment_id = ?').run([experimentId]);
  }
}
