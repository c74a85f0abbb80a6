import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { continueMelody } from '../../../../models/melody/continuation/continue.ts';
import { eventsOf, type MelodyEvent } from '../../../../models/melody/continuation/events.ts';
import { learnMelodies, type LearnedMelodies } from '../../../../models/melody/continuation/learn.ts';
import {
  lstmShapes,
  lstmStepGraph,
  lstmTrainingGraph,
} from '../../../../models/melody/continuation/lstm-graph.ts';
import { LstmModel } from '../../../../models/melody/continuation/lstm.ts';
import { surpriseAt } from '../../../../models/melody/continuation/model.ts';
import {
  batchOf,
  defaultLstmSettings,
  toldOf,
  trainLstm,
  type LstmSettings,
} from '../../../../models/melody/continuation/train-lstm.ts';
import { Random } from '../../../../models/numerics/random.ts';
import { InferenceSession } from '../../../../models/onnx/runtime.ts';
import { AdamState, floatsOf, type Parameters } from '../../../../models/pecmae/adam-state.ts';
import { madeUpMelody } from '../../../support/made-up-melodies.ts';

const events = (seed: number): MelodyEvent[] => eventsOf(madeUpMelody(seed), 120);
const small: LstmSettings = {
  ...{ units: 5, layers: 2, embedding: { move: 4, duration: 3, degree: 2, beat: 2 } },
  ...{ rows: 2, length: 4, steps: 10, learningRate: 1e-2, dropout: 0.4, seed: 7 },
};

/** Numbers that leave no gate at rest. */
function drawn(settings: LstmSettings): Parameters {
  const random = new Random(11);
  return Object.fromEntries(
    Object.entries(lstmShapes(settings)).map(([name, shape]) => [
      name,
      Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 0.6 * random.normal()),
    ]),
  );
}

describe('a training step of the LSTM', () => {
  let session: InferenceSession;

  beforeAll(async () => {
    session = await InferenceSession.create(lstmTrainingGraph(small, small, { gradients: true }), {
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
    });
  });
  afterAll(() => session.release());

  it('has the gradients of its loss, through time, layers and dropout', async () => {
    const data = batchOf([toldOf(events(3)), toldOf(events(4))], small, new Random(2));
    const values = drawn(small);
    const run = async () =>
      session.run({ ...data, ...new AdamState(lstmShapes(small), values, small).feeds() });
    const lossAt = async (): Promise<number> => floatsOf(await run(), 'loss')[0] ?? NaN;
    const found = await run();
    for (const name of Object.keys(lstmShapes(small))) {
      const own = values[name] ?? new Float32Array();
      const gradient = floatsOf(found, `grad.${name}`);
      // The place where it is steepest: rounding hides the others, and embeddings that are not in the batch have none.
      const place = gradient.reduce(
        (best, g, i) => (Math.abs(g) > Math.abs(gradient[best] ?? 0) ? i : best),
        0,
      );
      const [before, by] = [own[place] ?? 0, 2e-2];
      own[place] = before + by;
      const above = await lossAt();
      own[place] = before - by;
      const below = await lossAt();
      own[place] = before;
      expect(gradient[place], name).not.toBe(0);
      const ratio = (above - below) / (2 * by) / (gradient[place] ?? NaN);
      expect(ratio, `${name} at ${place}`).toBeGreaterThan(0.97);
      expect(ratio, `${name} at ${place}`).toBeLessThan(1.03);
    }
  });

  it('loses what the network with explicit state is surprised by, event by event', async () => {
    const settings = { ...small, dropout: 0, rows: 1, length: 12 };
    const melody = events(3).slice(0, 12);
    const values = drawn(settings);
    const step = await InferenceSession.create(lstmTrainingGraph(settings, settings));
    const model = await LstmModel.open(lstmStepGraph(settings, values));
    try {
      // Windows may begin later; one that begins at the beginning holds all of it.
      let loss = NaN;
      for (let seed = 1; !(loss > 0) && seed < 40; seed++) {
        const data = batchOf([toldOf(melody)], settings, new Random(seed));
        if ((data['weight']?.data as Float32Array).some((one) => one === 0)) continue;
        const found = await step.run({
          ...data,
          ...new AdamState(lstmShapes(settings), values, settings).feeds(),
        });
        loss = floatsOf(found, 'loss')[0] ?? NaN;
      }
      // All pitches of it lie within the moves, so that moves are pitches.
      const surprise = await surpriseAt(model, [melody]);
      expect(loss).toBeGreaterThan(0);
      expect(surprise.perNote).toBeCloseTo(loss, 4);
      expect(surprise.ofDuration).toBeGreaterThan(0);
    } finally {
      await step.release();
      await model.close();
    }
  });
});

describe('a trained LSTM', () => {
  const quick: LstmSettings = {
    ...defaultLstmSettings,
    units: 48,
    steps: 250,
    dropout: 0,
    rows: 8,
    length: 24,
  };

  it('gives the same bytes for the same seed, others for another', async () => {
    const some = [events(1), events(2)];
    const short = { ...quick, steps: 6 };
    const [one, two, other] = [
      await trainLstm(some, short, {}),
      await trainLstm(some, short, {}),
      await trainLstm(some, { ...short, seed: 2 }, {}),
    ];
    expect(Buffer.compare(one.graph, two.graph)).toBe(0);
    expect(Buffer.compare(one.graph, other.graph)).not.toBe(0);
  });

  it(
    'learns one melody by heart, and plays it where nothing is left to chance',
    { timeout: 120_000 },
    async () => {
      const notes = madeUpMelody(8).slice(0, 20);
      const melody = eventsOf(notes, 120);
      const { graph } = await trainLstm([melody], quick, {});
      const model = await LstmModel.open(graph);
      try {
        expect((await surpriseAt(model, [melody])).perNote).toBeLessThan(0.05);
        const settings = { beatsPerMinute: 120, bars: 3, temperature: 0, seed: 1 };
        const first = notes.slice(0, 4);
        const added = await continueMelody(model, first, settings);
        expect(added.length).toBeGreaterThan(5);
        expect(added.map(({ midiPitch }) => midiPitch)).toEqual(
          notes.slice(4, 4 + added.length).map(({ midiPitch }) => midiPitch),
        );
      } finally {
        await model.close();
      }
    },
  );

  it('can be stopped', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(trainLstm([events(1)], quick, {}, { signal })).rejects.toThrow('enough');
  });

  it('refuses a graph that is another', async () => {
    const graph = lstmTrainingGraph(small, small);
    await expect(LstmModel.open(graph)).rejects.toThrow('does not continue melodies');
  });

  it(
    'knows melodies of a grammar that it did not learn from better than the chain does',
    { timeout: 300_000 },
    async () => {
      const melodies = Array.from({ length: 30 }, (_, i) => events(300 + i));
      const shares: number[] = [];
      const learned: LearnedMelodies = await learnMelodies(melodies, {
        settings: { ...defaultLstmSettings, units: 64, steps: 300 },
        onProgress: (share) => shares.push(share),
      });
      const { figures } = learned;
      const [lstm, markov, unigram, uniform] = [
        figures?.lstm?.perNote ?? NaN,
        figures?.markov.perNote ?? NaN,
        figures?.unigram.perNote ?? NaN,
        figures?.uniform.perNote ?? NaN,
      ];
      expect(lstm).toBeLessThan(markov);
      expect(markov).toBeLessThan(unigram);
      expect(unigram).toBeLessThan(uniform);
      // Without its order a melody is known worse.
      expect(figures?.shuffled.perNote).toBeGreaterThan(lstm + 1);
      expect(learned).toMatchObject({ better: 'lstm', melodies: 30 });
      // Half of what was held out chose, the other half is told.
      expect(figures).toMatchObject({ melodies: 6, chosenBy: 6 });
      expect(shares.at(-1)).toBeCloseTo(1, 5);
      expect(shares.every((share, i) => share >= (shares[i - 1] ?? 0))).toBe(true);
      const model = await LstmModel.open(learned.lstm ?? new Uint8Array());
      await model.close();
    },
  );
});
