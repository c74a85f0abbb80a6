import { BAR_BEATS, DURATIONS, REST, type MelodyEvent } from './events.ts';

/** Semitones up or down that are a move of their own. */
const WIDEST = 24;
const MOVE_REST = 2 * WIDEST + 1;
/** To a pitch that is further away, and the first of a melody where it is far from {@link MIDDLE}. */
const MOVE_FAR = MOVE_REST + 1;
/** Moves from one note to the next: by −24…24 semitones, to a rest, further. */
export const MOVES = MOVE_FAR + 1;
/** What the first pitch is counted from: middle C. */
const MIDDLE = 60;
const QUARTERS = 4;

/** Sizes of what the network is told of the note before and of its place; the last of each of the first three is “none yet”. */
export const INPUTS = {
  /** How the note before was reached. */
  move: MOVES + 1,
  /** How long it was. */
  duration: DURATIONS + 1,
  /** Its pitch class, counted from the first pitch of the melody. */
  degree: 13,
  /** Where in its bar the next event begins, in quarters of a beat. */
  beat: BAR_BEATS * QUARTERS,
} as const;
export type InputName = keyof typeof INPUTS;
export const inputNames = Object.keys(INPUTS) as InputName[];
export type EventInputs = Record<InputName, number>;

/** What a network is told before the next event, as a melody goes on. */
export class Heard {
  #first: number | null = null;
  #last: number | null = null;
  #before: Omit<EventInputs, 'beat'> = {
    move: INPUTS.move - 1,
    duration: INPUTS.duration - 1,
    degree: INPUTS.degree - 1,
  };

  inputs(beat: number): EventInputs {
    return { ...this.#before, beat: Math.floor(beat * QUARTERS + 1e-6) % INPUTS.beat };
  }

  /** The move to a pitch from where the melody is. */
  moveTo(pitch: number): number {
    if (pitch === REST) return MOVE_REST;
    const semitones = pitch - (this.#last ?? MIDDLE);
    return Math.abs(semitones) > WIDEST ? MOVE_FAR : semitones + WIDEST;
  }

  /** Probabilities of pitches from those of moves: of what is further away, all alike. */
  pitchesOf(moves: Float32Array | Float64Array): Float64Array {
    const pitches = new Float64Array(REST + 1);
    const far: number[] = [];
    let sum = 0;
    for (let pitch = 0; pitch <= REST; pitch++) {
      const move = this.moveTo(pitch);
      if (move === MOVE_FAR) far.push(pitch);
      else sum += pitches[pitch] = moves[move] ?? 0;
    }
    for (const pitch of far) sum += pitches[pitch] = (moves[MOVE_FAR] ?? 0) / far.length;
    // Moves out of MIDI's range are none.
    return pitches.map((p) => p / sum);
  }

  take({ pitch, duration }: MelodyEvent): void {
    const move = this.moveTo(pitch);
    if (pitch !== REST) {
      this.#first ??= pitch;
      this.#last = pitch;
    }
    const degree =
      this.#first === null || this.#last === null
        ? INPUTS.degree - 1
        : (((this.#last - this.#first) % 12) + 12) % 12;
    this.#before = { move, duration, degree };
  }
}
