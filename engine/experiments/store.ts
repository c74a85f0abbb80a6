import type { Experiment, Metrics, SplitName } from '../api/domain.ts';
import { EngineError } from '../api/errors.ts';
import type { Library } from '../library/library.ts';
import { PrototypeNetwork } from '../../models/pecmae/network.ts';
import type { SplitTrack } from './metrics.ts';

/** Everything about an experiment but its newest revision. */
export type NewExperiment = Omit<Experiment, 'metrics' | 'revision'>;

interface ExperimentRow {
  id: string;
  name: string;
  taxonomy_id: string;
  taxonomy_name: string;
  space: string;
  parameters: string;
  classes: string;
  dropped_classes: string;
  counts: string;
  curve: string;
  revision: number;
  created_at: string;
  seconds: number;
  metrics: string;
}

const SELECT = `SELECT e.*, r.metrics AS metrics FROM experiments e
  JOIN experiment_revisions r ON r.experiment_id = e.id AND r.revision = e.revision`;

/** Stores a trained network as revision 1 of a new experiment, in one transaction. */
export function insertExperiment(
  library: Library,
  experiment: NewExperiment,
  tracks: readonly SplitTrack[],
  metrics: readonly Metrics[],
  network: PrototypeNetwork,
): void {
  const { db } = library;
  db.transaction(() => {
    db.prepare(
      `INSERT INTO experiments (id, name, taxonomy_id, taxonomy_name, space, parameters, classes,
         dropped_classes, counts, curve, revision, created_at, seconds)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?)`,
    ).run([
      experiment.id,
      experiment.name,
      experiment.taxonomyId,
      experiment.taxonomyName,
      experiment.space.key,
      JSON.stringify(experiment.parameters),
      JSON.stringify(experiment.classes),
      JSON.stringify(experiment.droppedClasses),
      JSON.stringify(experiment.counts),
      JSON.stringify(experiment.curve),
      experiment.createdAt,
      experiment.seconds,
    ]);
    const track = db.prepare(
      'INSERT INTO experiment_tracks (experiment_id, track_id, split, labels) VALUES (?, ?, ?, ?)',
    );
    for (const { id, split, labels } of tracks) track.run([experiment.id, id, split, JSON.stringify(labels)]);
    insertRevision(library, experiment.id, 1, 'trained', metrics, network, experiment.createdAt);
  })();
}

function insertRevision(
  library: Library,
  experimentId: string,
  revision: number,
  change: string,
  metrics: readonly Metrics[],
  network: PrototypeNetwork,
  createdAt: string,
): void {
  library.db
    .prepare(
      `INSERT INTO experiment_revisions (experiment_id, revision, change, metrics, network, created_at)
       VALUES (?, ?, ?, ?, ?, ?)`,
    )
    .run([experimentId, revision, change, JSON.stringify(metrics), network.toBytes(), createdAt]);
}

/** Adds a revision and makes it the newest; earlier ones stay, which is what undo goes back to. */
export function addRevision(
  library: Library,
  experimentId: string,
  change: string,
  metrics: readonly Metrics[],
  network: PrototypeNetwork,
): void {
  const { db } = library;
  db.transaction(() => {
    const last = db
      .prepare<{ last: number | null }>(
        'SELECT max(revision) AS last FROM experiment_revisions WHERE experiment_id = ?',
      )
      .get([experimentId]);
    const revision = (last?.last ?? 0) + 1;
    insertRevision(library, experimentId, revision, change, metrics, network, new Date().toISOString());
    db.prepare('UPDATE experiments SET revision = ? WHERE id = ?').run([revision, experimentId]);
  })();
}

/** Newest first, by when they were made here: a clock may be wrong. */
export function listExperiments(library: Library): Experiment[] {
  const rows = library.db.prepare<ExperimentRow>(`${SELECT} ORDER BY e.rowid DESC`).all();
  return rows.map((row) => fromRow(library, row));
}

/** @throws EngineError `not-found` */
export function getExperiment(library: Library, experimentId: string): Experiment {
  const row = library.db.prepare<ExperimentRow>(`${SELECT} WHERE e.id = ?`).get([experimentId]);
  if (!row)
    throw new EngineError(
      'not-found',
      `There is no experiment ${experimentId} in this library.`,
      'Train one, or list the experiments of the library.',
    );
  return fromRow(library, row);
}

/** Removes an experiment with its revisions and predictions. */
export function removeExperiment(library: Library, experimentId: string): void {
  getExperiment(library, experimentId);
  const { db } = library;
  db.transaction(() => {
    db.prepare('DELETE FROM experiments WHERE id = ?').run([experimentId]);
    db.prepare('DELETE FROM cache.predictions WHERE experiment_id = ?').run([experimentId]);
  })();
}

/**
 * The network of an experiment: of its newest revision, or of the one given.
 * @throws EngineError `not-found`
 */
export function loadNetwork(library: Library, experimentId: string, revision?: number): PrototypeNetwork {
  const wanted = revision ?? getExperiment(library, experimentId).revision;
  const row = library.db
    .prepare<{ network: ArrayBuffer }>(
      'SELECT network FROM experiment_revisions WHERE experiment_id = ? AND revision = ?',
    )
    .get([experimentId, wanted]);
  if (!row) throw new EngineError('not-found', `The experiment ${experimentId} has no revision ${wanted}.`);
  return PrototypeNetwork.fromBytes(new Uint8Array(row.network));
}

/** Tracks the experiment was made with, in the order of their ids. */
export function experimentTracks(library: Library, experimentId: string): SplitTrack[] {
  const rows = library.db
    .prepare<{ track_id: string; split: SplitName; labels: string }>(
      'SELECT track_id, split, labels FROM experiment_tracks WHERE experiment_id = ? ORDER BY track_id',
    )
    .all([experimentId]);
  return rows.map((row) => ({
    id: row.track_id,
    split: row.split,
    labels: JSON.parse(row.labels) as number[],
  }));
}

/** What experiments were trained with before these could be chosen. */
const ADDED_LATER = { initialisation: 'kmeans', projection: 'none' } as const;

/** The columns hold what {@link insertExperiment} wrote, under the schema version that the migrations guarantee. */
function fromRow(library: Library, row: ExperimentRow): Experiment {
  return {
    id: row.id,
    name: row.name,
    taxonomyId: row.taxonomy_id,
    taxonomyName: row.taxonomy_name,
    space: library.spaces.get(row.space),
    parameters: { ...ADDED_LATER, ...(JSON.parse(row.parameters) as Experiment['parameters']) },
    classes: JSON.parse(row.classes) as string[],
    droppedClasses: JSON.parse(row.dropped_classes) as string[],
    counts: JSON.parse(row.counts) as Experiment['counts'],
    metrics: JSON.parse(row.metrics) as Metrics[],
    curve: JSON.parse(row.curve) as Experiment['curve'],
    revision: row.revision,
    createdAt: row.created_at,
    seconds: row.seconds,
  };
}
