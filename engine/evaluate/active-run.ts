import { AudioError } from '../../models/audio/errors.ts';
import { ScenarioError, type Scenario } from '../../models/deformations/scenario.ts';
import type { FeatureGroup } from '../../models/handmade/handmade-space.ts';
import type { AnyProbe } from '../../models/probes/probe.ts';
import { EngineError } from '../api/errors.ts';
import type { EngineContext } from '../context.ts';
import type { JobHandle } from '../jobs/queue.ts';
import type { Tagger } from '../packs/tagger.ts';
import type { EvaluationSpec } from './cell-files.ts';
import type { Task } from './tasks.ts';
import { predictionsOf } from './predictions.ts';
import type { Listener, VectorStore } from './vectors.ts';
import type { PlannedExperiment } from './yaml.ts';
import { OWN_VECTORS } from './yaml-data-sets.ts';

/** An evaluation that is being run. */
export interface ActiveRun {
  context: EngineContext;
  spec: EvaluationSpec;
  job: JobHandle;
  /** Where its cells are written. */
  folder: string;
  evaluationId: string;
  vectors: VectorStore;
}

/** A cell that is planned: one probe in one space, tested on one part of one data set under one deformation. */
export interface Cell {
  file: string;
  experiment: PlannedExperiment;
  task: Task;
  /** Id of a pack; {@link OWN_VECTORS} for a data set file. */
  space: string;
  /** The numbers of a vector that are looked at; null: all of them. */
  group: FeatureGroup | null;
  probe: AnyProbe;
  /** What answers in a probe that learns nothing; null for those that do. */
  tagger: Tagger | null;
  seed: number;
  split: number;
  scenario: Scenario | null;
}

/** What the space of a cell is called in the table. */
export const spaceTitle = ({ space, group }: Pick<Cell, 'space' | 'group'>): string =>
  group === null ? (space === OWN_VECTORS ? OWN_TITLE : space) : `${space}: ${group.name}`;

/** What the vectors of a data set file are called in the table. */
export const OWN_TITLE = 'own vectors';

/** Cells that share it need the same vectors. */
export const setKey = ({
  task,
  space,
  scenario,
  experiment,
  tagger,
}: Pick<Cell, 'task' | 'space' | 'scenario' | 'experiment' | 'tagger'>): string =>
  JSON.stringify([task.fingerprint, space, experiment.windows, scenario?.key ?? null, tagger?.key ?? null]);

/** What makes the vectors of a cell, or the predictions that stand for them. @throws EngineError `pack` */
export async function listenerOf(
  { context }: Pick<ActiveRun, 'context'>,
  { space, tagger }: Pick<Cell, 'space' | 'tagger'>,
): Promise<Listener> {
  return tagger === null ? context.packs.runtime(space) : predictionsOf(tagger);
}

/** In the order of their first members. */
export function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}

/** What a deformation refuses, or no decoder reads, is said with the file it was met in. */
export async function understood<T>(work: () => Promise<T>, path: string): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    if (thrown instanceof AudioError)
      throw new EngineError('audio', `${path}: ${thrown.message}`, thrown.hint, { cause: thrown });
    if (!(thrown instanceof ScenarioError)) throw thrown;
    throw new EngineError('bad-input', `${path}: ${thrown.message}`, 'Choose a milder deformation.', {
      cause: thrown,
    });
  }
}
