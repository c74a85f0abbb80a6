import { startOfSound } from '../session/listening.ts';
import type { ModulationSound } from '../../../engine/api/modulation.ts';
import type { Sonification } from '../../../engine/api/sonify.ts';
import type { Peaks } from '../../../engine/api/tracks.ts';
import { EngineError } from '../../../engine/api/errors.ts';
import type { EngineClient } from '../../../engine/api/contract.ts';
import type { Notices } from '../shell/notices.svelte.ts';
import type { Settings } from '../shell/settings.svelte.ts';
import { whyNotPlayed } from './failure.ts';
import { matchingGainDb, measureLoudness } from './loudness.ts';
import { DEFAULT_OUTPUT, Output } from './output.ts';
import { decodeMono, LONGEST_SECONDS, type DecodedSound } from './sound.ts';
import { following, moved, zoomed, type Span } from './zoom.ts';

/** Stepping through a table by a held key must not load every track on the way. */
const soonMs = 110;
const failureHints: Record<PlayerSource['kind'], string> = {
  track: 'Check that the file is still there, then rescan the library.',
  sonification: 'Sonify it again.',
  file: 'Check that the file is still there, then drop it again.',
  modulation: 'Hear it again from the view Modulation.',
  melody: 'Play it again.',
};
/** A sound whose loudness is not known by then is played as it is, and matched when it is. */
const measureMs = 1500;

export interface PlayerSource {
  /** Two sources with the same key are the same sound. */
  key: string;
  /** `file`: one that need not be in the library; `modulation`: what is left of a sound when modulations are taken away. */
  kind: 'track' | 'sonification' | 'file' | 'modulation' | 'melody';
  /** Only of a track. */
  trackId: string | null;
  /** Only of a sonification: of the sound that is being made, where this is its first draw. */
  soundId: string | null;
  /** Only of a prototype's sonification: which it is of the chosen experiment. */
  prototype: number | null;
  title: string;
  subtitle: string;
  url: string;
  peaks: Peaks | null;
  durationSeconds: number;
}

interface TrackToPlay {
  id: string;
  title: string;
  path: string;
  durationSeconds?: number | null;
}

/** A file that need not be in the library. */
export interface FileToPlay {
  path: string;
  title: string;
  durationSeconds: number;
}

type SoundToPlay = Pick<Sonification, 'id' | 'url' | 'durationSeconds' | 'from'>;

/** `firstOf`: the sound whose first draw this is; `prototype`: which prototype of the chosen experiment it is of. */
interface Heard {
  firstOf?: string;
  prototype?: number | null;
}

function sonificationSource(
  sound: SoundToPlay,
  title: string,
  { firstOf, prototype = null }: Heard,
): PlayerSource {
  return {
    key: `sonification:${sound.id}`,
    kind: 'sonification',
    trackId: null,
    soundId: firstOf ?? sound.id,
    prototype,
    title,
    subtitle:
      firstOf === undefined
        ? `Sonified by the diffusion decoder, ${startOfSound(sound.from)}`
        : 'The first of several draws; the best one takes its place',
    url: sound.url,
    peaks: null,
    durationSeconds: sound.durationSeconds,
  };
}

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
  /** The sound in memory, for drawings and levels, once somebody needs it. */
  decoded = $state.raw<DecodedSound | null>(null);
  /** dB that the sound is raised or lowered by. */
  gainDb = $state(0);

  /** dB that match the sound, or the part that is played of it; 0 while they are not known. */
  #matchingDb = 0;
  /** What they were measured of. */
  #measured: { sound: DecodedSound; range: Span | null } | null = null;
  /** The part that is drawn; null: all. */
  #zoom = $state.raw<Span | null>(null);
  #decoding: { key: string; sound: Promise<DecodedSound | null>; stop: AbortController } | null = null;
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
  #settings: Settings;
  readonly #libraryId: string;

  constructor(libraryId: string, engine: EngineClient, notices: Notices, settings: Settings) {
    this.#libraryId = libraryId;
    this.#engine = engine;
    this.#notices = notices;
    this.#settings = settings;
  }

  get element(): HTMLAudioElement | null {
    return this.#audio;
  }

  /** Falls silent for good; an answer that is still on its way is not played. */
  close(): void {
    this.#forgetComing();
    this.#asked += 1;
    this.stop();
    this.#forgetSamples();
    this.source = null;
    this.#audio?.removeAttribute('src');
  }

  /** Takes the audio element to play on. @returns what detaches it. */
  attach(audio: HTMLAudioElement): () => void {
    this.#audio = audio;
    const output = new Output(audio);
    this.#output = output;
    this.#setLevel();
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
    const libraryId = this.#libraryId;
    const key = `track:${track.id}`;
    if (coming.play) this.wish(key);
    if (this.source?.key !== key) {
      const ask = ++this.#asked;
      this.loading = true;
      this.#audio?.pause();
      try {
        const input = { libraryId, trackId: track.id };
        const [{ url }, peaks] = await Promise.all([
          this.#engine.call('tracks.audioUrl', input),
          this.#engine.call('tracks.peaks', input),
        ]);
        // Another sound was asked for meanwhile.
        if (ask !== this.#asked) return;
        this.#show({
          key,
          kind: 'track',
          trackId: track.id,
          soundId: null,
          prototype: null,
          title: track.title,
          subtitle: track.path,
          url,
          peaks,
          durationSeconds: peaks?.durationSeconds ?? track.durationSeconds ?? 0,
        });
      } catch (thrown) {
        if (ask !== this.#asked) return;
        this.#notices.error(thrown);
        // One track of several that cannot be played does not end the others.
        const next = this.#queue.shift();
        if (next) await this.#showTrack(next, this.#announce({ play: true }));
        return;
      } finally {
        if (ask === this.#asked) this.loading = false;
        this.#arrived(coming);
      }
    }
    this.#arrived(coming);
    this.#setRange(coming.range ?? null);
    if (coming.play) await this.play(coming.range?.start ?? 0);
    else if (coming.range) this.seek(coming.range.start);
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

  async #showFile({ path, title, durationSeconds }: FileToPlay, coming: ShowOptions): Promise<void> {
    this.#queue = [];
    const key = `file:${path}`;
    if (coming.play) this.wish(key);
    if (this.source?.key !== key) {
      const ask = ++this.#asked;
      this.loading = true;
      this.#audio?.pause();
      try {
        const { url } = await this.#engine.call('classify.audioUrl', { libraryId: this.#libraryId, path });
        // Another sound was asked for meanwhile.
        if (ask !== this.#asked) return;
        const none = { trackId: null, soundId: null, prototype: null, peaks: null };
        this.#show({ key, kind: 'file', title, subtitle: path, url, durationSeconds, ...none });
      } catch (thrown) {
        if (ask === this.#asked) this.#notices.error(thrown);
        return;
      } finally {
        if (ask === this.#asked) this.loading = false;
        this.#arrived(coming);
      }
    }
    this.#arrived(coming);
    this.#setRange(coming.range ?? null);
    if (coming.play) await this.play(coming.range?.start ?? 0);
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
  #playMade(
    made: Pick<PlayerSource, 'key' | 'kind' | 'title' | 'subtitle' | 'url' | 'durationSeconds'>,
  ): Promise<void> {
    const none = { trackId: null, soundId: null, prototype: null, peaks: null };
    return this.playAgain({ ...made, ...none });
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
    await this.#matched();
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

  setVolume(volume: number): void {
    const limited = Math.min(1, Math.max(0, volume));
    this.#settings.change({ volume: limited });
    this.#setLevel();
  }

  /** Raises or lowers every sound by so many dB, where levels are not matched. */
  setGain(gain: number): void {
    this.#settings.change({ gainDb: Math.min(30, Math.max(-30, gain)) });
    this.#setLevel();
  }

  /** Plays all sounds equally loud, as far as their peaks allow; or as they are. */
  async setMatching(on: boolean): Promise<void> {
    this.#settings.change({ matchLevels: on });
    this.#setLevel();
    await this.#matched();
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

  /** What is drawn of the sound. */
  get shown(): Span {
    return this.#zoom ?? { start: 0, end: this.duration };
  }

  get zoomedIn(): boolean {
    return this.#zoom !== null;
  }

  /** @param factor 2: twice as close · @param around default: the cursor, where it is in sight */
  zoomBy(factor: number, around?: number): void {
    if (this.duration <= 0) return;
    const { shown } = this;
    const cursor =
      this.time >= shown.start && this.time <= shown.end ? this.time : (shown.start + shown.end) / 2;
    const next = zoomed(shown, factor, around ?? cursor, this.duration);
    this.#zoom = next.end - next.start >= this.duration - 1e-9 ? null : next;
  }

  zoomOut(): void {
    this.#zoom = null;
  }

  /** Moves what is drawn. */
  moveBy(seconds: number): void {
    if (this.#zoom) this.#zoom = moved(this.#zoom, seconds, this.duration);
  }

  /** The sound in memory; null for one that is too long, or cannot be decoded. Decoded once. */
  async needSamples(): Promise<DecodedSound | null> {
    const { source } = this;
    if (!source || (this.duration || source.durationSeconds) > LONGEST_SECONDS) return null;
    if (this.#decoding?.key !== source.key) {
      const stop = new AbortController();
      const sound = decodeMono(source.url, stop.signal).catch((thrown: unknown) => {
        // The sound itself reports when it cannot be played; a missing drawing is no trouble of its own.
        if (!stop.signal.aborted) console.warn('not decoded', thrown);
        return null;
      });
      this.#decoding = { key: source.key, sound, stop };
      void sound.then((done) => {
        if (this.#decoding?.sound === sound) this.decoded = done;
      });
    }
    return this.#decoding.sound;
  }

  /** A sound that nobody sees any more is not decoded to its end. */
  #forgetSamples(): void {
    this.#decoding?.stop.abort();
    this.#decoding = null;
    this.#measured = null;
    this.decoded = null;
  }

  #isShown(key: string): boolean {
    return this.source?.key === key;
  }

  #setRange(range: Span | null): void {
    const same = this.range?.start === range?.start && this.range?.end === range?.end;
    this.range = range;
    if (!same) void this.#matched();
  }

  /** Brings the sound, or the part that is played of it, to the common loudness; at once where that is not wanted. */
  async #matched(): Promise<void> {
    const { source, range } = this;
    if (!this.#settings.matchLevels || !source) return;
    const late = new Promise<null>((resolve) => setTimeout(() => resolve(null), measureMs));
    const measured = this.needSamples().then((sound) => {
      if (!sound || !this.#isShown(source.key) || this.range !== range || !this.#settings.matchLevels) return;
      // Each time round of what is repeated asks again.
      if (this.#measured?.sound === sound && this.#measured.range === range) return;
      this.#measured = { sound, range };
      const { samples, sampleRate } = sound;
      const part = range
        ? samples.subarray(Math.round(range.start * sampleRate), Math.round(range.end * sampleRate))
        : samples;
      this.#matchingDb = matchingGainDb(measureLoudness(part, sampleRate));
      this.#setLevel();
    });
    await Promise.race([measured, late]);
  }

  #setLevel(): void {
    this.gainDb = this.#settings.matchLevels ? this.#matchingDb : this.#settings.gainDb;
    this.#output?.set(this.#settings.volume, this.gainDb);
  }

  #show(source: PlayerSource): void {
    this.#better = null;
    this.source = source;
    this.time = 0;
    this.duration = source.durationSeconds;
    this.#forgetSamples();
    this.#zoom = null;
    this.#matchingDb = 0;
    this.#setLevel();
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
    if (this.#zoom && this.playing) this.#zoom = following(this.#zoom, this.time, this.duration);
  }

  #failed(audio: HTMLAudioElement, cause?: Error): void {
    const source = this.source;
    if (!source || !audio.getAttribute('src')) return;
    this.playing = false;
    const told = `“${source.title}” cannot be played: ${whyNotPlayed(audio.error)}.`;
    this.#notices.error(
      new EngineError('audio', told, failureHints[source.kind], {
        cause: cause ?? new Error(audio.error?.message),
      }),
    );
  }
}
