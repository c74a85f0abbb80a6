import { Pacer } from '../../numerics/pacer.ts';
import { at } from '../../numerics/vectors.ts';
import { DURATIONS, PITCHES, REST, type MelodyEvent } from './events.ts';
import { lastPitch, WORK_PER_EVENT, type MelodyModel, type NextEvent } from './model.ts';

/** Events that are looked back at. */
export const ORDER = 3;

/** How often each outcome followed each context. */
type Counts = Map<number, number>;
type Table = Map<string, Counts>;

/**
 * A Markov chain of order 3 over notes, with back-off: what follows the last three events, the last two, the last one and
 * any, each weighed by how many different things followed it (Witten, Bell 1991, as in Chen and Goodman 1998), and at the
 * end everything alike. Contexts hold pitches relative to the last one, so that a melody teaches in every key; durations
 * follow from the durations before and from whether it is a note or a rest.
 *
 * @param order 0 gives the unigram model: how often each pitch and duration is, whatever came before
 * @throws the signal's reason
 */
export async function markovModel(
  melodies: readonly (readonly MelodyEvent[])[],
  { order = ORDER, signal }: { order?: number; signal?: AbortSignal | undefined } = {},
): Promise<MelodyModel> {
  const tables: Tables = { pitch: new Map(), duration: new Map() };
  const pacer = new Pacer(signal);
  for (const melody of melodies) {
    const past: MelodyEvent[] = [];
    for (const event of melody) {
      if (pacer.due(WORK_PER_EVENT)) await pacer.pause();
      const last = lastPitch(past);
      contexts(past, order, pitchSymbol).forEach((context, length) => {
        // Without a context the pitch itself counts; behind one, how far it is from the last one.
        count(tables.pitch, context, length === 0 ? event.pitch : relative(event.pitch, last));
      });
      for (const context of contexts(past, order, durationSymbol))
        count(tables.duration, `${kindOf(event.pitch)}|${context}`, event.duration);
      past.push(event);
    }
  }
  return { begin: () => walkOf(tables, order) };
}

/** Everything alike: what a model must beat to know anything. */
export function uniformModel(): MelodyModel {
  return { begin: () => walkOf({ pitch: new Map(), duration: new Map() }, 0) };
}

interface Tables {
  pitch: Table;
  duration: Table;
}

function walkOf(tables: Tables, order: number): ReturnType<MelodyModel['begin']> {
  const past: MelodyEvent[] = [];
  return {
    next: () => Promise.resolve(nextOf(tables, past, order)),
    take: (event) => {
      past.push(event);
    },
  };
}

function nextOf(tables: Tables, past: readonly MelodyEvent[], order: number): NextEvent {
  const last = lastPitch(past);
  let pitches: Float64Array = new Float64Array(PITCHES).fill(1 / PITCHES);
  contexts(past, order, pitchSymbol).forEach((context, length) => {
    const counts = tables.pitch.get(context);
    if (counts) pitches = backedOff(pitches, counts, length === 0 ? null : last);
  });
  return {
    pitches,
    durations: (pitch) => {
      let durations: Float64Array = new Float64Array(DURATIONS).fill(1 / DURATIONS);
      for (const context of contexts(past, order, durationSymbol)) {
        const counts = tables.duration.get(`${kindOf(pitch)}|${context}`);
        if (counts) durations = backedOff(durations, counts, null);
      }
      return durations;
    },
  };
}

/** @param from what the outcomes are relative to; those that lie outside of MIDI from there do not count */
function backedOff(shorter: Float64Array, outcomes: Counts, from: number | null): Float64Array {
  const here = new Map<number, number>();
  let total = 0;
  for (const [outcome, n] of outcomes) {
    const place = from === null || outcome === REST ? outcome : from + outcome;
    if (place < 0 || place >= shorter.length || (from !== null && outcome !== REST && place >= REST))
      continue;
    here.set(place, n);
    total += n;
  }
  const kinds = here.size;
  if (total === 0) return shorter;
  const mixed = shorter.map((p) => (kinds * p) / (total + kinds));
  for (const [place, n] of here) mixed[place] = at(mixed, place) + n / (total + kinds);
  return mixed;
}

function count(table: Table, context: string, outcome: number): void {
  let counts = table.get(context);
  if (!counts) table.set(context, (counts = new Map<number, number>()));
  counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
}

/** From the empty context to the longest: the shorter ones are backed off to. Fewer where the melody has just begun. */
function contexts(
  past: readonly MelodyEvent[],
  order: number,
  symbol: (event: MelodyEvent, last: number | null) => string,
): string[] {
  const last = lastPitch(past);
  const found = [''];
  let context = '';
  for (let back = 1; back <= order; back++) {
    const event = past.at(-back);
    // The beginning is a context of its own.
    context = event ? `${context},${symbol(event, last)}` : `${context},^`;
    found.push(context);
    if (!event) break;
  }
  return found;
}

const pitchSymbol = ({ pitch }: MelodyEvent, last: number | null): string =>
  pitch === REST ? 'r' : String(pitch - (last ?? pitch));
const durationSymbol = ({ duration }: MelodyEvent): string => String(duration);
const kindOf = (pitch: number): string => (pitch === REST ? 'r' : 'n');

/** A pitch behind the last one that sounded: so many semitones up; {@link REST} for a rest. */
function relative(pitch: number, last: number | null): number {
  return pitch === REST || last === null ? pitch : pitch - last;
}
