import type { LabelledWindows } from '../embeddings/labelled-vectors.ts';
import { Random } from '../numerics/random.ts';
import { withColumns, columnsOf } from './columns.ts';
import { channelScoresOf, channelWeightsOf } from './channel-weights.ts';
import { PrototypeError } from './errors.ts';
import { PrototypeNetwork } from './network.ts';
import { snapToRows } from './snap.ts';
import { checkValidation, classRows, prepare, type ClassRows, type TrainingSet } from './training-data.ts';
import { CHANNELS, type GraphSpec } from './training-graph.ts';
import { checkParameters, type TrainParameters } from './training-parameters.ts';
import { runTraining, type TrainOptions, type TrainProgress } from './training-run.ts';
import type { HeldValues, TrainingData } from './training-session.ts';

/**
 * Trains a network further, from where it is. Frozen prototypes keep their place and all their weights to the bit; the
 * others, and the biases, go on learning. There is no adaptor: what it made of the prototypes is where they start.
 * @param parameters `prototypesPerClass` and `initialisation` say nothing here; temperature, task and
 * whether channels have weights are the network's own
 * @throws PrototypeError `parameters` where all prototypes are frozen; as `trainPrototypeNetwork`
 */
export async function retrainPrototypeNetwork(
  network: PrototypeNetwork,
  train: TrainingSet,
  validation: LabelledWindows | null,
  parameters: TrainParameters,
  options: TrainOptions,
): Promise<{ network: PrototypeNetwork; curve: TrainProgress[]; keptStep: number }> {
  const { data: from } = network;
  const settled = { ...parameters, adaptor: 'none' as const, temperature: from.temperature, task: from.task };
  checkParameters(settled);
  if (!from.prototypeFrozen.includes(false))
    throw new PrototypeError(
      'parameters',
      'every prototype is frozen: there is nothing to train',
      'Unfreeze those that may move.',
    );
  options.signal.throwIfAborted();
  const rows = classRows(train, settled.task);
  const data = prepare(train, from.normalisation);
  if (validation) checkValidation(validation, train);
  const held =
    validation === null ? null : { set: validation, data: prepare(validation, from.normalisation) };
  const { projected, final, curve, keptStep } = await runTraining(
    {
      spec: specOf(network, settled),
      initial: {
        ...{ protos: from.prototypes, 'linear.weight': from.weights, 'linear.bias': from.bias },
        ...(from.channelWeights && { [CHANNELS]: channelScoresOf(from.channelWeights) }),
      },
      fixed: frozenValues(network),
      ...{ data, held, parameters: settled, random: new Random(settled.seed) },
    },
    options,
  );
  const trained = new PrototypeNetwork({
    ...from,
    prototypes: projected,
    weights: final['linear.weight'] ?? from.weights,
    bias: final['linear.bias'] ?? from.bias,
    channelWeights: channelsAfter(network, final[CHANNELS]),
  });
  return {
    network: settled.projection === 'nearest' ? snapped(trained, rows, data) : trained,
    curve,
    keptStep,
  };
}

function specOf(
  { data }: PrototypeNetwork,
  { lambda, weightDecay, prototypeLoss, coverage }: TrainParameters,
): GraphSpec {
  return {
    dim: data.embeddingDim,
    classes: data.classes.length,
    prototypeClasses: [...data.prototypeClasses],
    ...{ task: data.task, lambda, temperature: data.temperature, weightDecay },
    ...{ adaptor: 'none', dropout: false, similarity: 'l2', prototypeLoss, coverage },
    channelWeights: data.channelWeights !== null,
  };
}

/** Weights of the channels after a training; frozen prototypes keep theirs to the bit. */
function channelsAfter({ data }: PrototypeNetwork, scores: Float32Array | undefined): Float32Array | null {
  const { channelWeights: before, embeddingDim: dim, prototypeFrozen } = data;
  if (!before || !scores) return before;
  const after = channelWeightsOf(scores, dim);
  for (const [j, frozen] of prototypeFrozen.entries())
    if (frozen) after.set(before.subarray(j * dim, (j + 1) * dim), j * dim);
  return after;
}

/** Rows of the prototypes and of their channels `[K, D]` and columns of the weights `[C, K]` that stay. */
function frozenValues({ data }: PrototypeNetwork): HeldValues {
  const { prototypeFrozen, prototypeClasses, embeddingDim, classes, prototypes, weights } = data;
  const k = prototypeClasses.length;
  const frozen = prototypeFrozen.flatMap((is, j) => (is ? [j] : []));
  const take = (values: Float32Array, places: number[]) => ({
    at: Int32Array.from(places),
    values: Float32Array.from(places, (place) => values[place] ?? 0),
  });
  const rows = frozen.flatMap((j) => Array.from({ length: embeddingDim }, (_, e) => j * embeddingDim + e));
  const columns = frozen.flatMap((j) => classes.map((_, c) => c * k + j));
  return {
    protos: take(prototypes, rows),
    'linear.weight': take(weights, columns),
    ...(data.channelWeights && { [CHANNELS]: take(channelScoresOf(data.channelWeights), rows) }),
  };
}

/** Prototypes that are not frozen moved onto the nearest training windows of their classes. */
function snapped(network: PrototypeNetwork, rows: ClassRows, { x }: TrainingData): PrototypeNetwork {
  const dim = network.data.embeddingDim;
  const columns = columnsOf(network);
  for (const [c, members] of rows.entries()) {
    const own = columns.filter(({ classIndex, frozen }) => classIndex === c && !frozen);
    const centres = new Float32Array(own.length * dim);
    const channels = network.data.channelWeights && new Float32Array(own.length * dim);
    for (const [i, column] of own.entries()) {
      centres.set(column.vector, i * dim);
      if (column.channels) channels?.set(column.channels, i * dim);
    }
    const onto = snapToRows(x, dim, members, centres, channels);
    own.forEach((column, i) => (column.vector = onto.slice(i * dim, (i + 1) * dim)));
  }
  return withColumns(network, columns);
}
