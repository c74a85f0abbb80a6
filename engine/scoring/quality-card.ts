import type { Pack, PackRuntime } from '../../models/packs/index.ts';
import { accuracyTable, type Views } from '../../models/benchmarks/accuracy-card.ts';
import { scoredClassifiers } from '../../models/benchmarks/classifiers.ts';
import type { LabelledWindows } from '../../models/embeddings/labelled-vectors.ts';
import { deformations, type Deformation } from '../../models/benchmarks/deformations.ts';
import { describeCollection, embedCollection, type CutSound } from '../../models/benchmarks/embed.ts';
import { HandcraftedFeatures } from '../../models/benchmarks/handcrafted.ts';
import { handcraftedJudge } from '../../models/benchmarks/judge.ts';
import { scoreOrigins } from '../../models/benchmarks/origins.ts';
import { neighbourPrecision } from '../../models/benchmarks/neighbourhood.ts';
import { sharedClasses } from '../../models/benchmarks/protocols.ts';
import { scoreRobustness } from '../../models/benchmarks/robustness.ts';
import { scoreFidelity, fidelityVariants, type HeardNetwork } from '../../models/benchmarks/fidelity.ts';
import { Pacer } from '../../models/numerics/pacer.ts';
import { witness, type Witness } from '../../models/benchmarks/witnesses.ts';
import { scoreCycle, scoreRoundTrip } from '../../models/benchmarks/sound.ts';
import { embeddingSpeed } from '../../models/benchmarks/speed.ts';
import { round } from '../../models/benchmarks/summary.ts';
import type { AccuracyTable, OriginTable, QualityCard } from '../api/quality.ts';
import { evenly } from './collections.ts';

/** A collection to score on, with what says which one it was. */
export interface ScoredCollection {
  sounds: CutSound[];
  /** SHA-256 over the names and windows of the sounds. */
  sha256: string;
}

/** What a pack is scored on; what is missing is left out of the card. */
export interface ScoreInput {
  runtime: PackRuntime;
  /** The same architecture with nothing learned. */
  twin: PackRuntime;
  instruments: ScoredCollection | null;
  rendered: ScoredCollection | null;
  styles: ScoredCollection | null;
  /** Windows to hear when no instruments are given. */
  demo: Float32Array[];
  seeds: readonly number[];
  /** Compare the remedies against blurred prototypes as well; takes several minutes. */
  fidelity: boolean;
  /** Compare sounds from noise with those from recordings; takes half an hour. */
  origins: boolean;
  /** Nearest neighbours alone; training prototype networks takes most of the time. */
  quick: boolean;
  /** Besides those that need no outside help. */
  moreDeformations: readonly Deformation[];
}

/** A card with the prototypes that were heard for it. */
export interface Scored {
  card: QualityCard;
  heard: HeardNetwork | null;
  /** The instruments through the pack's encoder. */
  embedded: LabelledWindows | null;
}

const HEARD_WINDOWS = 32;
/** Real windows of a class that sounds are compared with. */
const WITNESSED_PER_CLASS = 8;

/**
 * Scores a pack on sounds it was not trained on.
 * @throws PackError; the signal's reason
 */
export async function qualityCard(
  input: ScoreInput,
  { signal, say }: { signal: AbortSignal; say: (message: string) => void },
): Promise<Scored> {
  const { runtime, seeds, instruments, rendered, styles } = input;
  const { manifest } = runtime.pack;
  const generative = manifest.kind === 'generative';
  const card: QualityCard = {
    schema: 'archetone.quality/2',
    data: {},
    seeds,
    accuracy: {},
    speed: {
      windowsPerSecond: 0,
      secondsPerSonification: null,
      packMegabytes: round(packBytes(runtime.pack) / 1e6),
    },
  };
  for (const [name, collection] of Object.entries({ instruments, rendered, styles })) {
    if (!collection) continue;
    card.data[name] = {
      sounds: collection.sounds.length,
      windows: collection.sounds.reduce((sum, { windows }) => sum + windows.length, 0),
      classes: new Set(collection.sounds.map((sound) => sound.class)).size,
      sha256: collection.sha256,
    };
  }

  say('embedding');
  const views = {
    instruments: instruments && (await viewsOf(input, instruments.sounds, signal)),
    rendered: rendered && (await viewsOf(input, rendered.sounds, signal)),
    styles: styles && (await viewsOf(input, styles.sounds, signal)),
  };
  const table = (name: string, protocol: Parameters<typeof accuracyTable>[0]): Promise<AccuracyTable> => {
    say(`accuracy: ${name}`);
    const classifiers = scoredClassifiers.filter(({ kind }) => !input.quick || kind === 'knn');
    return accuracyTable(protocol, seeds, { signal, classifiers });
  };
  const { accuracy } = card;
  if (views.instruments)
    accuracy.instruments = await table('instruments', { kind: 'within', collection: views.instruments });
  if (views.rendered)
    accuracy.rendered = await table('rendered', { kind: 'within', collection: views.rendered });
  if (views.instruments && views.rendered) {
    const [a, b] = [views.rendered, views.instruments];
    accuracy.sharedClasses = sharedClasses(a.embedding, b.embedding);
    accuracy.renderedToInstruments = await table('rendered → instruments', { kind: 'cross', from: a, to: b });
    accuracy.instrumentsToRendered = await table('instruments → rendered', { kind: 'cross', from: b, to: a });
  }
  if (views.styles)
    accuracy.styles = await table('styles', { kind: 'leave-one-group-out', collection: views.styles });

  if (instruments && views.instruments) {
    say('neighbours and robustness');
    card.precisionAt10 = neighbourPrecision(views.instruments.embedding);
    card.robustness = await scoreRobustness(
      runtime,
      instruments.sounds,
      views.instruments.embedding,
      [...deformations, ...input.moreDeformations],
      { seed: seeds[0] ?? 1, signal },
    );
  }

  const windows = heardWindows(input);
  const [first] = windows;
  if (first) card.speed.windowsPerSecond = round(await embeddingSpeed(runtime, first), 1);
  let heard: HeardNetwork | null = null;
  if (generative && first) {
    say('round trip and cycle');
    card.roundTrip = await scoreRoundTrip(runtime, windows, { signal });
    const vectors: Float32Array[] = [];
    for (const window of windows) vectors.push(await runtime.embed(window, 1));
    const settings = { seed: seeds[0] ?? 1, signal };
    card.cycle = (await scoreCycle(runtime, vectors, settings)).score;
    card.speed.secondsPerSonification = card.cycle.secondsEach;
    if (input.origins && instruments && views.instruments)
      card.origins = await compareOrigins(runtime, instruments.sounds, views.instruments, {
        ...settings,
        say,
      });
    if (instruments && views.instruments)
      heard = await listen(runtime, instruments.sounds, views.instruments, card, input.fidelity, {
        ...settings,
        say,
      });
  }
  return { card, heard, embedded: views.instruments?.embedding ?? null };
}

async function listen(
  runtime: PackRuntime,
  sounds: readonly CutSound[],
  { embedding, mfcc }: Views,
  card: QualityCard,
  all: boolean,
  { say, ...settings }: { seed: number; signal: AbortSignal; say: (message: string) => void },
): Promise<HeardNetwork | null> {
  card.fidelity = [];
  let first: HeardNetwork | null = null;
  const features = await HandcraftedFeatures.open(runtime.pack.manifest.sampleRate);
  try {
    const judge = handcraftedJudge(features, mfcc);
    say('prototypes: what real sounds are like');
    const real = await realWindows(sounds, runtime.pack.manifest.sampleRate, settings.signal);
    for (const variant of all ? fidelityVariants : fidelityVariants.slice(0, 1)) {
      say(`prototypes: ${variant.name}`);
      const { score, heard } = await scoreFidelity(runtime, embedding, variant, { judge, real }, settings);
      card.fidelity.push(score);
      first ??= heard;
    }
  } finally {
    await features.close();
  }
  return first;
}

/** What witnesses hear in the first windows of some sounds of every class: all of them would take minutes. */
async function realWindows(
  sounds: readonly CutSound[],
  sampleRate: number,
  signal: AbortSignal,
): Promise<{ class: string; heard: Witness }[]> {
  const pacer = new Pacer(signal);
  const heard: { class: string; heard: Witness }[] = [];
  for (const name of new Set(sounds.map((sound) => sound.class)))
    for (const { windows } of evenly(
      sounds.filter((sound) => sound.class === name),
      WITNESSED_PER_CLASS,
    )) {
      await pacer.pause();
      const [window] = windows;
      if (window) heard.push({ class: name, heard: witness(window, sampleRate) });
    }
  return heard;
}

async function compareOrigins(
  runtime: PackRuntime,
  sounds: readonly CutSound[],
  { embedding }: Views,
  settings: { seed: number; signal: AbortSignal; say: (message: string) => void },
): Promise<OriginTable[]> {
  const features = await HandcraftedFeatures.open(runtime.pack.manifest.sampleRate);
  try {
    return await scoreOrigins(runtime, sounds, embedding, features, settings);
  } finally {
    await features.close();
  }
}

async function viewsOf(input: ScoreInput, sounds: CutSound[], signal: AbortSignal): Promise<Views> {
  const features = await HandcraftedFeatures.open(input.runtime.pack.manifest.sampleRate);
  try {
    return {
      embedding: await embedCollection(input.runtime, sounds, { signal }),
      randomTwin: await embedCollection(input.twin, sounds, { signal }),
      ...(await describeCollection(features, sounds, { signal })),
    };
  } finally {
    await features.close();
  }
}

/** Windows to be heard: spread over all collections, or the demo's. */
function heardWindows({ instruments, styles, demo }: ScoreInput): Float32Array[] {
  const collections = [instruments, styles].flatMap((collection) => collection ?? []);
  if (collections.length === 0) return evenly(demo, HEARD_WINDOWS);
  return collections.flatMap(({ sounds }) =>
    evenly(sounds, HEARD_WINDOWS / collections.length).flatMap((sound) => sound.windows[0] ?? []),
  );
}

function packBytes({ manifest }: Pack): number {
  return Object.values(manifest.graphs).reduce((sum, graph) => sum + (graph?.bytes ?? 0), 0);
}
