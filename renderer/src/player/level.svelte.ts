import type { Settings } from '../shell/settings.svelte.ts';
import { matchingGainDb, measureLoudness } from './loudness.ts';
import type { Output } from './output.ts';
import type { DecodedSound } from './sound.ts';
import type { PlayerSource } from './sources.ts';
import type { Span } from './zoom.ts';

/** A sound whose loudness is not known by then is played as it is, and matched when it is. */
const measureMs = 1500;

/** What is to be heard: a sound, or a part of it. */
interface Heard {
  readonly source: PlayerSource | null;
  readonly range: Span | null;
  /** The sound in memory; null for one that cannot be. */
  needSamples(): Promise<DecodedSound | null>;
}

/** How loud what is played is. */
export class Level {
  /** dB that the sound is raised or lowered by. */
  gainDb = $state(0);
  /** dB that match the sound, or the part that is played of it; 0 while they are not known. */
  #matchingDb = 0;
  /** What they were measured of. */
  #measured: { sound: DecodedSound; range: Span | null } | null = null;
  #output: Output | null = null;
  readonly #settings: Settings;
  readonly #heard: Heard;

  constructor(settings: Settings, heard: Heard) {
    this.#settings = settings;
    this.#heard = heard;
  }

  /** Sets the level of an output from now on; null: of none. */
  attach(output: Output | null): void {
    this.#output = output;
    if (output) this.#set();
  }

  setVolume(volume: number): void {
    const limited = Math.min(1, Math.max(0, volume));
    this.#settings.change({ volume: limited });
    this.#set();
  }

  /** Raises or lowers every sound by so many dB, where levels are not matched. */
  setGain(gain: number): void {
    this.#settings.change({ gainDb: Math.min(30, Math.max(-30, gain)) });
    this.#set();
  }

  /** Plays all sounds equally loud, as far as their peaks allow; or as they are. */
  async setMatching(on: boolean): Promise<void> {
    this.#settings.change({ matchLevels: on });
    this.#set();
    await this.match();
  }

  /** Brings the sound, or the part that is played of it, to the common loudness; at once where that is not wanted. */
  async match(): Promise<void> {
    const { source, range } = this.#heard;
    if (!this.#settings.matchLevels || !source) return;
    const late = new Promise<null>((resolve) => setTimeout(() => resolve(null), measureMs));
    const measured = this.#heard.needSamples().then((sound) => {
      const { source: present, range: presentRange } = this.#heard;
      if (!sound || present?.key !== source.key || presentRange !== range) return;
      // Each time round of what is repeated asks again.
      const known = this.#measured?.sound === sound && this.#measured.range === range;
      if (known || !this.#settings.matchLevels) return;
      this.#measured = { sound, range };
      const { samples, sampleRate } = sound;
      const part = range
        ? samples.subarray(Math.round(range.start * sampleRate), Math.round(range.end * sampleRate))
        : samples;
      this.#matchingDb = matchingGainDb(measureLoudness(part, sampleRate));
      this.#set();
    });
    await Promise.race([measured, late]);
  }

  /** Another sound is played, whose loudness is not known. */
  forget(): void {
    this.#measured = null;
    this.#matchingDb = 0;
    this.#set();
  }

  #set(): void {
    this.gainDb = this.#settings.matchLevels ? this.#matchingDb : this.#settings.gainDb;
    this.#output?.set(this.#settings.volume, this.gainDb);
  }
}
