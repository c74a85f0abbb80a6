import { Pacer } from '../../numerics/pacer.ts';
import { at } from '../../numerics/vectors.ts';
import { REST, type MelodyEvent } from './events.ts';

/** What may come next; both sum to 1. */
export interface NextEvent {
  /** Probability of each MIDI note number and, last, of a rest. */
  pitches: Float64Array;
  /** Probability of each duration, given that this pitch is next. */
  durations: (pitch: number) => Float64Array;
}

/** A walk along a melody, event by event. */
export interface Walk {
  /** @param beat where in its bar the next event begins */
  next: (beat: number) => Promise<NextEvent>;
  /** Goes on behind an event. */
  take: (event: MelodyEvent) => void;
}

/** What says how a melody goes on. */
export interface MelodyModel {
  /** From the beginning of a melody. */
  begin: () => Walk;
}

/** In units of {@link Pacer.due}. */
export const WORK_PER_EVENT = 4000;

/** Nats that a model is surprised by: the lower, the better it knew. */
export interface Surprise {
  /** Mean over the notes and rests of −log p, of pitch and duration together. */
  perNote: number;
  /** Its part that comes from the pitches. */
  ofPitch: number;
  /** Its part that comes from the durations. */
  ofDuration: number;
  notes: number;
}

/**
 * Held-out negative log-likelihood per note, in nats; each melody from its beginning.
 * @throws RangeError without events; the signal's reason
 */
export async function surpriseAt(
  model: MelodyModel,
  melodies: readonly (readonly MelodyEvent[])[],
  signal?: AbortSignal,
): Promise<Surprise> {
  let [ofPitch, ofDuration, notes] = [0, 0, 0];
  const pacer = new Pacer(signal);
  for (const melody of melodies) {
    const walk = model.begin();
    for (const event of melody) {
      if (pacer.due(WORK_PER_EVENT)) await pacer.pause();
      const { pitches, durations } = await walk.next(event.beat);
      ofPitch -= Math.log(at(pitches, event.pitch));
      ofDuration -= Math.log(at(durations(event.pitch), event.duration));
      notes += 1;
      walk.take(event);
    }
  }
  if (notes === 0) throw new RangeError('no melody to be surprised by');
  return {
    perNote: (ofPitch + ofDuration) / notes,
    ofPitch: ofPitch / notes,
    ofDuration: ofDuration / notes,
    notes,
  };
}

/** The last pitch that sounded; null before the first. */
export function lastPitch(events: readonly MelodyEvent[]): number | null {
  for (let i = events.length - 1; i >= 0; i--) {
    const pitch = events[i]?.pitch ?? REST;
    if (pitch !== REST) return pitch;
  }
  return null;
}
