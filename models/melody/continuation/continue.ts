import { Pacer } from '../../numerics/pacer.ts';
import { Random } from '../../numerics/random.ts';
import { at } from '../../numerics/vectors.ts';
import { MelodyError } from '../errors.ts';
import { endOf, inOrder, type Note } from '../note.ts';
import { BAR_BEATS, beatInBar, DURATION_BEATS, durationClass, eventsOf, REST, upperVoice } from './events.ts';
import { WORK_PER_EVENT, type MelodyModel } from './model.ts';

export interface ContinueSettings {
  beatsPerMinute: number;
  /** Bars of four beats that are added. */
  bars: number;
  /** 0: always the most probable; 1: as probable as the model says; above: more surprising. */
  temperature: number;
  seed: number;
}

/** Of what may come next, the most probable whose probabilities sum to this are drawn from (Holtzman and others 2020). */
const TOP = 0.9;
/** New notes begin on sixteenths. */
const STEPS = 4;
/** Of a sixteenth, which a note may end late without moving what follows. */
const LATE = 0.1;
/** Beats; what is left of the last bar is not filled with less. */
const SHORTEST = 1 / 16;
const DEFAULT_VELOCITY = 100;
/** Notes whose velocity the new ones have. */
const LATEST = 8;

/**
 * What comes after a melody: so many bars of one voice, from the first sixteenth behind its last note on. The highest voice is
 * what is gone on from; without notes a melody begins. Same model, same notes, same settings: same notes.
 * @returns the new notes alone
 * @throws MelodyError when there would be nothing but a rest; the signal's reason
 */
export async function continueMelody(
  model: MelodyModel,
  notes: readonly Note[],
  { beatsPerMinute, bars, temperature, seed }: ContinueSettings,
  signal?: AbortSignal,
): Promise<Note[]> {
  const random = new Random(seed);
  const pacer = new Pacer(signal);
  const walk = model.begin();
  const perBeat = 60 / beatsPerMinute;
  const start = Math.max(0, Math.ceil((endOf(notes) / perBeat) * STEPS - LATE) / STEPS);
  const events = eventsOf(notes, beatsPerMinute);
  // Other voices may sound on: the one that is gone on from is silent from here.
  const ended = endOf(upperVoice(notes, beatsPerMinute).slice(-1)) / perBeat;
  if (notes.length > 0 && start - ended >= SHORTEST * 3)
    events.push({ pitch: REST, duration: durationClass(start - ended), beat: beatInBar(ended) });
  for (const event of events) {
    if (pacer.due(WORK_PER_EVENT)) await pacer.pause();
    await walk.next(event.beat);
    walk.take(event);
  }
  const end = start + bars * BAR_BEATS;
  const velocity = usual(notes);
  const added: Note[] = [];
  for (let beat = start; end - beat >= SHORTEST;) {
    if (pacer.due(WORK_PER_EVENT)) await pacer.pause();
    const { pitches, durations } = await walk.next(beatInBar(beat));
    const pitch = draw(pitches, temperature, random);
    const duration = draw(durations(pitch), temperature, random);
    const beats = Math.min(at(DURATION_BEATS, duration), end - beat);
    if (pitch !== REST)
      added.push({
        ...{ onsetSeconds: beat * perBeat, durationSeconds: beats * perBeat },
        ...{ midiPitch: pitch, velocity },
      });
    walk.take({ pitch, duration, beat: beatInBar(beat) });
    // Sums of thirds do not meet the bar line exactly.
    beat = Math.round((beat + beats) * 960) / 960;
  }
  if (added.length === 0)
    throw new MelodyError('The melody goes on with a pause only.', 'Take another seed, or more bars.');
  return added;
}

/** An outcome by its probability; at temperature 0 the most probable one. */
function draw(probabilities: Float64Array, temperature: number, random: Random): number {
  const order = Array.from(probabilities, (_, place) => place).sort(
    (a, b) => at(probabilities, b) - at(probabilities, a) || a - b,
  );
  const best = order[0] ?? 0;
  if (temperature === 0) return best;
  let sum = 0;
  const count = order.findIndex((place) => (sum += at(probabilities, place)) >= TOP) + 1;
  const kept = order.slice(0, count === 0 ? order.length : count);
  // Relative to the best: a low temperature would leave nothing of all of them.
  const weights = kept.map(
    (place) => (at(probabilities, place) / at(probabilities, best)) ** (1 / temperature),
  );
  let left = random.uniform() * weights.reduce((a, b) => a + b, 0);
  return kept.find((_, i) => (left -= weights[i] ?? 0) < 0) ?? best;
}

/** The median velocity of the last notes. */
function usual(notes: readonly Note[]): number {
  const last = inOrder(notes)
    .slice(-LATEST)
    .map(({ velocity }) => velocity)
    .sort((a, b) => a - b);
  return last[Math.floor(last.length / 2)] ?? DEFAULT_VELOCITY;
}
