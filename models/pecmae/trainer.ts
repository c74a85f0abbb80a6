import { Random } from '../numerics/random.ts';
import { initialAdaptor } from './adaptor.ts';
import { Pacer } from '../numerics/pacer.ts';
import { PrototypeNetwork } from './network.ts';
import type { Normalisation } from './normalisation.ts';
import { ontoNearest, startingPrototypes } from './starting-prototypes.ts';
import type { LabelledWindows } from '../embeddings/labelled-vectors.ts';
import { checkValidation, classRows, fitNormalisation, prepare, type TrainingSet } from './training-data.ts';
import { CHANNELS, type GraphSpec } from './training-graph.ts';
import { channelWeightsOf } from './channel-weights.ts';
import { checkParameters, type TrainParameters } from './training-parameters.ts';
import { runTraining, type TrainOptions, type TrainProgress } from './training-run.ts';
import type { Parameters, TrainingData } from './training-session.ts';

export type { TrainingSet } from './training-data.ts';
export { defaultTrainParameters, type TrainParameters } from './training-parameters.ts';
export type { TrainingProvider } from './training-session.ts';
export type { TrainOptions, TrainProgress } from './training-run.ts';

/**
 * Trains a prototype network; each step is one ONNX graph run by ONNX Runtime. Prototypes start at k-means centroids
 * of their own class (rows ⌊k/M⌋), weights at 1 for the own class and 0 elsewhere, biases at 0 (the reference draws
 * them from ±1/√K, which hides the similarities at first). Batches are drawn without replacement, reshuffled when
 * used up. What is returned is the network after `keptStep`, by the rule `keep`. The same data, parameters and seed give the same bytes on the same kind of processor.
 *
 * @param validation windows with the track each belongs to, or null; tracks must not occur in `train`.
 * @throws PrototypeError `parameters`, `shape`, `labels`, `empty-class`, `not-finite`, or `diverged` when the loss is
 *   no longer a number; the signal's reason when aborted, at the latest after one step.
 */
export async function trainPrototypeNetwork(
  train: TrainingSet,
  validation: LabelledWindows | null,
  parameters: TrainParameters,
  options: TrainOptions,
): Promise<{ network: PrototypeNetwork; curve: TrainProgress[]; keptStep: number }> {
  checkParameters(parameters);
  options.signal.throwIfAborted();
  const rows = classRows(train, parameters.task);
  const normalisation = fitNormalisation(train);
  const data = prepare(train, normalisation);
  if (validation) checkValidation(validation, train);
  const held = validation === null ? null : { set: validation, data: prepare(validation, normalisation) };
  const random = new Random(parameters.seed);
  const spec = graphSpec(train, parameters);
  const initial = await initialParameters(spec, data, rows, parameters, random, options.signal);
  const { projected, final, curve, keptStep } = await runTraining(
    { spec, initial, data, held, parameters, random },
    options,
  );
  const scores = final[CHANNELS];
  const channelWeights = scores ? channelWeightsOf(scores, train.dim) : null;
  const prototypes =
    parameters.projection === 'nearest'
      ? ontoNearest(data.x, train.dim, rows, projected, channelWeights)
      : projected;
  const parts = { normalisation, prototypes, channelWeights };
  return { network: toNetwork(train, parameters, parts, final), curve, keptStep };
}

function graphSpec(train: TrainingSet, parameters: TrainParameters): GraphSpec {
  const { prototypesPerClass, adaptor, lambda, temperature, weightDecay, task } = parameters;
  const { prototypeLoss, coverage } = parameters;
  return {
    dim: train.dim,
    classes: train.labelNames.length,
    prototypeClasses: train.labelNames.flatMap((_, c) => Array.from({ length: prototypesPerClass }, () => c)),
    task,
    lambda,
    temperature,
    weightDecay,
    adaptor,
    dropout: adaptor === 'transformer',
    similarity: 'l2',
    ...{ prototypeLoss, coverage },
    channelWeights: parameters.channelWeights === 'learned',
  };
}

async function initialParameters(
  spec: GraphSpec,
  data: TrainingData,
  rows: readonly Int32Array[],
  parameters: TrainParameters,
  random: Random,
  signal: AbortSignal,
): Promise<Parameters> {
  const k = spec.prototypeClasses.length;
  const protos = await startingPrototypes(data.x, spec.dim, rows, parameters, random, new Pacer(signal));
  const weight = new Float32Array(spec.classes * k);
  spec.prototypeClasses.forEach((c, prototype) => (weight[c * k + prototype] = 1));
  return {
    protos,
    'linear.weight': weight,
    'linear.bias': new Float32Array(spec.classes),
    ...(spec.channelWeights === true ? { [CHANNELS]: new Float32Array(k * spec.dim) } : {}),
    ...(spec.adaptor === 'transformer' ? initialAdaptor(spec.dim, random) : {}),
  };
}

function toNetwork(
  train: TrainingSet,
  parameters: TrainParameters,
  parts: { normalisation: Normalisation; prototypes: Float32Array; channelWeights: Float32Array | null },
  final: Parameters,
): PrototypeNetwork {
  return new PrototypeNetwork({
    classes: [...train.labelNames],
    embeddingDim: train.dim,
    prototypesPerClass: parameters.prototypesPerClass,
    task: parameters.task,
    ...parts,
    weights: final['linear.weight'] ?? new Float32Array(),
    bias: final['linear.bias'] ?? new Float32Array(),
    temperature: parameters.temperature,
  });
}
