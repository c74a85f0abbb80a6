import type { MidiEvent, MidiHeader } from 'midi-file';
import { MelodyError } from './errors.ts';

const DEFAULT_MICROSECONDS = 500_000;

/** An event at its tick from the beginning. */
export interface TickedEvent {
  event: MidiEvent;
  tick: number;
}

/**
 * Seconds of a tick by the tempo map of a file: of all its tracks, since some programs do not keep it in the first. Files in
 * SMPTE frames have no tempo.
 * @throws MelodyError for a file without a time base
 */
export function secondsOfTicks(header: MidiHeader, events: readonly TickedEvent[]): (tick: number) => number {
  const { framesPerSecond, ticksPerFrame, ticksPerBeat } = header;
  if (
    framesPerSecond !== undefined &&
    ticksPerFrame !== undefined &&
    framesPerSecond > 0 &&
    ticksPerFrame > 0
  ) {
    const perSecond = framesPerSecond * ticksPerFrame;
    return (tick) => tick / perSecond;
  }
  if (ticksPerBeat === undefined || !(ticksPerBeat > 0))
    throw new MelodyError(
      'This MIDI file does not say how long its ticks are.',
      'Open it in the program that made it and export it again.',
    );
  const pieces = [{ tick: 0, seconds: 0, perTick: DEFAULT_MICROSECONDS / 1e6 / ticksPerBeat }];
  const tempi = events
    .flatMap(({ event, tick }) =>
      event.type === 'setTempo' && event.microsecondsPerBeat > 0
        ? [{ tick, perTick: event.microsecondsPerBeat / 1e6 / ticksPerBeat }]
        : [],
    )
    .sort((a, b) => a.tick - b.tick);
  for (const { tick, perTick } of tempi) {
    const last = pieces.at(-1);
    if (!last) break;
    if (last.tick === tick) last.perTick = perTick;
    else pieces.push({ tick, seconds: last.seconds + (tick - last.tick) * last.perTick, perTick });
  }
  return (tick) => {
    let [low, high] = [0, pieces.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((pieces[middle]?.tick ?? 0) <= tick) low = middle;
      else high = middle - 1;
    }
    const piece = pieces[low];
    return piece ? piece.seconds + (tick - piece.tick) * piece.perTick : 0;
  };
}
