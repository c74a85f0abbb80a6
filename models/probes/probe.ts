import type { LabelledVectors, LabelledWindows } from '../embeddings/labelled-vectors.ts';
import { borneLabels, selectTracks, withLabels } from '../embeddings/tracks.ts';
import { predictKnn } from '../knn/index.ts';
import { defaultTrainParameters, trainPrototypeNetwork } from '../pecmae/trainer.ts';
import { reduce, type ReductionMethod, type ReductionParameters } from '../reduction/index.ts';
import { decide, type Answers } from './decide.ts';
import { fitLinear, fitMlp, hiddenSizes } from './fit.ts';
import type { ProbeTask } from './gradient-graph.ts';
import { headTitle, type HeadSettings } from './head.ts';
import { ridgeTitle, type RidgeSettings } from './ridge.ts';
import { standardOf } from './standard.ts';

/** What a probe is asked to learn. */
export interface ProbeInput {
  /** Windows; probes other than the prototype network see their mean per track. */
  train: LabelledWindows;
  /** Null where the split has no validation part. */
  validation: LabelledWindows | null;
  task: ProbeTask;
  seed: number;
  signal: AbortSignal;
  pace?: () => Promise<void>;
}

export type FittedProbe = (test: LabelledWindows) => Promise<Answers>;

/** Prototypes of the training tracks that stand for them, made by a reduction method. */
export interface ProbeReduction {
  method: ReductionMethod;
  /** What is left out has its default. */
  parameters: ReductionParameters;
}

/** A classifier on frozen embeddings. */
export type ProbeSettings =
  | { kind: 'knn'; k: number; reduction?: ProbeReduction }
  | { kind: 'mlknn'; k: number; reduction?: ProbeReduction }
  | { kind: 'linear'; strength: number }
  | {
      kind: 'mlp';
      hiddenUnits: readonly (number | string)[];
      weightDecay: number;
      learningRate: number;
      batchSize: number;
      epochs: number;
      patience: number;
    }
  | { kind: 'prototypes'; perClass: number; steps: number };

type Fit<K extends ProbeSettings['kind']> = (
  settings: Extract<ProbeSettings, { kind: K }>,
  input: ProbeInput,
) => Promise<FittedProbe>;

/** Everything about a kind of probe. */
interface ProbeKind<K extends ProbeSettings['kind']> {
  title: (settings: Extract<ProbeSettings, { kind: K }>) => string;
  fit: Fit<K>;
}

const kinds: { [K in ProbeSettings['kind']]: ProbeKind<K> } = {
  knn: {
    title: ({ k, reduction }) => `${k}-NN${reducedTitle(reduction)}`,
    fit: (settings, input) => fitKnn('lpknn', settings, input),
  },
  mlknn: {
    title: ({ k, reduction }) => `ML-${k}NN${reducedTitle(reduction)}`,
    fit: (settings, input) => fitKnn('mlknn', settings, input),
  },
  linear: {
    title: ({ strength }) => `linear${strength === 1 ? '' : ` (C ${strength})`}`,
    fit: async ({ strength }, { train, task, signal }) => {
      const scale = standardOf(train);
      const pooled = scale(train);
      const score = await fitLinear(rowsOf(pooled), strength, options(pooled, task, signal));
      return async (test) => decide(await score(scale(test).features, test.tracks.ids.length), pooled, task);
    },
  },
  mlp: {
    title: ({ hiddenUnits }) =>
      `MLP (${hiddenUnits.length === 0 ? 'no hidden layer' : hiddenUnits.join(', ')})`,
    fit: async ({ hiddenUnits, ...rest }, { train, validation, task, seed, signal }) => {
      const scale = standardOf(train);
      const pooled = scale(train);
      const hidden = hiddenSizes(hiddenUnits, pooled.dim, pooled.labelNames.length);
      const held = validation && validation.count > 0 ? rowsOf(scale(validation)) : null;
      const score = await fitMlp(
        rowsOf(pooled),
        held,
        { ...rest, hidden, seed },
        options(pooled, task, signal),
      );
      return async (test) => decide(await score(scale(test).features, test.tracks.ids.length), pooled, task);
    },
  },
  prototypes: {
    title: ({ perClass }) => `prototype network (${perClass} per class)`,
    fit: async ({ perClass, steps }, { train, validation, task, seed, signal, pace }) => {
      const borne = borneLabels(train);
      const held = validation && validation.count > 0 ? knownOnly(validation, borne, task) : null;
      const { network } = await trainPrototypeNetwork(
        withLabels(train, borne),
        held,
        { ...defaultTrainParameters, prototypesPerClass: perClass, steps, seed, task },
        { signal, ...(pace ? { pace } : {}) },
      );
      return (test) => {
        const width = train.labelNames.length;
        const scores = new Float64Array(test.tracks.ids.length * width);
        test.tracks.ids.forEach((_, track) => {
          const { features, count } = selectTracks(test, (other) => other === track);
          const { probabilities } = network.classify(features, count);
          probabilities.forEach((p, c) => {
            scores[track * width + train.labelNames.indexOf(borne[c] ?? '')] = p;
          });
        });
        return Promise.resolve(decide(scores, train, task));
      };
    },
  },
};

/** Whatever is asked of a space: what learns labels, what learns numbers, and what was learned elsewhere. */
export type AnyProbe = ProbeSettings | RidgeSettings | HeadSettings;

export function probeTitle(settings: AnyProbe): string {
  if (settings.kind === 'ridge') return ridgeTitle(settings);
  return settings.kind === 'head' ? headTitle(settings) : kindOf(settings).title(settings);
}

/** Trains a probe. @throws NumericError, PrototypeError for data it cannot learn from; the signal's reason */
export function fitProbe(settings: ProbeSettings, input: ProbeInput): Promise<FittedProbe> {
  return kindOf(settings).fit(settings, input);
}

/** The row of a kind takes the settings of that kind, which the type of the table cannot say of one looked up. */
function kindOf(settings: ProbeSettings): ProbeKind<ProbeSettings['kind']> {
  return kinds[settings.kind] as ProbeKind<ProbeSettings['kind']>;
}

/** “ of MRSP2 (p 20)” */
function reducedTitle(reduction: ProbeReduction | undefined): string {
  if (!reduction) return '';
  const said = Object.entries(reduction.parameters).map(([name, value]) => `${name} ${String(value)}`);
  return ` of ${reduction.method}${said.length === 0 ? '' : ` (${said.join(', ')})`}`;
}

async function fitKnn(
  classifier: 'lpknn' | 'mlknn',
  { k, reduction }: { k: number; reduction?: ProbeReduction },
  { train, seed, signal }: ProbeInput,
): Promise<FittedProbe> {
  const scale = standardOf(train);
  const all = scale(train);
  const known = reduction ? await reduced(all, reduction, seed, signal) : all;
  return async (test: LabelledWindows) => {
    const neighbours = Math.min(k, known.count);
    const { labels, scores } = await predictKnn(classifier, known, scale(test), { k: neighbours, signal });
    return { labels, scores };
  };
}

async function reduced(
  set: LabelledWindows,
  { method, parameters }: ProbeReduction,
  seed: number,
  signal: AbortSignal,
): Promise<LabelledVectors> {
  const { prototypes, labelsets } = await reduce(method, set, parameters, { seed, signal });
  const { dim, labelNames } = set;
  return { features: prototypes, count: prototypes.length / dim, dim, labels: labelsets, labelNames };
}

function rowsOf({ features, labels, count }: LabelledWindows): {
  x: Float32Array;
  y: Float32Array;
  count: number;
} {
  return { x: features, y: Float32Array.from(labels), count };
}

function options(
  { dim, labelNames }: LabelledWindows,
  task: ProbeTask,
  signal: AbortSignal,
): { dim: number; labels: number; task: ProbeTask; signal: AbortSignal } {
  return { dim, labels: labelNames.length, task, signal };
}

/** Tracks of classes that are learned. */
function knownOnly(set: LabelledWindows, borne: readonly string[], task: ProbeTask): LabelledWindows | null {
  if (task === 'multi') return withLabels(set, borne);
  const width = set.labelNames.length;
  const classOf = new Map<number, string>();
  set.tracks.of.forEach((track, row) => {
    classOf.set(track, set.labelNames[set.labels.subarray(row * width, (row + 1) * width).indexOf(1)] ?? '');
  });
  const kept = withLabels(
    selectTracks(set, (track) => borne.includes(classOf.get(track) ?? '')),
    borne,
  );
  return kept.count > 0 ? kept : null;
}
