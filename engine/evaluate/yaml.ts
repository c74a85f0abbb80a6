import { isMap, isScalar, isSeq, parseDocument, type Document, type Node } from 'yaml';
import * as z from 'zod';
import type { AnyProbe, ProbeReduction } from '../../models/probes/probe.ts';
import {
  evaluationGroups,
  type EvaluationGroup,
  type EvaluationMark,
  type EvaluationTask,
} from '../api/evaluations.ts';
import { EngineError } from '../api/errors.ts';
import { layerText } from './layers.ts';
import { reductionOf } from './yaml-reduction.ts';
import { collectionKeys, datasetSchema, plannedDataset, type PlannedDataset } from './yaml-data-sets.ts';

/** How tracks are held out. */
export type EvaluationSplit =
  | { kind: 'holdout'; test: number; validation: number; repeats: number }
  | { kind: 'folds'; folds: number; repeats: number }
  /** The column `split` of the labels. */
  | { kind: 'given' };

export interface PlannedExperiment {
  task: EvaluationTask;
  datasets: PlannedDataset[];
  /** Ids of packs, `pack@layer` of their layers; {@link OWN_VECTORS} of data set files. */
  features: string[];
  /** Of a task of numbers ridge regression, of any other classifiers. */
  probes: AnyProbe[];
  seeds: number[];
  split: EvaluationSplit;
  windows: 'all' | number;
  groupBy: EvaluationGroup;
  /** Whether groups of the numbers of hand-made spaces are also looked at alone. */
  groups: boolean;
}

/** An evaluation file: what will be run, and what will not. The document is kept as it was written. */
export interface EvaluationFile {
  document: Document;
  experiments: PlannedExperiment[];
  marks: EvaluationMark[];
}

const text = z.string().min(1).max(4096);
const whole = (low: number, high: number) => z.int().min(low).max(high);
const splitSchema = z.looseObject({
  kind: z.enum(['holdout', 'folds', 'given']),
  test: z.number().gt(0).lt(1).default(0.2),
  validation: z.number().min(0).lt(1).default(0),
  folds: whole(2, 50).default(5),
  repeats: whole(1, 100).default(1),
});
/** A layer inside the network of a pack: the number of a block, or a name. */
const layerSchema = z.looseObject({ pack: text, layer: z.union([text, whole(0, 10_000)]) });
const experimentSchema = z.looseObject({
  task: z.looseObject({
    name: z.string().optional(),
    type: text,
    feature_aggregation: z.string().optional(),
  }),
  datasets: z.array(datasetSchema).min(1),
  features: z.array(z.union([text, layerSchema])).min(1),
  probes: z.array(z.looseObject({ type: text })).min(1),
  seeds: z.array(whole(0, 0xffffffff)).min(1).max(100).default([1]),
  split: splitSchema.default({ kind: 'holdout', test: 0.2, validation: 0.1, folds: 5, repeats: 1 }),
  windows: z.union([z.literal('all'), whole(1, 10_000)]).default(8),
  group_by: z.enum(evaluationGroups).default('track'),
  groups: z.boolean().default(false),
});
const fileSchema = z.looseObject({ experiments: z.array(experimentSchema).min(1) });

/** Keys that are understood at each depth; others are kept and marked. */
const known: Record<string, readonly string[]> = {
  '': ['experiments'],
  experiment: ['task', 'datasets', 'features', 'probes', 'seeds', 'split', 'windows', 'group_by', 'groups'],
  task: ['name', 'type', 'feature_aggregation'],
  dataset: [...collectionKeys, 'deformations', 'test_on'],
  split: ['kind', 'test', 'validation', 'folds', 'repeats'],
  layer: ['pack', 'layer'],
  test_on: [...collectionKeys, 'mapping'],
};

/** A number of a probe; the usual one where it is missing, or not between the two, which is marked. */
type NumberOf = (key: string, low: number, high: number, usual: number) => number;

interface ProbeType {
  keys: readonly string[];
  /** Keys of mir_ref that say what is done anyway; anything else they say is marked. */
  fixed?: Readonly<Record<string, readonly unknown[]>>;
  settings: (number: NumberOf, probe: Record<string, unknown>) => AnyProbe;
}

/** Labels by the class of a head. */
const labelMapping = z.record(text, text);

/** Left out where there is none, so that cells of before keep their names. */
function reducedBy({ reduction }: Record<string, unknown>): { reduction?: ProbeReduction } {
  const found = reductionOf(reduction);
  return found === undefined || 'problem' in found ? {} : { reduction: found };
}

/** Kinds of probes by their name in files. `classifier` is mir_ref's, and its defaults are mir_ref's. */
const probeTypes: Record<string, ProbeType> = {
  knn: {
    keys: ['k', 'reduction'],
    settings: (number, probe) => ({
      kind: 'knn',
      k: Math.trunc(number('k', 1, 1000, 5)),
      ...reducedBy(probe),
    }),
  },
  mlknn: {
    keys: ['k', 'reduction'],
    settings: (number, probe) => ({
      kind: 'mlknn',
      k: Math.trunc(number('k', 1, 1000, 10)),
      ...reducedBy(probe),
    }),
  },
  linear: { keys: ['C'], settings: (number) => ({ kind: 'linear', strength: number('C', 1e-6, 1e6, 1) }) },
  ridge: {
    keys: ['alpha'],
    settings: (number, { alpha }) => ({
      kind: 'ridge',
      strength: alpha === undefined ? null : number('alpha', 1e-9, 1e9, 1),
    }),
  },
  head: {
    keys: ['name', 'mapping'],
    settings: (_, { name, mapping }) => ({
      kind: 'head',
      head: typeof name === 'string' ? name : null,
      mapping: labelMapping.safeParse(mapping).data ?? {},
    }),
  },
  prototypes: {
    keys: ['per_class', 'steps'],
    settings: (number) => ({
      kind: 'prototypes',
      perClass: Math.trunc(number('per_class', 1, 100, 5)),
      steps: Math.trunc(number('steps', 1, 100_000, 500)),
    }),
  },
  classifier: {
    keys: ['hidden_units', 'weight_decay', 'learning_rate', 'batch_size', 'epochs', 'patience'],
    fixed: { optimizer: ['adam'], emb_shape: ['infer'], output_activation: ['softmax', 'sigmoid'] },
    settings: (number, p) => {
      const units: unknown[] = Array.isArray(p['hidden_units']) ? p['hidden_units'] : [];
      return {
        kind: 'mlp',
        hiddenUnits: units.map((unit) =>
          typeof unit === 'number' ? Math.max(1, Math.trunc(unit)) : String(unit),
        ),
        weightDecay: number('weight_decay', 0, 1, 1e-5),
        learningRate: number('learning_rate', 1e-6, 1, 1e-3),
        batchSize: Math.trunc(number('batch_size', 1, 1e6, 1083)),
        epochs: Math.trunc(number('epochs', 1, 10_000, 100)),
        patience: Math.trunc(number('patience', 1, 10_000, 10)),
      };
    },
  },
};

const isFixed = ({ fixed = {} }: ProbeType, key: string, value: unknown): boolean =>
  Object.hasOwn(fixed, key) && fixed[key]?.includes(value) === true;

/**
 * Reads an evaluation file: mir_ref's configuration, with `seeds`, `split`, `windows`, `group_by` and `groups` of an
 * experiment, layers among its features, the probes of `probeTypes`, data sets of `yaml-data-sets.ts`, and `test_on` of a data set.
 * @throws EngineError `bad-input` saying where
 */
export function readEvaluationFile(source: string): EvaluationFile {
  const document = parseDocument(source);
  const [fault] = document.errors;
  if (fault)
    throw new EngineError('bad-input', `The evaluation is no YAML: ${fault.message}`, 'Correct the file.');
  const parsed = fileSchema.safeParse(contentOf(document));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new EngineError(
      'bad-input',
      `The evaluation cannot be run: ${issue ? faultOf(issue, document) : ''}.`,
      'It is mir_ref’s configuration: experiments, each with task, datasets, features and probes.',
    );
  }
  const marks: EvaluationMark[] = [];
  const mark = (at: readonly PropertyKey[], message: string): void =>
    void marks.push({ at: place(at), message });
  unknownKeys(document, mark);
  const experiments = parsed.data.experiments.map((experiment, e): PlannedExperiment => ({
    ...plannedTask(experiment, e, mark),
    features: experiment.features.map((space) =>
      typeof space === 'string' ? space : layerText(space.pack, space.layer),
    ),
    probes: experiment.probes.flatMap((probe, p) => {
      const type = Object.hasOwn(probeTypes, probe.type) ? probeTypes[probe.type] : undefined;
      const at = ['experiments', e, 'probes', p];
      if (!type) {
        mark(at, `“${probe.type}” is no probe that is known; it is not run.`);
        return [];
      }
      for (const [key, value] of Object.entries(probe))
        if (key !== 'type' && !type.keys.includes(key) && !isFixed(type, key, value))
          mark([...at, key], 'is kept and has no effect.');
      const settings = type.settings((key, low, high, usual) => {
        const value = probe[key] ?? usual;
        if (typeof value === 'number' && value >= low && value <= high) return value;
        mark([...at, key], `is no number from ${low} to ${high}; it is taken as ${usual}.`);
        return usual;
      }, probe);
      const odd =
        settings.kind === 'mlp'
          ? settings.hiddenUnits.find((unit) => typeof unit === 'string' && !/^(power_)?infer$/.test(unit))
          : undefined;
      if (odd !== undefined) {
        mark([...at, 'hidden_units'], `“${odd}” is no number of units; the probe is not run.`);
        return [];
      }
      const reduction = type.keys.includes('reduction') ? reductionOf(probe['reduction']) : undefined;
      if (reduction && 'problem' in reduction) {
        mark([...at, 'reduction'], `${reduction.problem}; the probe is not run.`);
        return [];
      }
      if (
        probe['mapping'] !== undefined &&
        settings.kind === 'head' &&
        !labelMapping.safeParse(probe['mapping']).success
      )
        mark([...at, 'mapping'], 'does not say labels by classes; it has no effect.');
      const learns = settings.kind === 'ridge' ? 'numbers' : 'labels';
      if (!tasks[taskOf(experiment.task) ?? 'single'].learnedBy.includes(learns)) {
        mark(
          at,
          `A probe of the type “${probe.type}” learns ${learns}, which this task has none of; it is not run.`,
        );
        return [];
      }
      return [settings];
    }),
    seeds: experiment.seeds,
    split: splitOf(experiment.split),
    windows: experiment.windows,
    groupBy: experiment.group_by,
    groups: experiment.groups,
  }));
  return { document, experiments, marks };
}

/** What YAML calls what a schema expects. */
const yamlWords: Readonly<Record<string, string>> = {
  object: 'mapping',
  record: 'mapping',
  array: 'list',
  string: 'text',
  int: 'whole number',
};

/** “experiments[1].task is missing” */
function faultOf(issue: z.core.$ZodIssue, document: Document): string {
  if (document.contents === null) return 'the file is empty';
  const at = issue.path.length === 0 ? 'the file' : place(issue.path);
  if (issue.code !== 'invalid_type') return `${at}: ${issue.message}`;
  const { expected } = issue;
  return !document.hasIn(issue.path) ? `${at} is missing` : `${at} is no ${yamlWords[expected] ?? expected}`;
}

/** @throws EngineError `bad-input` for an alias without its anchor, or more of them than any evaluation needs */
function contentOf(document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new EngineError('bad-input', `The evaluation is no YAML: ${message}.`, 'Correct the file.', {
      cause,
    });
  }
}

/** Which probes learn what tracks bear. */
const tasks: Readonly<Record<EvaluationTask, { learnedBy: readonly ('labels' | 'numbers')[] }>> = {
  single: { learnedBy: ['labels'] },
  multi: { learnedBy: ['labels'] },
  key: { learnedBy: ['labels'] },
  regression: { learnedBy: ['numbers'] },
  mir: { learnedBy: ['numbers'] },
};

/** Tasks by what mir_ref calls them, where it has them; null: of a kind that is not known. */
function taskOf({ type, name = '' }: { type: string; name?: string | undefined }): EvaluationTask | null {
  if (/multi_?label|tagging/.test(type)) return 'multi';
  if (/mir_?targets/.test(type)) return 'mir';
  if (/regression/.test(type)) return 'regression';
  // mir_ref knows the task of keys by its name.
  if (/key/.test(type) || (name === 'key_estimation' && /classification/.test(type))) return 'key';
  return /classification/.test(type) ? 'single' : null;
}

function splitOf({ kind, test, validation, folds, repeats }: z.output<typeof splitSchema>): EvaluationSplit {
  if (kind === 'given') return { kind };
  if (kind === 'folds') return { kind, folds, repeats };
  if (test + validation >= 1)
    throw new EngineError(
      'bad-input',
      'The split leaves nothing to learn from.',
      'Let test and validation sum to less than 1.',
    );
  return { kind, test, validation, repeats };
}

/** The task and its data sets; none where the task is not known. */
function plannedTask(
  { task: written, datasets }: z.output<typeof experimentSchema>,
  e: number,
  mark: (at: readonly PropertyKey[], message: string) => void,
): Pick<PlannedExperiment, 'task' | 'datasets'> {
  const { type, feature_aggregation: aggregation } = written;
  const task = taskOf(written);
  const at = ['experiments', e, 'task'];
  if (task === null) mark([...at, 'type'], `“${type}” is no kind of task that is known; it is not run.`);
  if (aggregation !== undefined && aggregation !== 'mean')
    mark([...at, 'feature_aggregation'], 'is kept and has no effect: it is the mean.');
  const planned = datasets.flatMap((dataset, d) =>
    plannedDataset(dataset, task ?? 'single', ['experiments', e, 'datasets', d], mark),
  );
  return { task: task ?? 'single', datasets: task === null ? [] : planned };
}

function unknownKeys(document: Document, mark: (at: readonly PropertyKey[], message: string) => void): void {
  const visit = (node: unknown, kind: string, at: readonly PropertyKey[]): void => {
    if (!isMap(node)) return;
    for (const { key } of node.items) {
      const name = isScalar(key) ? String(key.value) : '';
      if (!(known[kind] ?? []).includes(name))
        mark([...at, name], 'is not known; it is kept and has no effect.');
    }
  };
  const each = (node: unknown, visitor: (item: Node, i: number) => void): void => {
    if (isSeq(node)) node.items.forEach((item, i) => visitor(item as Node, i));
  };
  const root = document.contents;
  visit(root, '', []);
  if (!isMap(root)) return;
  each(root.get('experiments', true), (experiment, e) => {
    const at = ['experiments', e];
    visit(experiment, 'experiment', at);
    if (!isMap(experiment)) return;
    visit(experiment.get('task', true), 'task', [...at, 'task']);
    visit(experiment.get('split', true), 'split', [...at, 'split']);
    each(experiment.get('features', true), (space, f) => visit(space, 'layer', [...at, 'features', f]));
    each(experiment.get('datasets', true), (dataset, d) => {
      visit(dataset, 'dataset', [...at, 'datasets', d]);
      if (isMap(dataset)) visit(dataset.get('test_on', true), 'test_on', [...at, 'datasets', d, 'test_on']);
    });
  });
}

/** “experiments[0].datasets[1].dir” */
function place(at: readonly PropertyKey[]): string {
  return at.reduce<string>(
    (text, step) =>
      typeof step === 'number' ? `${text}[${step}]` : text === '' ? String(step) : `${text}.${String(step)}`,
    '',
  );
}
