import { PrototypeNetwork } from '../../models/pecmae/network.ts';
import { EngineError } from '../api/errors.ts';
import type { Experiment } from '../api/experiments.ts';
import type { SpaceInfo } from '../api/spaces.ts';
import type { AnyNetwork } from '../library/experiments.ts';

/** What an experiment has in one embedding space: its whole network, or one of its views. */
export interface NetworkPart {
  space: SpaceInfo;
  /** Place of the view; null in an experiment of one space. */
  view: number | null;
  /** Number of its first prototype among those of the experiment. */
  first: number;
  /** With the weights that decide; it takes vectors as {@link prepare} gives them, and counts its own prototypes from 0. */
  network: PrototypeNetwork;
  /** Brings vectors `[n, D]` of the space to what the network takes. */
  prepare: (vectors: Float32Array) => Float32Array;
  /** A prototype of the network as a vector of the space. */
  vectorOf: (index: number) => Float32Array;
}

/** The parts of an experiment's network, in the order in which its prototypes are counted. */
export function partsOf(
  { space, views }: Pick<Experiment, 'space' | 'views'>,
  network: AnyNetwork,
): NetworkPart[] {
  if (network instanceof PrototypeNetwork)
    return [
      {
        ...{ space, view: null, first: 0, network },
        prepare: (vectors) => vectors,
        vectorOf: (index) => network.prototypeVector(index),
      },
    ];
  return network.data.views.map((_, view) => {
    const first = network.startOf(view);
    return {
      space: views?.views[view]?.space ?? space,
      ...{ view, first, network: network.part(view) },
      prepare: (vectors) => network.standardise(view, vectors),
      vectorOf: (index) => network.prototypeVector(first + index),
    };
  });
}

/** Weight of a prototype towards every class, `[C]`. @param k as the part counts */
export function weightsIn({ network: { data, prototypeCount: K } }: NetworkPart, k: number): Float32Array {
  const own = new Float32Array(data.classes.length);
  for (let c = 0, at = k; c < own.length; c++, at += K) own[c] = data.weights[at] as number;
  return own;
}

/** The part that a prototype is of. @throws EngineError `not-found` */
export function partWith(parts: readonly NetworkPart[], index: number): NetworkPart {
  const part = parts.findLast(({ first }) => first <= index);
  const count = parts.reduce((sum, { network }) => sum + network.prototypeCount, 0);
  if (part && index < count) return part;
  throw new EngineError(
    'not-found',
    `The experiment has no prototype ${index}; it has ${count}.`,
    'It may have been removed: list the prototypes again.',
  );
}

/** The part of a view; of an experiment of one space that one. @throws EngineError `not-found` */
export function partOfView(parts: readonly NetworkPart[], view: number): NetworkPart {
  const part = parts[view];
  if (part) return part;
  throw new EngineError(
    'not-found',
    `The experiment has no view ${view}; it has ${parts.length}, counted from 0.`,
  );
}
