import { rmsDbfs } from '../audio/level.ts';
import { frameClarities } from './clarity.ts';
import { meanOf, quantile, round } from './summary.ts';

/** Seconds between values of the envelope, and of what each is measured over. */
const ENVELOPE_SECONDS = 0.01;
/** A class whose real sounds have a median clarity from here on is pitched. */
const PITCHED = 0.8;
/** Clarity is taken as at most this (40 dB): a digital tone has no noise at all. */
const CLEAREST = 0.9999;

/** What can be said of a sound without any encoder. */
export interface Witness {
  /** 0 (noise) … 1 (a periodic tone), see {@link pitchClarity}. */
  clarity: number;
  /** Harmonics to noise in dB: mean over active frames of c / (1 − c) for their clarity c (Boersma 1993). */
  harmonicsDb: number;
  /** Octaves of a millisecond that the envelope takes from a tenth to nine tenths of its peak. */
  attack: number;
  /** dB re full scale. */
  levelDbfs: number;
}

/** Medians over sounds, each against the real windows of its class; lower differences are better. */
export interface WitnessScore {
  /** Sounds of pitched classes, and those of them that are real; null where no class is pitched. */
  clarity: { made: number; real: number } | null;
  harmonicsDb: { made: number; real: number } | null;
  /** How far, in octaves, the attack lies from the class's median: of the sounds, and of real windows themselves. */
  attackOctaves: { made: number; real: number };
  /** The same of the level, dB. */
  levelDb: { made: number; real: number };
}

/** Hears one sound. @param sampleRate Hz */
export function witness(samples: Float32Array, sampleRate: number): Witness {
  const clarities = frameClarities(samples, sampleRate);
  return {
    clarity: clarities.length > 0 ? quantile(clarities, 0.5) : 0,
    harmonicsDb: meanOf(
      clarities.map((clarity) => {
        const c = Math.min(CLEAREST, Math.max(1 - CLEAREST, clarity));
        return 10 * Math.log10(c / (1 - c));
      }),
    ),
    attack: attackOctaves(samples, sampleRate),
    levelDbfs: rmsDbfs(samples),
  };
}

/**
 * Octaves of a millisecond from the last time before its peak that the envelope (RMS over 10 ms) is under a tenth of it to the
 * first time after that at nine tenths: 0 for what is there within a millisecond, or silent.
 */
export function attackOctaves(samples: Float32Array, sampleRate: number): number {
  const size = Math.max(1, Math.round(ENVELOPE_SECONDS * sampleRate));
  const envelope = Array.from({ length: Math.floor(samples.length / size) }, (_, i) => {
    const frame = samples.subarray(i * size, (i + 1) * size);
    return Math.sqrt(meanOf(Array.from(frame, (value) => value * value)));
  });
  const peak = Math.max(0, ...envelope);
  if (peak === 0) return 0;
  const top = envelope.findIndex((value) => value >= 0.9 * peak);
  let low = top;
  while (low > 0 && (envelope[low - 1] ?? 0) >= 0.1 * peak) low--;
  return Math.log2(Math.max(1, (top - low) * ENVELOPE_SECONDS * 1000));
}

/**
 * Judges sounds by what shares nothing with the encoder that they were made for.
 * @param made sounds with the class each was made for
 * @param real windows of recordings with their classes
 */
export function scoreWitnesses(
  made: readonly { class: string; heard: Witness }[],
  real: readonly { class: string; heard: Witness }[],
): WitnessScore {
  const standards = new Map(
    [...new Set(real.map((sound) => sound.class))].map((name) => {
      const own = real.filter((sound) => sound.class === name).map(({ heard }) => heard);
      const median = (of: (heard: Witness) => number) => quantile(own.map(of), 0.5);
      return [
        name,
        {
          clarity: median((w) => w.clarity),
          attack: median((w) => w.attack),
          level: median((w) => w.levelDbfs),
        },
      ];
    }),
  );
  const known = (sounds: typeof made) => sounds.filter((sound) => standards.has(sound.class));
  const pitched = (sounds: typeof made) =>
    known(sounds).filter((sound) => (standards.get(sound.class)?.clarity ?? 0) >= PITCHED);
  const medianOf = (sounds: typeof made, of: (sound: (typeof made)[number]) => number): number =>
    round(quantile(sounds.map(of), 0.5), 3);
  const both = (of: (sound: (typeof made)[number]) => number) => ({
    made: medianOf(known(made), of),
    real: medianOf(known(real), of),
  });
  const ofPitched = (of: (heard: Witness) => number) =>
    pitched(made).length === 0
      ? null
      : {
          made: medianOf(pitched(made), ({ heard }) => of(heard)),
          real: medianOf(pitched(real), ({ heard }) => of(heard)),
        };
  return {
    clarity: ofPitched(({ clarity }) => clarity),
    harmonicsDb: ofPitched(({ harmonicsDb }) => harmonicsDb),
    attackOctaves: both((sound) =>
      Math.abs(sound.heard.attack - (standards.get(sound.class)?.attack ?? NaN)),
    ),
    levelDb: both((sound) => Math.abs(sound.heard.levelDbfs - (standards.get(sound.class)?.level ?? NaN))),
  };
}
