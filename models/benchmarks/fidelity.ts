import { rmsDbfs } from '../audio/level.ts';
import type { PackRuntime } from '../packs/runtime.ts';
import type { PrototypeNetwork } from '../pecmae/network.ts';
import { defaultTrainParameters, trainPrototypeNetwork, type TrainParameters } from '../pecmae/trainer.ts';
import { trainingSet } from './classifiers.ts';
import type { LabelledWindows } from '../embeddings/labelled-vectors.ts';
import { classOfTracks } from '../embeddings/tracks.ts';
import { averageRanks } from '../evaluation/statistics/ranks.ts';
import { Fourier, magnitudes } from './fourier.ts';
import type { Judge } from './judge.ts';
import { nearestDistances } from './neighbourhood.ts';
import { classRetention, scoreCycle, type SoundSettings } from './sound.ts';
import { meanOf, quantile, round } from './summary.ts';
import { scoreWitnesses, witness, type Witness, type WitnessScore } from './witnesses.ts';

/** One way of making prototypes and making them audible. */
export interface FidelityVariant {
  name: string;
  train?: Partial<TrainParameters>;
  sound?: { guidance?: number; candidates?: number; accept?: number; steps?: number };
}

/** What a variant does to the prototypes of a collection and to their sound. */
export interface FidelityScore {
  name: string;
  prototypes: number;
  /**
   * Distance of a prototype to the nearest embedding of its class, in units of the median distance between an
   * embedding and its nearest neighbour of the same class: 0 lies on a real sound, 1 as far as real sounds from
   * each other.
   */
  distance: number;
  /** Share of prototypes whose sonification is assigned to their class. */
  classRetention: number;
  /** The same, judged by the MFCC+Δ of the sonifications instead of by the pack and its network. */
  mfccRetention: number;
  cycleCosine: number;
  /** Medians over the sonifications. */
  rmsDbfs: number;
  flatness: number;
  /** Spearman correlations over the prototypes between their distance and what is heard. */
  distanceAgainst: { rmsDbfs: number; flatness: number; cycleCosine: number };
  secondsEach: number;
  /** Pitch, harmonics, onset and level against the real windows of the class, where those were given. */
  witnesses?: WitnessScore;
}

/** The remedies that the report compares; the first one is what the application does by default. */
export const fidelityVariants: readonly FidelityVariant[] = [
  { name: 'default' },
  { name: 'stronger prototype loss (λ = 0.05)', train: { lambda: 0.05 } },
  { name: 'weaker prototype loss (λ = 0.75)', train: { lambda: 0.75 } },
  { name: 'medoids instead of k-means centroids', train: { initialisation: 'medoid' } },
  { name: 'projected to the nearest embedding of the class', train: { projection: 'nearest' } },
  { name: 'guidance 1', sound: { guidance: 1 } },
  { name: 'one candidate', sound: { candidates: 1 } },
];

/** A trained network with the sounds of its prototypes. */
export interface HeardNetwork {
  network: PrototypeNetwork;
  sounds: Float32Array[];
  kept: boolean[];
  cosines: number[];
}

/**
 * Trains a network on a whole collection and listens to each of its prototypes.
 * @param collection windows as the pack embeds them, not standardised
 * @param judge who else says what class a sound is of
 * @param real what witnesses heard in windows of recordings, with their classes
 */
export async function scoreFidelity(
  runtime: PackRuntime,
  collection: LabelledWindows,
  variant: FidelityVariant,
  { judge, real }: { judge: Judge; real: readonly { class: string; heard: Witness }[] },
  settings: SoundSettings,
): Promise<{ score: FidelityScore; heard: HeardNetwork }> {
  const set = trainingSet(collection);
  const classes = set.labelNames;
  const parameters = { ...defaultTrainParameters, seed: settings.seed, ...variant.train };
  const { network } = await trainPrototypeNetwork(set, null, parameters, { signal: settings.signal });
  const count = classes.length * network.data.prototypesPerClass;
  const vectors = Array.from({ length: count }, (_, k) => network.prototypeVector(k));
  const distances = relativeDistances(set, network, vectors);
  const { score, sounds, embeddings, cosines } = await scoreCycle(runtime, vectors, {
    ...settings,
    ...variant.sound,
  });
  const { retention, kept } = classRetention(network, embeddings);
  const wanted = sounds.map((_, k) => classes[network.classOf(k)] ?? '');
  const levels = sounds.map(rmsDbfs);
  const flatness = await flatnessOf(sounds);
  return {
    heard: { network, sounds, kept, cosines },
    score: {
      name: variant.name,
      prototypes: count,
      distance: round(meanOf(distances), 3),
      classRetention: retention,
      mfccRetention: await judge(sounds, wanted, settings.signal),
      cycleCosine: score.cycleCosine,
      rmsDbfs: round(quantile(levels, 0.5), 1),
      flatness: round(quantile(flatness, 0.5), 4),
      distanceAgainst: {
        rmsDbfs: round(spearman(distances, levels)),
        flatness: round(spearman(distances, flatness)),
        cycleCosine: round(spearman(distances, cosines)),
      },
      secondsEach: score.secondsEach,
      ...(real.length > 0 && {
        witnesses: scoreWitnesses(
          sounds.map((samples, k) => ({
            class: wanted[k] ?? '',
            heard: witness(samples, runtime.pack.manifest.sampleRate),
          })),
          real,
        ),
      }),
    },
  };
}

function relativeDistances(
  collection: LabelledWindows,
  network: PrototypeNetwork,
  vectors: readonly Float32Array[],
): number[] {
  const { dim, features, tracks, labelNames } = collection;
  const classes = classOfTracks(collection);
  const perClass = labelNames.map((name) => {
    const rows = [...tracks.of.keys()].filter((row) => classes[tracks.of[row] ?? -1] === name);
    return rows.map((row) => ({
      vector: features.subarray(row * dim, (row + 1) * dim),
      track: tracks.of[row],
    }));
  });
  const between = perClass.flatMap((members) => {
    const all = members.map(({ vector }) => vector);
    return nearestDistances(all, all, (i, j) => members[i]?.track === members[j]?.track);
  });
  const unit = quantile(between.filter(Number.isFinite), 0.5);
  return vectors.map((vector, k) => {
    const own = (perClass[network.classOf(k)] ?? []).map((member) => member.vector);
    return (nearestDistances([vector], own)[0] ?? Infinity) / unit;
  });
}

/** Spectral flatness of each sound, 0 (a tone) … 1 (white noise): power-weighted mean over its frames. */
async function flatnessOf(sounds: readonly Float32Array[]): Promise<number[]> {
  const fourier = await Fourier.open(1024, 512);
  try {
    const values: number[] = [];
    for (const sound of sounds) {
      const spectrum = magnitudes(await fourier.analyse(sound));
      let [weighted, total] = [0, 0];
      for (let first = 0; first < spectrum.length; first += fourier.bins) {
        const powers = spectrum.subarray(first, first + fourier.bins).map((m) => m * m + 1e-12);
        const mean = meanOf(Array.from(powers));
        const geometric = Math.exp(meanOf(Array.from(powers, Math.log)));
        weighted += geometric;
        total += mean;
      }
      values.push(weighted / total);
    }
    return values;
  } finally {
    await fourier.close();
  }
}

/** Rank correlation, −1 … 1; 0 when one side does not vary. Ties get their mean rank. */
export function spearman(a: readonly number[], b: readonly number[]): number {
  const [x, y] = [averageRanks(a).ranks, averageRanks(b).ranks];
  const [mx, my] = [meanOf(x), meanOf(y)];
  let [xy, xx, yy] = [0, 0, 0];
  x.forEach((value, i) => {
    const other = (y[i] ?? 0) - my;
    xy += (value - mx) * other;
    xx += (value - mx) ** 2;
    yy += other ** 2;
  });
  return xx === 0 || yy === 0 ? 0 : xy / Math.sqrt(xx * yy);
}
