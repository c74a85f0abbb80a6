import type { LabelledWindows } from '../embeddings/labelled-vectors.ts';
import { classOfTracks, selectTracks } from '../embeddings/tracks.ts';
import { groupedFolds } from '../evaluation/splits/folds.ts';
import { cosine } from '../numerics/distances.ts';
import type { PackRuntime } from '../packs/runtime.ts';
import type { PrototypeNetwork } from '../pecmae/network.ts';
import { defaultTrainParameters, trainPrototypeNetwork } from '../pecmae/trainer.ts';
import { pitchClarity } from './clarity.ts';
import { trainingSet } from './classifiers.ts';
import { describeCollection, type CutSound } from './embed.ts';
import type { HandcraftedFeatures } from './handcrafted.ts';
import { handcraftedJudge, type Judge } from './judge.ts';
import { nearestRow } from './neighbourhood.ts';
import { classRetention, scoreCycle, type SoundSettings } from './sound.ts';
import { meanOf, quantile, round } from './summary.ts';

/** What prototypes sound like that are made in one way. */
export interface OriginScore {
  /** `noise`, a share of noise over the nearest recording, or the recordings themselves. */
  name: string;
  cycleCosine: number;
  /** Share of sounds that the network assigns to the prototype's class. */
  classRetention: number;
  /** Share that five real sounds nearest in MFCC+Δ, level-free, assign to it: sounds the network never met. */
  mfccRetention: number;
  /** Median over the sounds of pitched classes; null where no class is pitched. */
  pitchClarity: number | null;
  secondsEach: number;
}

/** The ways of sounding on one half of a collection, judged by the other. */
export interface OriginTable {
  /** Sounds the prototypes were trained on, whose windows sounds start from; sounds of the judge. */
  trained: number;
  judge: number;
  prototypes: number;
  pitchedClasses: number;
  rows: OriginScore[];
}

/** Shares of noise that are compared. */
export const comparedShares: readonly number[] = [0.3, 0.5, 0.65, 0.8];
/** A class whose real sounds have a median clarity from here on is pitched. */
const PITCHED = 0.8;

/**
 * Compares sounds made from noise with those made from the nearest recording of the class. A collection is cut in halves,
 * by class: prototypes are trained on one, which also gives the recordings, and the judge knows the other alone, or it
 * would find the very recording that a sound began with. The second table has the halves exchanged.
 * @param collection the sounds as the pack embeds them, in the same order, not standardised
 */
export async function scoreOrigins(
  runtime: PackRuntime,
  sounds: readonly CutSound[],
  collection: LabelledWindows,
  features: HandcraftedFeatures,
  { say, ...settings }: SoundSettings & { say: (message: string) => void },
): Promise<OriginTable[]> {
  const halves = halvesOf(collection, settings.seed);
  const tables: OriginTable[] = [];
  for (const [number, [ours, theirs]] of [halves, [...halves].reverse()].entries()) {
    const pick = (half: ReadonlySet<string> | undefined) =>
      [...sounds.keys()].filter((track) => half?.has(sounds[track]?.group ?? '') === true);
    const [own, other] = [new Set(pick(ours)), pick(theirs)];
    const train = selectTracks(collection, (track) => own.has(track));
    const windows = [...own].flatMap((track) => sounds[track]?.windows ?? []);
    const known = other.flatMap((track) => sounds[track] ?? []);
    const { mfcc } = await describeCollection(features.levelFree, known, settings);
    const judge = handcraftedJudge(features.levelFree, mfcc);
    say(`sounds from noise and from recordings: half ${number + 1}`);
    tables.push(await scoreHalf(runtime, { train, windows, judge, judged: known.length }, settings));
  }
  return tables;
}

interface Half {
  train: LabelledWindows;
  /** The waveform of every row. */
  windows: readonly Float32Array[];
  judge: Judge;
  /** Sounds the judge knows. */
  judged: number;
}

async function scoreHalf(
  runtime: PackRuntime,
  { train, windows, judge, judged }: Half,
  settings: SoundSettings,
): Promise<OriginTable> {
  const { sampleRate } = runtime.pack.manifest;
  const set = trainingSet(train);
  const parameters = { ...defaultTrainParameters, seed: settings.seed };
  const { network } = await trainPrototypeNetwork(set, null, parameters, { signal: settings.signal });
  const classes = set.labelNames;
  const count = classes.length * network.data.prototypesPerClass;
  const vectors = Array.from({ length: count }, (_, k) => network.prototypeVector(k));
  const wanted = vectors.map((_, k) => classes[network.classOf(k)] ?? '');
  const starts = nearestOfClass(set, network, vectors);
  const recordings = starts.map((row) => windows[row] ?? new Float32Array());
  const pitched = new Set(
    classes.filter((name) => clarityOf(recordings.filter((_, k) => wanted[k] === name)) >= PITCHED),
  );
  const row = async (
    name: string,
    sounds: readonly Float32Array[],
    embeddings: readonly Float32Array[],
    secondsEach: number,
  ): Promise<OriginScore> => ({
    name,
    cycleCosine: round(meanOf(vectors.map((z, k) => cosine(z, embeddings[k] ?? z))), 3),
    classRetention: classRetention(network, embeddings).retention,
    mfccRetention: await judge(sounds, wanted, settings.signal),
    pitchClarity:
      pitched.size === 0 ? null : round(clarityOf(sounds.filter((_, k) => pitched.has(wanted[k] ?? ''))), 3),
    secondsEach,
  });
  const rows: OriginScore[] = [];
  const made = async (name: string, from?: { share: number }) => {
    const { score, sounds, embeddings } = await scoreCycle(runtime, vectors, {
      ...settings,
      ...(from && { from: { ...from, windows: recordings } }),
    });
    rows.push(await row(name, sounds, embeddings, score.secondsEach));
  };
  await made('noise');
  for (const share of [...comparedShares].sort((a, b) => b - a)) await made(`recording, ${share}`, { share });
  const embedded = recordings.map((_, k) =>
    set.features.subarray((starts[k] ?? 0) * set.dim, ((starts[k] ?? 0) + 1) * set.dim),
  );
  rows.push(await row('the recordings', recordings, embedded, 0));
  return {
    trained: train.tracks.ids.length,
    judge: judged,
    prototypes: count,
    pitchedClasses: pitched.size,
    rows,
  };

  function clarityOf(sounds: readonly Float32Array[]): number {
    return quantile(
      sounds.map((samples) => pitchClarity(samples, sampleRate)),
      0.5,
    );
  }
}

/** Two halves of the groups, by class. */
function halvesOf(collection: LabelledWindows, seed: number): ReadonlySet<string>[] {
  const classes = classOfTracks(collection);
  const items = collection.tracks.groups.map((group, track) => ({
    group,
    label: collection.labelNames.indexOf(classes[track] ?? ''),
  }));
  return groupedFolds(items, 2, seed, 'by-class');
}

/** Of every prototype, the row of its class that is nearest to it. */
function nearestOfClass(
  set: LabelledWindows,
  network: PrototypeNetwork,
  vectors: readonly Float32Array[],
): number[] {
  const { dim, labels, labelNames } = set;
  return vectors.map((vector, k) => {
    const rows = [...set.tracks.of.keys()].filter(
      (row) => labels[row * labelNames.length + network.classOf(k)] === 1,
    );
    const features = new Float32Array(rows.length * dim);
    rows.forEach((row, i) => features.set(set.features.subarray(row * dim, (row + 1) * dim), i * dim));
    return rows[nearestRow(vector, { ...set, features, count: rows.length })] ?? 0;
  });
}
