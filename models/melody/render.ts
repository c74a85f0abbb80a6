import { Pacer } from '../numerics/pacer.ts';
import type { Instrument } from './instrument.ts';
import type { Loop } from './loop.ts';
import { endOf, hertzOf, inOrder, type Note } from './note.ts';
import { readAt, reachOf } from './read-at.ts';

const ATTACK_SECONDS = 0.004;
const RELEASE_SECONDS = 0.06;
/** Nothing is louder than this, as a share of full scale. */
const HIGHEST_PEAK = 0.89;

/** A melody that was played. */
export interface Rendering {
  /** Mono, at most ±0.89. */
  samples: Float32Array;
  sampleRate: number;
  /** How far all of it was lowered, so that it does not clip, dB; 0 where it was quiet enough. */
  loweredDb: number;
}

/** A sound at one pitch: from the beginning to `end`, and from `start` on again; without a loop it ends. */
interface Tone {
  samples: Float32Array;
  loop: { start: number; end: number } | null;
}

/**
 * Plays notes on an instrument: resampled to each pitch, velocity as level (v / 127, as a share of amplitude), with an attack
 * of 4 ms and a release of 60 ms. The same notes and instrument give the same samples.
 * @param onNote how many notes were played
 * @throws the signal's reason
 */
export async function renderMelody(
  instrument: Instrument,
  notes: readonly Note[],
  { signal, onNote }: { signal?: AbortSignal; onNote?: (done: number) => void } = {},
): Promise<Rendering> {
  const { sampleRate } = instrument;
  const pacer = new Pacer(signal);
  const release = Math.round(RELEASE_SECONDS * sampleRate);
  const out = new Float32Array(Math.ceil(endOf(notes) * sampleRate) + release + 1);
  const tones = new Map<number, Tone>();
  const attack = Math.round(ATTACK_SECONDS * sampleRate);
  const ordered = inOrder(notes);
  for (const [n, note] of ordered.entries()) {
    const tone = tones.get(note.midiPitch) ?? (await toneAt(instrument, note.midiPitch, pacer));
    tones.set(note.midiPitch, tone);
    const start = Math.round(note.onsetSeconds * sampleRate);
    const held = Math.max(attack, Math.round(note.durationSeconds * sampleRate));
    const sounding = tone.loop ? held + release : Math.min(held + release, tone.samples.length);
    // What ends by itself fades by then.
    const leaving = Math.min(held, sounding - Math.min(release, sounding));
    const level = note.velocity / 127;
    let at = 0;
    for (let i = 0; i < sounding && start + i < out.length; i++) {
      const rise = i < attack ? (i + 1) / (attack + 1) : 1;
      const past = i - leaving;
      const fall = past < 0 ? 1 : 0.5 + 0.5 * Math.cos((Math.PI * Math.min(past, release)) / release);
      out[start + i] = (out[start + i] ?? 0) + level * rise * fall * (tone.samples[at] ?? 0);
      at++;
      if (tone.loop && at >= tone.loop.end) at = tone.loop.start;
    }
    onNote?.(n + 1);
    if (pacer.due(sounding * 8)) await pacer.pause();
  }
  let peak = 0;
  for (const sample of out) peak = Math.max(peak, Math.abs(sample));
  const gain = peak > HIGHEST_PEAK ? HIGHEST_PEAK / peak : 1;
  if (gain < 1) for (let i = 0; i < out.length; i++) out[i] = (out[i] ?? 0) * gain;
  return { samples: out, sampleRate, loweredDb: gain < 1 ? -20 * Math.log10(gain) : 0 };
}

/** The instrument at a pitch; an unpitched one is the same at all. */
async function toneAt(instrument: Instrument, midiPitch: number, pacer: Pacer): Promise<Tone> {
  if (instrument.kind === 'unpitched') return { samples: instrument.samples, loop: null };
  const { samples, loop, hertz } = instrument;
  const wanted = hertzOf(midiPitch) / hertz;
  // A loop of a whole number of samples, at a pitch that differs by less than a quarter of a cent for it.
  const length = loop ? loop.end - loop.start : 0;
  const looped = Math.max(1, Math.round(length / wanted));
  const step = loop ? length / looped : wanted;
  const start = loop ? Math.round(loop.start / step) : 0;
  const end = loop ? start + looped : Math.floor(samples.length / step);
  const source = loop ? goneOn(samples, loop, step) : samples;
  const read = new Float32Array(end);
  for (let i = 0; i < end; i++) {
    if (pacer.due(64 * Math.max(1, step))) await pacer.pause();
    read[i] = readAt(source, i * step, step);
  }
  return { samples: read, loop: loop && { start, end } };
}

/** A sound up to the end of its loop and as far beyond it as is read around a place: there it goes on where the loop begins. */
function goneOn(samples: Float32Array, { start, end }: Loop, step: number): Float32Array {
  const source = new Float32Array(end + Math.ceil(reachOf(step) + step));
  source.set(samples.subarray(0, end));
  for (let i = end; i < source.length; i++) source[i] = samples[start + ((i - end) % (end - start))] ?? 0;
  return source;
}
