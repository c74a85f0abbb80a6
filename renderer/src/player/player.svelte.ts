import type { ModulationSound } from '../../../engine/api/modulation.ts';
import type { Peaks } from '../../../engine/api/tracks.ts';
import { EngineError } from '../../../engine/api/errors.ts';
import type { EngineClient } from '../../../engine/api/contract.ts';
import type { Notices } from '../shell/notices.svelte.ts';
import type { Settings } from '../shell/settings.svelte.ts';
import { whyNotPlayed } from './failure.ts';
import { Level } from './level.svelte.ts';
import { DEFAULT_OUTPUT, Output } from './output.ts';
import { Samples } from './samples.svelte.ts';
import type { DecodedSound } from './sound.ts';
import {
  fileKey,
  fileSource,
  madeSource,
  sonificationSource,
  sourceKinds,
  trackKey,
  trackSource,
  type FileToPlay,
  type Heard,
  type MadeSound,
  type PlayerSource,
  type SoundToPlay,
  type TrackToPlay,
} from './sources.ts';
import { Zoom } from './zoom.svelte.ts';
import type { Span } from './zoom.ts';

/** Stepping through a table by a held key must not load every track on the way. */
const soonMs = 110;
interface ShowOptions {
  play: boolean;
  range?: Span;
}

/** The one player of the window: whatever sounds, sounds here, so that nothing ever plays twice at once. */
export class Player {
  source = $state.raw<PlayerSource | null>(null);
  playing = $state(false);
  loading = $state(false);
  time = $state(0);
  duration = $state(0);
  /** Part that is played, in seconds; null plays to the end. */
  range = $state.raw<Span | null>(null);
  /** The range, or the whole sound, is played again and again. */
  loop = $state(false);
  /** The sound in memory. */
  readonly samples = new Samples();
  /** Which part of the sound is drawn. */
  readonly zoom: Zoom = new Zoom(this);
  readonly level: Level;
  #output: Output | null = null;

  #audio: HTMLAudioElement | null = null;
  #frame = 0;
  #asked = 0;
  /** What somebody wanted to hear last. */
  #wish = '';
  /** Takes the place of what is played when it is played again. */
  #better: PlayerSource | null = null;
  /** What is played through, after the present track. */
  #queue: TrackToPlay[] = [];
  #soon: ReturnType<typeof setTimeout> | undefined;
  /** What is about to be shown: until it is there, stop, play and pause mean it. */
  #coming: ShowOptions | null = null;
  #plays = 0;
  #engine: EngineClient;
  #notices: Notices;
  readonly #libraryId: string;

  constructor(libraryId: string, engine: EngineClient, notices: Notices, settings: Settings) {
    this.#libraryId = libraryId;
    this.#engine = engine;
    this.#notices = notices;
    this.level = new Level(settings, this);
  }

  get element(): HTMLAudioElement | null {
    return this.#audio;
  }

  /** Falls silent for good; an answer that is still on its way is not played. */
  close(): void {
    this.#forgetComing();
    this.#asked += 1;
    this.stop();
    this.samples.forget();
    this.source = null;
    this.#audio?.removeAttribute('src');
  }

  /** Takes the audio element to play on. @returns what detaches it. */
  attach(audio: HTMLAudioElement): () => void {
    this.#audio = audio;
    const output = new Output(audio);
    this.#output = output;
    this.level.attach(output);
    const on = {
      play: () => {
        output.wake();
        this.#started();
      },
      pause: () => {
        this.playing = false;
        output.sleep();
      },
      ended: () => {
        this.playing = false;
        if (this.loop) {
          void this.play(this.range?.start ?? 0);
          return;
        }
        output.sleep();
        this.#takeBetter();
        const next = this.#queue.shift();
        if (next) void this.#showTrack(next, this.#announce({ play: true }));
      },
      timeupdate: () => this.#tick(),
      seeking: () => this.#tick(),
      durationchange: () => {
        if (Number.isFinite(audio.duration)) this.duration = audio.duration;
      },
      error: () => this.#failed(audio),
    };
    for (const [name, handler] of Object.entries(on)) audio.addEventListener(name, handler);
    return () => {
      for (const [name, handler] of Object.entries(on)) audio.removeEventListener(name, handler);
      cancelAnimationFrame(this.#frame);
      this.#audio = null;
      this.#output = null;
      this.level.attach(null);
      output.close();
    };
  }

  /** Somebody wants to hear something that may have to be made. @returns whether nothing else was wanted since */
  wish(what: string): () => boolean {
    this.#wish = what;
    return () => this.#wish === what;
  }

  /** Loads a track unless another one is shown within a moment. */
  showSoon(track: TrackToPlay, options: { play: boolean }): void {
    const coming = this.#announce(options);
    this.#soon = setTimeout(() => {
      this.#queue = [];
      void this.#showTrack(track, coming);
    }, soonMs);
  }

  /** Plays tracks one after the other, until something else is wanted. */
  async playThrough(tracks: readonly TrackToPlay[]): Promise<void> {
    const [first, ...rest] = tracks;
    if (!first) return;
    // Before the first one is loaded: whatever is wanted meanwhile takes its place.
    this.#queue = rest;
    await this.#showTrack(first, this.#announce({ play: true }));
  }

  /** Loads a track; `range` plays only that part of it. */
  async showTrack(track: TrackToPlay, options: ShowOptions): Promise<void> {
    this.#queue = [];
    await this.#showTrack(track, this.#announce(options));
  }

  async #showTrack(track: TrackToPlay, coming: ShowOptions): Promise<void> {
    const input = { libraryId: this.#libraryId, trackId: track.id };
    const shown = await this.#load(trackKey(track), coming, async () => {
      const [{ url }, peaks] = await Promise.all([
        this.#engine.call('tracks.audioUrl', input),
        this.#engine.call('tracks.peaks', input),
      ]);
      return trackSource(track, url, peaks);
    });
    if (shown !== 'failed') return;
    // One track of several that cannot be played does not end the others.
    const next = this.#queue.shift();
    if (next) await this.#showTrack(next, this.#announce({ play: true }));
  }

  /** Loads a file unless something else is shown within a moment. */
  showFileSoon(file: FileToPlay, options: ShowOptions): void {
    const coming = this.#announce(options);
    this.#soon = setTimeout(() => void this.#showFile(file, coming), soonMs);
  }

  /** Loads a file that need not be in the library. */
  async showFile(file: FileToPlay, options: ShowOptions): Promise<void> {
    await this.#showFile(file, this.#announce(options));
  }

  async #showFile(file: FileToPlay, coming: ShowOptions): Promise<void> {
    this.#queue = [];
    const input = { libraryId: this.#libraryId, path: file.path };
    await this.#load(fileKey(file), coming, async () =>
      fileSource(file, (await this.#engine.call('classify.audioUrl', input)).url),
    );
  }

  /** Asks for a sound, unless it is here, and shows it where nothing else was asked for meanwhile. */
  async #load(
    key: string,
    coming: ShowOptions,
    ask: () => Promise<PlayerSource>,
  ): Promise<'shown' | 'failed' | 'too late'> {
    if (coming.play) this.wish(key);
    if (this.source?.key !== key) {
      const asked = ++this.#asked;
      this.loading = true;
      this.#audio?.pause();
      try {
        const source = await ask();
        if (asked !== this.#asked) return 'too late';
        this.#show(source);
      } catch (thrown) {
        if (asked !== this.#asked) return 'too late';
        this.#notices.error(thrown);
        return 'failed';
      } finally {
        if (asked === this.#asked) this.loading = false;
        this.#arrived(coming);
      }
    }
    this.#arrived(coming);
    this.#setRange(coming.range ?? null);
    if (coming.play) await this.play(coming.range?.start ?? 0);
    else if (coming.range) this.seek(coming.range.start);
    return 'shown';
  }

  /** Takes the place of what was to be shown before. */
  #announce(options: ShowOptions): ShowOptions {
    clearTimeout(this.#soon);
    this.#coming = { ...options };
    return this.#coming;
  }

  #arrived(coming: ShowOptions): void {
    if (this.#coming === coming) this.#coming = null;
  }

  #forgetComing(): void {
    clearTimeout(this.#soon);
    this.#coming = null;
  }

  /** Plays a sonification. */
  async playSonification(sound: SoundToPlay, title: string, heard: Heard = {}): Promise<void> {
    this.#forgetComing();
    this.#queue = [];
    this.#asked += 1;
    this.loading = false;
    this.#setRange(null);
    const source = sonificationSource(sound, title, heard);
    if (this.source?.key !== source.key) this.#show(source);
    await this.play(0);
  }

  /** Plays what is left of a sound. */
  async playModulation(
    { id, url, durationSeconds }: Pick<ModulationSound, 'id' | 'url' | 'durationSeconds'>,
    title: string,
    subtitle: string,
  ): Promise<void> {
    await this.#playMade({
      key: `modulation:${id}`,
      kind: 'modulation',
      title,
      subtitle,
      url,
      durationSeconds,
    });
  }

  /** Plays a melody that was made of a prototype's sound. */
  async playMelody(
    { key, url, durationSeconds }: Pick<PlayerSource, 'key' | 'url' | 'durationSeconds'>,
    title: string,
  ): Promise<void> {
    const subtitle = 'Sampled from the sound of the prototype';
    await this.#playMade({ key, kind: 'melody', title, subtitle, url, durationSeconds });
  }

  /** Plays a sound that belongs to no track. */
  #playMade(made: MadeSound): Promise<void> {
    return this.playAgain(madeSource(made));
  }

  /** Plays what was here before from its beginning. */
  async playAgain(source: PlayerSource): Promise<void> {
    this.#forgetComing();
    this.#queue = [];
    this.#asked += 1;
    this.loading = false;
    this.wish(source.key);
    this.#setRange(null);
    if (this.source?.key !== source.key) this.#show(source);
    await this.play(0);
  }

  /** The sound whose first draw is here has been made: it is heard from now on, but never in the middle of that. */
  improve(sound: SoundToPlay, title: string, heard: Heard = {}): void {
    this.#better = sonificationSource(sound, title, heard);
    if (!this.playing && (this.time === 0 || this.#atEnd)) this.#takeBetter();
  }

  /** Gives a source the peaks that were computed from its sound. */
  givePeaks(key: string, peaks: Peaks): void {
    if (this.source?.key === key) this.source = { ...this.source, peaks };
  }

  async play(from?: number): Promise<void> {
    const audio = this.#audio;
    if (!audio || !this.source) return;
    if (from === 0) this.#takeBetter();
    if (from !== undefined) this.seek(from);
    const { key } = this.source;
    const own = ++this.#plays;
    await this.level.match();
    // While this one was measured, it was stopped, another sound was put here, or the player was closed.
    if (own !== this.#plays || !this.#isShown(key)) return;
    try {
      await audio.play();
    } catch (thrown) {
      // A new source or a pause interrupts a play request; that is what was asked for.
      if (thrown instanceof Error && thrown.name !== 'AbortError') this.#failed(audio, thrown);
    }
  }

  pause(): void {
    this.#plays += 1;
    this.#audio?.pause();
  }

  /** Plays, or pauses. What is about to be shown is meant where there is such: it is played, or not, once it is there. */
  toggle(): void {
    if (this.#coming) this.#coming.play = !this.#coming.play;
    else if (this.playing) this.pause();
    else {
      void this.play(this.#atEnd ? (this.range?.start ?? 0) : undefined);
    }
  }

  /** Stops and goes back to the start. */
  stop(): void {
    this.#queue = [];
    // Also what is still on its way stays silent.
    if (this.#coming) this.#coming.play = false;
    this.pause();
    this.#takeBetter();
    if (this.source) this.seek(this.range?.start ?? 0);
  }

  get #atEnd(): boolean {
    const end = this.range?.end ?? this.duration;
    return end > 0 && this.time >= end - 0.05;
  }

  #takeBetter(): void {
    if (this.#better) this.#show(this.#better);
  }

  seek(seconds: number): void {
    const audio = this.#audio;
    if (!audio) return;
    const target = Math.max(0, this.duration > 0 ? Math.min(seconds, this.duration) : seconds);
    // Going outside the part that was to be played means that the rest is wanted too.
    if (this.range && (target < this.range.start || target > this.range.end)) this.#setRange(null);
    audio.currentTime = target;
    this.time = target;
  }

  seekBy(seconds: number): void {
    this.seek(this.time + seconds);
  }

  /** Sends all sound to an output; null: the system's, which is also heard where the output is not there. */
  async sendTo(device: string | null): Promise<void> {
    const output = this.#output;
    if (!output) return;
    try {
      await output.send(device ?? DEFAULT_OUTPUT);
    } catch {
      this.#notices.add('info', 'The chosen output is not connected: sound goes to the system’s.');
      await output.send(DEFAULT_OUTPUT).catch(() => undefined);
    }
  }

  setLoop(on: boolean): void {
    this.loop = on;
  }

  /** Plays only this part from now on; null: all of the sound. */
  select(range: Span | null): void {
    this.#setRange(range);
    if (range && (this.time < range.start || this.time >= range.end)) this.seek(range.start);
  }

  /** Makes the present place the start, or the end, of what is selected. */
  selectHere(end: 'start' | 'end'): void {
    if (!this.source || this.duration <= 0) return;
    const { start, end: last } = this.range ?? { start: 0, end: this.duration };
    const range = end === 'start' ? { start: this.time, end: last } : { start, end: this.time };
    if (range.end - range.start > 0.01) this.#setRange(range);
  }

  /** The sound in memory; null for one that is too long, or cannot be decoded. Decoded once. */
  needSamples(): Promise<DecodedSound | null> {
    return this.samples.need(this.source, this.duration);
  }

  #isShown(key: string): boolean {
    return this.source?.key === key;
  }

  #setRange(range: Span | null): void {
    const same = this.range?.start === range?.start && this.range?.end === range?.end;
    this.range = range;
    if (!same) void this.level.match();
  }

  #show(source: PlayerSource): void {
    this.#better = null;
    this.source = source;
    this.time = 0;
    this.duration = source.durationSeconds;
    this.samples.forget();
    this.zoom.out();
    this.level.forget();
    if (this.#audio) this.#audio.src = source.url;
  }

  #started(): void {
    this.playing = true;
    cancelAnimationFrame(this.#frame);
    // `timeupdate` comes four times a second: too coarse for a cursor and for the end of an excerpt.
    const follow = (): void => {
      if (!this.playing) return;
      this.#tick();
      this.#frame = requestAnimationFrame(follow);
    };
    this.#frame = requestAnimationFrame(follow);
  }

  #tick(): void {
    const audio = this.#audio;
    if (!audio) return;
    this.time = audio.currentTime;
    if (this.range && this.playing && audio.currentTime >= this.range.end) {
      if (this.loop) audio.currentTime = this.range.start;
      else audio.pause();
    }
    if (this.playing) this.zoom.follow();
  }

  #failed(audio: HTMLAudioElement, cause?: Error): void {
    const source = this.source;
    if (!source || !audio.getAttribute('src')) return;
    this.playing = false;
    const told = `“${source.title}” cannot be played: ${whyNotPlayed(audio.error)}.`;
    this.#notices.error(
      new EngineError('audio', told, sourceKinds[source.kind].hint, {
        cause: cause ?? new Error(audio.error?.message),
      }),
    );
  }
}
