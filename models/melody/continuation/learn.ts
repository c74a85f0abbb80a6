import { Random } from '../../numerics/random.ts';
import { at } from '../../numerics/vectors.ts';
import { REST, type MelodyEvent } from './events.ts';
import { LstmModel } from './lstm.ts';
import { markovModel, uniformModel } from './markov.ts';
import { surpriseAt, type MelodyModel, type Surprise } from './model.ts';
import { defaultLstmSettings, trainLstm, type LstmSettings } from './train-lstm.ts';

export type MelodyModelKind = 'markov' | 'lstm';

/** With fewer different melodies an LSTM is not learned. */
export const LEAST_FOR_LSTM = 10;
/** With fewer nothing is held out. */
const LEAST_TO_HOLD_OUT = 3;
const HELD_OUT = 0.2;
/** Steps of the schedule, of which the LSTM takes part in both trainings. */
const TRAININGS = 2;

/** How well models know melodies that they did not learn from, and by which none of them was chosen. */
export interface MelodyFigures {
  /** Melodies that were asked about, and their notes and rests. */
  melodies: number;
  notes: number;
  /** Other melodies that were held out, by which the better model was chosen; 0 where there was only one. */
  chosenBy: number;
  /** Every pitch and duration alike. */
  uniform: Surprise;
  /** How often each is, whatever came before. */
  unigram: Surprise;
  markov: Surprise;
  /** Null with too few melodies. */
  lstm: Surprise | null;
  /** The better one with the notes of each melody in another order: what the order tells. */
  shuffled: Surprise;
}

/** What was learned from melodies. */
export interface LearnedMelodies {
  /** Different melodies that were learned from, and their notes and rests. */
  melodies: number;
  notes: number;
  /** Null with too few melodies to hold some out. */
  figures: MelodyFigures | null;
  /** The one that knew melodies better that choose; a Markov chain where that is not known. */
  better: MelodyModelKind;
  /** Graph of the LSTM, learned from all melodies for as many steps as were best; null with too few. */
  lstm: Uint8Array | null;
}

export interface LearnMelodiesOptions {
  settings?: LstmSettings;
  signal?: AbortSignal;
  /** @param share of the work that is done, 0…1 */
  onProgress?: (share: number) => void;
  pace?: () => Promise<void>;
}

type Melodies = readonly (readonly MelodyEvent[])[];

/**
 * Learns from melodies, and measures on some of them, held out by a seed, what was learned from the others: a fifth, or with an LSTM
 * two fifths, half of which choose the model while the other half is reported. The LSTM is kept as it was best on a fifth of the
 * others, and then learned again from all. Melodies that are alike but for their key count once.
 * @throws RangeError without notes; the signal's reason
 */
export async function learnMelodies(
  all: Melodies,
  { settings = defaultLstmSettings, signal, onProgress, pace }: LearnMelodiesOptions = {},
): Promise<LearnedMelodies> {
  const melodies = different(all);
  const notes = melodies.reduce((sum, { length }) => sum + length, 0);
  if (notes === 0) throw new RangeError('no melody to learn from');
  const told = { melodies: melodies.length, notes };
  if (melodies.length < LEAST_TO_HOLD_OUT) return { ...told, figures: null, better: 'markov', lstm: null };
  const random = new Random(settings.seed);
  const [reported, others] = parted(random.shuffle(melodies));
  // What chose a model has an interest in its figures.
  const [choosing, rest]: [Melodies, Melodies] =
    melodies.length < LEAST_FOR_LSTM ? [[], others] : parted(others, reported.length);
  const of = (model: MelodyModel): Promise<Surprise> => surpriseAt(model, reported, signal);
  const chain = await markovModel(rest, { signal });
  const markov = await of(chain);
  const open: LstmModel[] = [];
  try {
    let [lstm, steps]: [Surprise | null, number] = [null, 0];
    let better: MelodyModelKind = 'markov';
    if (melodies.length >= LEAST_FOR_LSTM) {
      const [validation, training] = parted(rest);
      const trained = await trainLstm(
        training,
        settings,
        { validation },
        {
          ...(signal && { signal }),
          ...(pace && { pace }),
          onStep: (step) => onProgress?.(step / settings.steps / TRAININGS),
        },
      );
      steps = trained.step;
      open.push(await LstmModel.open(trained.graph));
      const [network] = open;
      if (network) {
        lstm = await of(network);
        const [byNetwork, byChain] = [
          await surpriseAt(network, choosing, signal),
          await surpriseAt(chain, choosing, signal),
        ];
        if (byNetwork.perNote < byChain.perNote) better = 'lstm';
      }
    }
    const best = better === 'lstm' ? (open[0] ?? chain) : chain;
    const figures: MelodyFigures = {
      ...{ melodies: reported.length, notes: markov.notes, chosenBy: choosing.length, markov, lstm },
      uniform: await of(uniformModel()),
      unigram: await of(await markovModel(rest, { order: 0, signal })),
      shuffled: await surpriseAt(
        best,
        reported.map((melody) => disordered(melody, random)),
        signal,
      ),
    };
    if (lstm === null) return { ...told, figures, better, lstm: null };
    const { graph } = await trainLstm(
      melodies,
      settings,
      { until: steps },
      {
        ...(signal && { signal }),
        ...(pace && { pace }),
        onStep: (step) => onProgress?.((1 + step / steps) / TRAININGS),
      },
    );
    return { ...told, figures, better, lstm: graph };
  } finally {
    await Promise.allSettled(open.map((model) => model.close()));
  }
}

/** Melodies without those that are another one in another key, and those without notes. */
export function different(melodies: Melodies): Melodies {
  const known = new Map<string, readonly MelodyEvent[]>();
  for (const melody of melodies) {
    const first = melody.find(({ pitch }) => pitch !== REST)?.pitch;
    if (first === undefined) continue;
    const key = JSON.stringify(
      melody.map(({ pitch, duration }) => [pitch === REST ? null : pitch - first, duration]),
    );
    if (!known.has(key)) known.set(key, melody);
  }
  return [...known.values()];
}

/** A fifth, or so many, and the rest. */
function parted(
  melodies: Melodies,
  count = Math.max(1, Math.round(HELD_OUT * melodies.length)),
): [Melodies, Melodies] {
  return [melodies.slice(0, count), melodies.slice(count)];
}

/** The same pitches with the same durations, in another order; each place keeps where in the bar it was. */
function disordered(melody: readonly MelodyEvent[], random: Random): MelodyEvent[] {
  const order = random.shuffle(melody.map((_, i) => i));
  return melody.map(({ beat }, i) => {
    const { pitch, duration } = melody[at(order, i)] ?? { pitch: REST, duration: 0 };
    return { pitch, duration, beat };
  });
}
