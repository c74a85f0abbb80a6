import { cutWindows, PeakAccumulator } from '../../models/audio/index.ts';
import type { AudioWindow } from '../../models/audio/index.ts';
import { EngineError } from '../api/errors.ts';
import { MOST_KEPT_WINDOWS } from './decoded-tracks.ts';
import type { DecodedTracks } from './decoded-tracks.ts';
import { evenlySpaced, expectedWindows } from './choose-windows.ts';
import type { TrackToEmbed } from './plan.ts';
import { PEAKS_PER_SECOND, quantisePeaks } from './track-store.ts';
import type { TrackResult } from './track-store.ts';

/** 60 dB above full scale: float files may go beyond ±1, but not that far. */
const LOUDEST = 1000;
/** Part of what the headers announce. */
const LEAST_READ = 0.1;

export interface TrackRunOptions {
  sampleRate: number;
  windowSamples: number;
  windows: 'all' | number;
  /** A fresh stream of the track's samples, mono, at `sampleRate`. */
  decode: () => AsyncIterable<Float32Array>;
  /** Takes a window to be embedded; resolves when there is room for the next one. */
  send: (window: AudioWindow) => Promise<void>;
  onDecoded: (seconds: number) => void;
  /** Keeps short tracks that were decoded whole until they are stored; null where nothing is to be kept. */
  kept: DecodedTracks | null;
}

/** One track on its way: what was decoded, which windows were sent, what came back. */
export class TrackRun {
  readonly track: TrackToEmbed;
  readonly #options: TrackRunOptions;
  readonly #accumulator: PeakAccumulator;
  #peaks: Float32Array | null = null;
  readonly #sent = new Set<number>();
  readonly #notes = new Set<string>();
  readonly #received = new Map<number, { window: AudioWindow; z: Float32Array }>();
  /** Windows that are not sent yet, so that a short track is kept first; null once there are too many. */
  #held: AudioWindow[] | null = [];
  #samples = 0;
  #wanted: ReadonlySet<number> | null = null;
  over = false;

  constructor(track: TrackToEmbed, options: TrackRunOptions) {
    this.track = track;
    this.#options = options;
    this.#accumulator = new PeakAccumulator(options.sampleRate, PEAKS_PER_SECOND);
  }

  get decodedSeconds(): number {
    return this.#samples / this.#options.sampleRate;
  }

  /**
   * Decodes the track and sends its windows. With a limited number of windows their positions are chosen by the length
   * that the headers tell; where the decoder finds another length, the windows still wanting are got in a second pass.
   */
  async produce(): Promise<void> {
    if (await this.#takeUp()) return;
    const { sampleRate, windowSamples, windows } = this.#options;
    const guess =
      windows === 'all'
        ? null
        : evenlySpaced(expectedWindows(this.track.durationSeconds ?? 0, windowSamples / sampleRate), windows);
    const total = await this.#pass(this.#measured(), guess);
    if (total === 0) {
      throw new EngineError(
        'audio',
        `There is no sound in ${this.track.path}.`,
        'The file may not have been copied completely: copy it again.',
      );
    }
    this.#expectMost();
    const wanted = evenlySpaced(total, windows === 'all' ? total : windows);
    const wanting = new Set([...wanted].filter((index) => !this.#sent.has(index)));
    if (wanting.size > 0) await this.#pass(this.#options.decode(), wanting);
    const peaks = this.#accumulator.finish();
    this.#peaks = peaks;
    this.#wanted = wanted;
    if (this.#held === null) return;
    const held = this.#held;
    this.#options.kept?.put(this.track, {
      samples: this.#samples,
      notes: [...this.#notes],
      wanted: [...wanted],
      windows: held,
      peaks,
    });
    for (const window of held) await this.#options.send(window);
  }

  /** Goes on where an earlier process ended that had decoded the track. */
  async #takeUp(): Promise<boolean> {
    const kept = this.#options.kept?.take(this.track);
    if (!kept) return false;
    this.#samples = kept.samples;
    this.#options.onDecoded(this.decodedSeconds);
    for (const note of kept.notes) this.#notes.add(note);
    this.#peaks = kept.peaks;
    for (const { index } of kept.windows) this.#sent.add(index);
    this.#wanted = new Set(kept.wanted);
    for (const window of kept.windows) await this.#options.send(window);
    return true;
  }

  /** Something in the file was damaged; the track is read in up to two passes, which may say the same. */
  damaged(note: string): void {
    this.#notes.add(note);
  }

  /** Takes an embedding that came back. */
  receive(window: AudioWindow, z: Float32Array): void {
    // The samples are not needed any more, and many tracks may be under way.
    this.#received.set(window.index, { window: { ...window, samples: new Float32Array(0) }, z });
  }

  /** Null until every window sent has come back. */
  result(): TrackResult | null {
    const wanted = this.#wanted;
    const peaks = this.#peaks;
    if (wanted === null || peaks === null || this.#received.size < this.#sent.size) return null;
    const { sampleRate } = this.#options;
    const windows = [...this.#received.values()]
      .filter(({ window }) => wanted.has(window.index))
      .sort((a, b) => a.window.index - b.window.index)
      .map(({ window, z }) => ({
        index: window.index,
        startSeconds: window.startSample / sampleRate,
        seconds: window.validSamples / sampleRate,
        z,
      }));
    const note = this.#notes.size === 0 ? null : [...this.#notes].join(' ');
    return { durationSeconds: this.decodedSeconds, note, windows, peaks: quantisePeaks(peaks) };
  }

  /** Cuts windows and sends those in `chosen` (null: all). @returns how many windows there are */
  async #pass(mono: AsyncIterable<Float32Array>, chosen: ReadonlySet<number> | null): Promise<number> {
    let total = 0;
    for await (const window of cutWindows(mono, { windowSamples: this.#options.windowSamples })) {
      total++;
      if (chosen !== null && !chosen.has(window.index)) continue;
      this.#expectSound(window);
      this.#sent.add(window.index);
      await this.#give(window);
    }
    return total;
  }

  async #give(window: AudioWindow): Promise<void> {
    if (this.#held === null) return this.#options.send(window);
    this.#held.push(window);
    if (this.#held.length <= MOST_KEPT_WINDOWS) return;
    const held = this.#held;
    this.#held = null;
    for (const each of held) await this.#options.send(each);
  }

  /** A damaged file of which next to nothing came out is no track. */
  #expectMost(): void {
    const { path, durationSeconds } = this.track;
    if (this.#notes.size === 0 || this.decodedSeconds >= LEAST_READ * (durationSeconds ?? 0)) return;
    throw new EngineError(
      'audio',
      `Only ${this.decodedSeconds.toFixed(1)} of about ${(durationSeconds ?? 0).toFixed(0)} s of ${path} could be read.`,
      `${[...this.#notes].join(' ')} Get a fresh copy of the file.`,
    );
  }

  /** Anything else would make the model fail for every window of its batch. */
  #expectSound(window: AudioWindow): void {
    if (loudestOf(window.samples) <= LOUDEST) return;
    throw new EngineError(
      'audio',
      `${this.track.path} holds samples that are no sound (not a number, or far beyond full scale).`,
      'Play the file in another program; if it fails there too, get a fresh copy.',
    );
  }

  async *#measured(): AsyncGenerator<Float32Array> {
    for await (const chunk of this.#options.decode()) {
      this.#samples += chunk.length;
      this.#accumulator.push(chunk);
      this.#options.onDecoded(chunk.length / this.#options.sampleRate);
      yield chunk;
    }
  }
}

/** The largest magnitude; NaN where a sample is no number. A callback for each sample would box every one of them. */
function loudestOf(samples: Float32Array): number {
  let loudest = 0;
  for (let i = 0; i < samples.length; i++) loudest = Math.max(loudest, Math.abs(samples[i] ?? 0));
  return loudest;
}
