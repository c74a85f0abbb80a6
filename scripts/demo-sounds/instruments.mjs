/** The twelve kinds of the demo: each makes a sound from a frequency, a length, how hard it is played, and one of four builds. */
import { additive, dying, filtered, held, mixed, noise, plucked, shaped, vibrato } from './synth.mjs';

const harmonics = (count, level) =>
  Array.from({ length: count }, (_, i) => ({ ratio: i + 1, level: level(i + 1) }));
const withEnvelope = (partials, envelope) => partials.map((partial) => ({ ...partial, envelope }));

/** A resonance: its gain at a frequency. */
const peak = (centre, width, gain) => (f) => gain / (1 + ((f - centre) / width) ** 2);

/** Partials of one-sided modes, the higher ones dying sooner. */
const modes = (ratios, time, tilt) =>
  ratios.map((ratio, i) => ({
    ratio,
    level: tilt ** i,
    envelope: dying(0.002, time / ratio ** 0.8),
  }));

function pluckedString({ f0, seconds, loud, build, random }) {
  const [bright, place, time] = [
    [1800, 0.3, 1.6],
    [6500, 0.12, 2.4],
    [2600, 0.2, 0.45],
    [3800, 0.45, 3.2],
  ][build];
  return plucked({ f0, seconds, bright: bright * (0.6 + 0.8 * loud), place, time, random });
}

function struckBar({ f0, seconds, loud, build, random }) {
  const [ratios, time, tilt] = [
    [[1, 3.93, 9.24], 0.9, 0.3],
    [[1, 4, 10.7], 2.6, 0.2],
    [[1, 3, 6.1, 10.2], 0.5, 0.5],
    [[1, 2.76, 5.4, 8.93], 1.8, 0.45],
  ][build];
  const bar = additive({ f0, seconds, partials: modes(ratios, time, tilt * (0.5 + loud)), random });
  const tremolo = build === 1 ? (t) => 1 - (0.35 * (1 + Math.sin(2 * Math.PI * 5.5 * t))) / 2 : () => 1;
  const mallet = shaped(filtered(noise(0.03, random), 'band', 900 + 1500 * loud), dying(0.001, 0.02));
  return mixed([shaped(bar, tremolo), 1], [mallet, 0.25]);
}

function bell({ f0, seconds, loud, build, random }) {
  const [ratios, time, tilt] = [
    [[0.5, 1, 1.19, 1.5, 2, 2.51, 2.66, 3.01, 4.1], 5, 0.85],
    [[1, 1.41, 2.09, 2.56, 3.39, 4.18, 5.43], 4, 0.75],
    [[2, 3.01, 4.17, 5.43, 6.79, 8.21], 3, 0.7],
    [[1, 2.32, 4.25, 6.63, 9.38], 2.5, 0.65],
  ][build];
  const pairs = modes(ratios, time, tilt * (0.8 + 0.25 * loud)).flatMap((mode) => [
    mode,
    { ...mode, ratio: mode.ratio * (1.001 + 0.002 * random()), level: mode.level * 0.6 },
  ]);
  return additive({ f0, seconds, partials: pairs, random });
}

function organ({ f0, seconds, build, random }) {
  const bars = [
    [1, 0.7, 0.6, 0.4, 0, 0.2, 0, 0.15],
    [0.8, 1, 0.2, 0.8, 0.1, 0.1, 0, 0.5],
    [1, 0.1, 0.5, 0.05, 0.25, 0, 0.12, 0],
    [0.6, 0.9, 0.9, 0.8, 0.5, 0.5, 0.3, 0.7],
  ][build];
  const partials = bars.flatMap((level, i) => [
    { ratio: i + 1, level },
    { ratio: (i + 1) * 1.0015, level: level * 0.5 },
  ]);
  const sound = additive({
    f0,
    seconds,
    partials: withEnvelope(partials, held(seconds, 0.012, 0.06)),
    random,
  });
  const rotor = build % 2 === 1 ? (t) => 1 - (0.25 * (1 + Math.sin(2 * Math.PI * 6.3 * t))) / 2 : () => 1;
  const click = shaped(filtered(noise(0.02, random), 'high', 2500), dying(0.001, 0.012));
  return mixed([shaped(sound, rotor), 1], [click, 0.4]);
}

function bowedString({ f0, seconds, loud, build, random }) {
  const body = [
    [peak(290, 120, 1.5), peak(700, 250, 1), peak(2600, 900, 0.8)],
    [peak(220, 90, 1.6), peak(450, 200, 1.2), peak(1800, 700, 0.6)],
    [peak(350, 150, 1), peak(1000, 400, 1.3), peak(3200, 1100, 1.1)],
    [peak(180, 80, 1.8), peak(600, 300, 0.9), peak(1400, 500, 0.5)],
  ][build];
  const level = (k) => (0.25 + body.reduce((sum, gain) => sum + gain(k * f0), 0)) / k ** (1.25 - 0.3 * loud);
  const envelope = held(seconds, 0.09 + 0.12 * (1 - loud), 0.15);
  const string = additive({
    ...{ f0, seconds, random, bend: vibrato(0.004 + 0.004 * random(), 5 + random()) },
    partials: withEnvelope(harmonics(36, level), envelope),
  });
  const bow = shaped(filtered(noise(seconds, random), 'band', 3000, 0.5), envelope);
  return mixed([string, 1], [bow, 0.12]);
}

function flute({ f0, seconds, loud, build, random }) {
  const fall = [0.32, 0.22, 0.42, 0.28][build];
  const breath = [0.25, 0.5, 0.18, 0.8][build];
  const envelope = held(seconds, 0.06, 0.08);
  const waver = vibrato(0.003, 4.6 + random());
  const tube = additive({
    ...{ f0, seconds, random, bend: waver },
    partials: withEnvelope(
      harmonics(9, (k) => (fall * (0.7 + 0.6 * loud)) ** (k - 1)),
      (t) => envelope(t) * (1 + 12 * (waver(t) - 1)),
    ),
  });
  const air = filtered(noise(seconds, random), 'band', Math.min(9000, f0 * 2.2), 0.8);
  const chiff = shaped(filtered(noise(0.08, random), 'band', f0 * 3, 1.2), dying(0.004, 0.07));
  return mixed([tube, 1], [shaped(air, envelope), breath], [chiff, 0.8]);
}

function reed({ f0, seconds, loud, build, random }) {
  const formants = [peak(1100, 300, 0), peak(1500, 500, 0.4), peak(1150, 250, 2.4), peak(620, 260, 1.8)];
  const even = [0.06, 0.15, 1, 0.8][build];
  const formant = formants[build];
  const level = (k) => ((k % 2 === 1 ? 1 : even) * (0.35 + formant(k * f0))) / k ** (1.35 - 0.5 * loud);
  const envelope = held(seconds, 0.035, 0.07);
  const pipe = additive({
    ...{ f0, seconds, random, bend: vibrato(build < 2 ? 0 : 0.004, 5.2) },
    partials: withEnvelope(harmonics(28, level), envelope),
  });
  return mixed([pipe, 1], [shaped(filtered(noise(seconds, random), 'band', 2200, 0.6), envelope), 0.04]);
}

function brass({ f0, seconds, loud, build, random }) {
  const [bright, attack] = [
    [5, 0.05],
    [3, 0.08],
    [7, 0.035],
    [2.2, 0.1],
  ][build];
  const envelope = held(seconds, attack, 0.09);
  const swell = (t) => envelope(t) * (1 + 0.5 * Math.exp(-t / 0.08)) * (0.5 + 0.7 * loud);
  const partials = harmonics(30, (k) => (k === 1 ? 0.8 : 1)).map(({ ratio, level }) => ({
    ratio,
    level,
    // A louder tone has more of the upper partials, and they come later: what makes brass brass (Risset 1965).
    envelope: (t) => envelope(t) * Math.exp(-(ratio - 1) / (0.3 + bright * swell(t))),
  }));
  const rip = (t) => 1 - 0.015 * Math.exp(-t / 0.03);
  return additive({ f0, seconds, partials, bend: rip, random });
}

function voice({ f0, seconds, build, random }) {
  const [f1, f2, f3] = [
    [750, 1150, 2600],
    [450, 1950, 2700],
    [430, 820, 2600],
    [300, 2250, 3000],
  ][build];
  const gains = [peak(f1, 70, 4), peak(f2, 100, 2.2), peak(f3, 140, 1.2)];
  const level = (k) => (0.04 + gains.reduce((sum, gain) => sum + gain(k * f0), 0)) / k ** 1.1;
  const envelope = held(seconds, 0.08, 0.12);
  const folds = additive({
    ...{ f0, seconds, random, bend: vibrato(0.011, 5.4 + 0.6 * random()) },
    partials: withEnvelope(harmonics(40, level), envelope),
  });
  return mixed([folds, 1], [shaped(filtered(noise(seconds, random), 'band', f2, 2), envelope), 0.05]);
}

function kick({ f0, loud, build, random }) {
  const [drop, fall, time] = [
    [3, 0.035, 0.45],
    [6, 0.02, 0.3],
    [2, 0.06, 0.8],
    [4.5, 0.012, 0.22],
  ][build];
  const seconds = Math.min(0.9, time * 1.2);
  const membrane = additive({
    ...{ f0, seconds, random: () => 0, bend: (t) => 1 + drop * Math.exp(-t / fall) },
    partials: [{ ratio: 1, level: 1, envelope: dying(0.001, time) }],
  });
  const beater = shaped(filtered(noise(0.02, random), 'low', 1500 + 4000 * loud), dying(0.0005, 0.012));
  return mixed([membrane, 1], [beater, 0.25 + 0.4 * loud]);
}

function snare({ f0, loud, build, random }) {
  const [wires, time, low] = [
    [1, 0.25, 1800],
    [1.5, 0.16, 2600],
    [0.7, 0.35, 1200],
    [2, 0.4, 2200],
  ][build];
  const seconds = time * 1.3;
  const skin = additive({
    ...{ f0, seconds, random, bend: (t) => 1 + 0.4 * Math.exp(-t / 0.012) },
    partials: [1, 1.6, 2.3].map((ratio, i) => ({
      ratio,
      level: 0.8 / (i + 1),
      envelope: dying(0.001, 0.16),
    })),
  });
  const rattle = shaped(filtered(noise(seconds, random), 'high', low), dying(0.001, time));
  return mixed([skin, 1], [rattle, wires * (0.5 + 0.5 * loud)]);
}

function cymbal({ f0, loud, build, random }) {
  const time = [0.09, 0.6, 1.8, 1.2][build];
  const seconds = Math.min(1.6, time * 1.2);
  const ratios = [1, 1.34, 1.52, 1.83, 2.12, 2.67, 3.1, 3.77, 4.4, 5.3];
  const metal = additive({
    ...{ f0, seconds, random },
    partials: ratios.flatMap((ratio) =>
      [1, 3, 5].map((k) => ({ ratio: ratio * k, level: 1 / k, envelope: dying(0.001, time) })),
    ),
  });
  const wash = shaped(noise(seconds, random), dying(build === 2 ? 0.02 : 0.001, time));
  const cut = filtered(mixed([metal, 0.25], [wash, build === 3 ? 0.3 : 1]), 'high', 4000 + 2500 * loud);
  return filtered(cut, 'high', 3500);
}

/**
 * `pitches`: MIDI numbers it is played at, or `frequencies` in Hz of the fundamental for drums; `seconds`: shortest and
 * longest; `traits`: what all its sounds have in common.
 */
export const instruments = {
  Bell: { make: bell, pitches: [60, 91], seconds: [1.2, 2.2], traits: ['pitched', 'decaying', 'metallic'] },
  'Bowed string': {
    make: bowedString,
    pitches: [43, 88],
    seconds: [0.8, 1.8],
    traits: ['pitched', 'sustained'],
  },
  Brass: { make: brass, pitches: [41, 79], seconds: [0.5, 1.6], traits: ['pitched', 'sustained'] },
  Cymbal: {
    make: cymbal,
    frequencies: [310, 560],
    seconds: [1, 1],
    traits: ['decaying', 'noisy', 'metallic'],
  },
  Flute: { make: flute, pitches: [60, 93], seconds: [0.6, 1.6], traits: ['pitched', 'sustained'] },
  Kick: { make: kick, frequencies: [38, 62], seconds: [1, 1], traits: ['decaying'] },
  Organ: { make: organ, pitches: [41, 84], seconds: [0.7, 1.8], traits: ['pitched', 'sustained'] },
  'Plucked string': {
    make: pluckedString,
    pitches: [40, 84],
    seconds: [0.8, 2],
    traits: ['pitched', 'decaying'],
  },
  Reed: { make: reed, pitches: [50, 86], seconds: [0.6, 1.6], traits: ['pitched', 'sustained'] },
  Snare: { make: snare, frequencies: [150, 240], seconds: [1, 1], traits: ['decaying', 'noisy'] },
  'Struck bar': { make: struckBar, pitches: [53, 91], seconds: [0.7, 1.8], traits: ['pitched', 'decaying'] },
  Voice: { make: voice, pitches: [45, 76], seconds: [0.8, 1.8], traits: ['pitched', 'sustained'] },
};
