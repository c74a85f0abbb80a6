import { repeatedSchema, type RepeatedComparison } from '../api/compare.ts';
import type { Experiment, LabelThreshold, Metrics, SplitName } from '../api/experiments.ts';
import { EngineError } from '../api/errors.ts';
import type { PrototypeEdit, RevisionLog } from '../api/prototypes.ts';
import type { ExperimentView, ViewsReport } from '../api/views.ts';
import type { Database } from '../storage/database.ts';
import type { Announce } from './changes.ts';
import type { SpaceRepository } from './spaces.ts';
import {
  experimentOf,
  experimentRowsSql,
  headlinePaths,
  readThresholds,
  testScores,
} from './experiment-row.ts';
import type { ExperimentRow } from './experiment-row.ts';
import type { PredictionTruth } from './track-row.ts';
import { PrototypeNetwork } from '../../models/pecmae/network.ts';
import { ViewNetwork } from '../../models/views/view-network.ts';

/** A track that takes part in an experiment; `labels` are indices of classes, one of them in a single-label task. */
export interface LabelledTrack {
  id: string;
  labels: number[];
}

/** A track of an experiment with its part of the split. */
export interface SplitTrack extends LabelledTrack {
  split: SplitName;
}

/** Everything about an experiment but its present revision. */
export type NewExperiment = Omit<Experiment, 'metrics' | 'thresholds' | 'revision' | 'notes' | 'pinned'>;

/** Of one space, or of several views. */
export type AnyNetwork = PrototypeNetwork | ViewNetwork;

/** What is stored of a revision. */
interface NewRevision {
  /** What was done, in words. */
  change: string;
  metrics: readonly Metrics[];
  network: AnyNetwork;
  thresholds: readonly LabelThreshold[] | null;
  /** The edit of prototypes that it came of. */
  edit?: PrototypeEdit;
}

/** The experiments of a library: every revision of their networks, and the tracks they were made with. */
export class ExperimentRepository {
  readonly #db: Database;
  readonly #spaces: SpaceRepository;
  readonly #announce: Announce;

  constructor(db: Database, spaces: SpaceRepository, announce: Announce) {
    this.#db = db;
    this.#spaces = spaces;
    this.#announce = announce;
  }

  /** Stores a trained network as revision 1 of a new experiment, in one transaction. */
  insert(
    experiment: NewExperiment,
    tracks: readonly SplitTrack[],
    trained: Omit<NewRevision, 'change'> & Partial<NewRevision>,
  ): void {
    this.#db.transaction(() => {
      this.#db
        .prepare(
          `INSERT INTO experiments (id, name, taxonomy_id, taxonomy_name, space, parameters, classes,
             dropped_classes, counts, curve, views, revision, created_at, seconds)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?)`,
        )
        .run([
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
          experiment.views &&
            JSON.stringify({ ...experiment.views, views: experiment.views.views.map(withoutSpace) }),
          experiment.createdAt,
          experiment.seconds,
        ]);
      experiment.views?.views.forEach(({ space }, view) =>
        this.#db
          .prepare('INSERT INTO experiment_views (experiment_id, view, space) VALUES (?, ?, ?)')
          .run([experiment.id, view, space.key]),
      );
      const track = this.#db.prepare(
        'INSERT INTO experiment_tracks (experiment_id, track_id, split, labels) VALUES (?, ?, ?, ?)',
      );
      for (const { id, split, labels } of tracks)
        track.run([experiment.id, id, split, JSON.stringify(labels)]);
      this.#insertRevision(experiment.id, 1, { change: 'trained', ...trained }, experiment.createdAt);
      this.#goTo(experiment.id, 1, 1);
    })();
    this.#announce('experiments');
  }

  /** Adds a revision and goes to it; earlier ones stay, which is what undo goes back to. */
  addRevision(experimentId: string, added: NewRevision): void {
    this.#db.transaction(() => {
      const last = this.#db
        .prepare<{ last: number | null }>(
          'SELECT max(revision) AS last FROM experiment_revisions WHERE experiment_id = ?',
        )
        .get([experimentId]);
      const revision = (last?.last ?? 0) + 1;
      this.#insertRevision(experimentId, revision, added, new Date().toISOString());
      this.#goTo(experimentId, revision, this.#position(experimentId) + 1);
    })();
    this.#announce('experiments');
  }

  /** The revision that {@link move} leads to. @throws EngineError `not-found` where there is no such step */
  target(experimentId: string, to: 'undo' | 'redo' | { revision: number }): number {
    if (typeof to === 'object') return to.revision;
    const revision = this.#step(experimentId, this.#position(experimentId) + (to === 'undo' ? -1 : 1));
    if (revision !== null) return revision;
    throw new EngineError(
      'not-found',
      to === 'undo' ? 'There is nothing to undo.' : 'There is nothing to redo.',
      'Every revision can be restored: see the history.',
    );
  }

  /**
   * Goes to another revision: with `undo` and `redo` one step along the history, else as a step of its own.
   * @throws EngineError `not-found` where there is no such step
   */
  move(experimentId: string, to: 'undo' | 'redo' | { revision: number }): void {
    this.#db.transaction(() => {
      const position = this.#position(experimentId);
      const revision = this.target(experimentId, to);
      if (typeof to === 'object') {
        this.#goTo(experimentId, revision, position + 1);
        return;
      }
      this.#db
        .prepare('UPDATE experiments SET revision = ?, position = ? WHERE id = ?')
        .run([revision, position + (to === 'undo' ? -1 : 1), experimentId]);
    })();
    this.#announce('experiments');
  }

  /** The revisions there are, oldest first, and what undo and redo lead to. @throws EngineError `not-found` */
  log(experimentId: string): RevisionLog {
    const { revision: current } = this.get(experimentId);
    const position = this.#position(experimentId);
    const rows = this.#db
      .prepare<{ revision: number; change: string; name: string; scores: string; created_at: string }>(
        `SELECT revision, change, name, json_extract(metrics, ${headlinePaths}) AS scores, created_at
           FROM experiment_revisions WHERE experiment_id = ? ORDER BY revision`,
      )
      .all([experimentId]);
    const revisions = rows.map(({ revision, change, name, scores, created_at: createdAt }) => ({
      ...{ revision, change, name },
      ...testScores(scores),
      createdAt,
    }));
    return {
      ...{ revisions, current },
      undo: this.#step(experimentId, position - 1),
      redo: this.#step(experimentId, position + 1),
    };
  }

  /** @throws EngineError `not-found` */
  nameRevision(experimentId: string, revision: number, name: string): void {
    const { changes } = this.#db
      .prepare('UPDATE experiment_revisions SET name = ? WHERE experiment_id = ? AND revision = ?')
      .run([name, experimentId, revision]);
    if (changes === 0) throw noRevision(experimentId, revision);
    this.#announce('experiments');
  }

  /** Newest first, by when they were made here: a clock may be wrong. */
  list(): Experiment[] {
    const rows = this.#db.prepare<ExperimentRow>(`${experimentRowsSql} ORDER BY e.rowid DESC`).all();
    return rows.map((row) => this.#read(row));
  }

  /** @throws EngineError `not-found` */
  get(experimentId: string): Experiment {
    const row = this.#db.prepare<ExperimentRow>(`${experimentRowsSql} WHERE e.id = ?`).get([experimentId]);
    if (!row) throw noExperiment(experimentId);
    return this.#read(row);
  }

  /** Which labels an experiment's predictions are held against. @throws EngineError `not-found` */
  truthOf(experimentId: string): PredictionTruth {
    const row = this.#db
      .prepare<{ taxonomy_id: string; task: string; classes: string }>(
        `SELECT taxonomy_id, json_extract(parameters, '$.task') AS task, classes FROM experiments WHERE id = ?`,
      )
      .get([experimentId]);
    if (!row) throw noExperiment(experimentId);
    const classes = JSON.parse(row.classes) as string[];
    return { experimentId, taxonomyId: row.taxonomy_id, multilabel: row.task === 'multi', classes };
  }

  /** Names, annotates or pins an experiment; what is not given stays. @throws EngineError `not-found` */
  describe(
    experimentId: string,
    change: { [K in 'name' | 'notes' | 'pinned']?: Experiment[K] | undefined },
  ): Experiment {
    const before = this.get(experimentId);
    const { name = before.name, notes = before.notes, pinned = before.pinned } = change;
    this.#db
      .prepare('UPDATE experiments SET name = ?, notes = ?, pinned = ? WHERE id = ?')
      .run([name, notes, pinned ? 1 : 0, experimentId]);
    this.#announce('experiments');
    return this.get(experimentId);
  }

  /** Keeps how two experiments compare over repeated splits, in the place of what was known of them. */
  keepRepeated(result: RepeatedComparison): void {
    const { firstId, secondId } = result;
    this.#db.transaction(() => {
      for (const pair of [
        [firstId, secondId],
        [secondId, firstId],
      ])
        this.#db.prepare('DELETE FROM repeated_comparisons WHERE first_id = ? AND second_id = ?').run(pair);
      this.#db
        .prepare('INSERT INTO repeated_comparisons (first_id, second_id, result) VALUES (?, ?, ?)')
        .run([firstId, secondId, JSON.stringify(result)]);
    })();
  }

  /** How two experiments compare over repeated splits, in whichever order it was asked then; null where nobody did. */
  repeated(firstId: string, secondId: string): RepeatedComparison | null {
    const row = this.#db
      .prepare<{ result: string }>(
        `SELECT result FROM repeated_comparisons
          WHERE (first_id = ? AND second_id = ?) OR (second_id = ? AND first_id = ?)`,
      )
      .get([firstId, secondId, firstId, secondId]);
    return row ? repeatedSchema.parse(JSON.parse(row.result)) : null;
  }

  /** Removes an experiment with its revisions and predictions. */
  remove(experimentId: string): void {
    this.get(experimentId);
    this.#db.transaction(() => {
      this.#db.prepare('DELETE FROM experiments WHERE id = ?').run([experimentId]);
      for (const table of ['predictions', 'predicted_labels'])
        this.#db.prepare(`DELETE FROM cache.${table} WHERE experiment_id = ?`).run([experimentId]);
    })();
    this.#announce('experiments');
  }

  /**
   * The network of an experiment of one space: of its present revision, or of the one given.
   * @throws EngineError `not-found`; `several-views` for one that looks at several spaces
   */
  network(experimentId: string, revision?: number): PrototypeNetwork {
    const network = this.anyNetwork(experimentId, revision);
    if (network instanceof PrototypeNetwork) return network;
    throw severalViews(this.get(experimentId));
  }

  /**
   * The network of an experiment of one space or of several views.
   * @throws EngineError `not-found`
   */
  anyNetwork(experimentId: string, revision?: number): AnyNetwork {
    const wanted = revision ?? this.get(experimentId).revision;
    const row = this.#db
      .prepare<{ network: ArrayBuffer; several: number }>(
        `SELECT r.network, e.views IS NOT NULL AS several
         FROM experiment_revisions r JOIN experiments e ON e.id = r.experiment_id
         WHERE r.experiment_id = ? AND r.revision = ?`,
      )
      .get([experimentId, wanted]);
    if (!row) throw noRevision(experimentId, wanted);
    const bytes = new Uint8Array(row.network);
    return row.several === 1 ? ViewNetwork.fromBytes(bytes) : PrototypeNetwork.fromBytes(bytes);
  }

  /** Thresholds of an earlier revision of an experiment; null for a single-label task. */
  thresholds(experiment: Experiment, revision: number): LabelThreshold[] | null {
    const row = this.#db
      .prepare<{ thresholds: string | null }>(
        'SELECT thresholds FROM experiment_revisions WHERE experiment_id = ? AND revision = ?',
      )
      .get([experiment.id, revision]);
    return readThresholds(row?.thresholds ?? null, experiment);
  }

  /** Tracks the experiment was made with, in the order of their ids. */
  tracksOf(experimentId: string): SplitTrack[] {
    const rows = this.#db
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

  #read(row: ExperimentRow): Experiment {
    return experimentOf(row, this.#spaces.get(row.space), this.#viewsOf(row));
  }

  /** The column holds what {@link insert} wrote, but for the spaces, which may have become others since. */
  #viewsOf({ id, views }: ExperimentRow): ViewsReport | null {
    if (views === null) return null;
    const report = JSON.parse(views) as ViewsReport;
    const spaces = this.#db
      .prepare<{ space: string }>('SELECT space FROM experiment_views WHERE experiment_id = ? ORDER BY view')
      .all([id])
      .map(({ space }) => this.#spaces.get(space));
    return {
      ...report,
      views: report.views.flatMap((view, v) => {
        const space = spaces[v];
        return space ? [{ ...view, space }] : [];
      }),
    };
  }

  #insertRevision(
    experimentId: string,
    revision: number,
    { change, metrics, network, thresholds, edit }: NewRevision,
    createdAt: string,
  ): void {
    this.#db
      .prepare(
        `INSERT INTO experiment_revisions
           (experiment_id, revision, change, metrics, network, thresholds, edit, created_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run([
        ...[experimentId, revision, change, JSON.stringify(metrics), network.toBytes()],
        thresholds === null ? null : JSON.stringify(thresholds),
        ...[edit === undefined ? null : JSON.stringify(edit), createdAt],
      ]);
  }

  /** Goes to a revision by a new step; what could be redone goes. */
  #goTo(experimentId: string, revision: number, position: number): void {
    this.#db
      .prepare('DELETE FROM experiment_steps WHERE experiment_id = ? AND position >= ?')
      .run([experimentId, position]);
    this.#db
      .prepare('INSERT INTO experiment_steps (experiment_id, position, revision) VALUES (?, ?, ?)')
      .run([experimentId, position, revision]);
    this.#db
      .prepare('UPDATE experiments SET revision = ?, position = ? WHERE id = ?')
      .run([revision, position, experimentId]);
  }

  #position(experimentId: string): number {
    const row = this.#db
      .prepare<{ position: number }>('SELECT position FROM experiments WHERE id = ?')
      .get([experimentId]);
    if (!row) throw noExperiment(experimentId);
    return row.position;
  }

  /** The revision of a step; null where there is none. */
  #step(experimentId: string, position: number): number | null {
    const row = this.#db
      .prepare<{ revision: number }>(
        'SELECT revision FROM experiment_steps WHERE experiment_id = ? AND position = ?',
      )
      .get([experimentId, position]);
    return row?.revision ?? null;
  }
}

/** Spaces are kept in a table. */
function withoutSpace({ accuracy, overfitting, prototypes }: ExperimentView): Omit<ExperimentView, 'space'> {
  return { accuracy, overfitting, prototypes };
}

function severalViews({ name, views }: Experiment): EngineError {
  return new EngineError(
    'several-views',
    `“${name}” looks at ${views?.views.length ?? 0} views together, and this can be done with one embedding space only.`,
    'Train an experiment in one of its spaces for this; classifying, Why, the sounds and edits of its prototypes, and exports work with several.',
  );
}

function noExperiment(experimentId: string): EngineError {
  return new EngineError(
    'not-found',
    `There is no experiment ${experimentId} in this library.`,
    'Train one, or list the experiments of the library.',
  );
}

function noRevision(experimentId: string, revision: number): EngineError {
  return new EngineError('not-found', `The experiment ${experimentId} has no revision ${revision}.`);
}
