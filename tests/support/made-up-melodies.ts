import type { Note } from '../../models/melody/note.ts';
import { Random } from '../../models/numerics/random.ts';

const SCALES = [
  [0, 2, 4, 5, 7, 9, 11],
  [0, 2, 3, 5, 7, 8, 10],
];
/** Bars of four beats. */
const RHYTHMS = [
  [1, 1, 1, 1],
  [1, 0.5, 0.5, 1, 1],
  [1.5, 0.5, 1, 1],
  [0.5, 0.5, 0.5, 0.5, 1, 1],
  [2, 1, 1],
  [1, 1, 2],
  [0.75, 0.25, 1, 1, 1],
];

/** A motif of a bar: steps of the scale from its first note, and lengths. */
interface Motif {
  steps: number[];
  beats: number[];
}

/**
 * Melodies of a seeded grammar, 120 beats a minute: a key, major or minor; two motifs, in bars that repeat, in sequences a step
 * up or down, and phrases A A B A that end on the tonic, some with a rest before the next.
 */
export function madeUpMelody(seed: number): Note[] {
  const random = new Random(seed);
  const scale = SCALES[random.integer(SCALES.length)] ?? [];
  const tonic = 55 + random.integer(12);
  const motif = (): Motif => {
    const beats = RHYTHMS[random.integer(RHYTHMS.length)] ?? [];
    let step = 0;
    return { beats, steps: beats.map((_, i) => (i === 0 ? 0 : (step += random.integer(5) - 2))) };
  };
  const phrase = (own: Motif, start: number): [number, Motif][] => {
    const by = random.integer(3) - 1;
    return [
      [start, own],
      [start + by, own],
      [start + 2 * by, own],
    ];
  };
  const [a, b] = [
    phrase(motif(), [0, 2, 4][random.integer(3)] ?? 0),
    phrase(motif(), [4, 5, 7][random.integer(3)] ?? 0),
  ];
  const rests = random.integer(2) === 0;
  const notes: Note[] = [];
  let beat = 0;
  const pitchOf = (degree: number): number =>
    tonic + 12 * Math.floor(degree / 7) + (scale[((degree % 7) + 7) % 7] ?? 0);
  const add = (degree: number, beats: number, sounding = beats): void => {
    notes.push({
      ...{ onsetSeconds: beat / 2, durationSeconds: sounding / 2, midiPitch: pitchOf(degree), velocity: 90 },
    });
    beat += beats;
  };
  for (const bars of [a, a, b, a]) {
    for (const [start, { steps, beats }] of bars)
      steps.forEach((step, i) => add(start + step, beats[i] ?? 1));
    add(bars === b ? 4 : 0, 4, rests ? 3 : 4);
  }
  return notes;
}
