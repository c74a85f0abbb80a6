import { InferenceSession, Tensor } from '../../onnx/runtime.ts';
import { floatsOf } from '../../pecmae/adam-state.ts';
import { DURATIONS, type MelodyEvent } from './events.ts';
import { Heard, inputNames } from './inputs.ts';
import type { MelodyModel, Walk } from './model.ts';

/**
 * A trained LSTM, opened: a graph of {@link lstmStepGraph} and the state it is in along each melody. {@link close} gives its
 * memory back.
 */
export class LstmModel implements MelodyModel {
  readonly #session: InferenceSession;
  readonly #state: readonly number[];

  private constructor(session: InferenceSession, state: readonly number[]) {
    this.#session = session;
    this.#state = state;
  }

  /** @param graph its bytes; @throws Error for bytes that are no such graph */
  static async open(graph: Uint8Array): Promise<LstmModel> {
    const session = await InferenceSession.create(graph, { intraOpNumThreads: 1, interOpNumThreads: 1 });
    const h = session.inputMetadata.find(({ name }) => name === 'h');
    const dims = h?.isTensor ? h.shape.map(Number) : [];
    if (dims.length !== 2 || dims.some((size) => !(size > 0))) {
      await session.release();
      throw new Error('this graph does not continue melodies');
    }
    return new LstmModel(session, dims);
  }

  begin(): Walk {
    const heard = new Heard();
    const size = this.#state.reduce((a, b) => a * b, 1);
    const zero = (): Tensor => new Tensor('float32', new Float32Array(size), this.#state);
    let state = { h: zero(), c: zero() };
    /** Of the place that was asked for last: what follows it goes on from there. */
    let asked: { beat: number; after: typeof state } | null = null;
    const run = async (beat: number): Promise<{ moves: Float32Array; durations: Float32Array }> => {
      const inputs = heard.inputs(beat);
      const feeds: Record<string, Tensor> = { ...state };
      for (const name of inputNames)
        feeds[name] = new Tensor('int64', BigInt64Array.of(BigInt(inputs[name])), [1]);
      const found = await this.#session.run(feeds);
      const [h, c] = [found['nextH'], found['nextC']];
      if (!h || !c) throw new Error('the melody network gave no state');
      asked = { beat, after: { h, c } };
      return { moves: floatsOf(found, 'moves'), durations: floatsOf(found, 'durations') };
    };
    return {
      next: async (beat) => {
        const { moves, durations } = await run(beat);
        const move = new Map<number, number>();
        for (let pitch = 0; pitch <= 128; pitch++) move.set(pitch, heard.moveTo(pitch));
        return {
          pitches: heard.pitchesOf(moves.map(Math.exp)),
          durations: (pitch) => {
            const from = (move.get(pitch) ?? 0) * DURATIONS;
            return Float64Array.from(durations.subarray(from, from + DURATIONS), Math.exp);
          },
        };
      },
      take: (event: MelodyEvent) => {
        // The state has seen the note before this one, and where this one begins.
        if (!asked) throw new Error('a melody goes on only from a place that was asked for');
        state = asked.after;
        asked = null;
        heard.take(event);
      },
    };
  }

  close(): Promise<void> {
    return this.#session.release();
  }
}
