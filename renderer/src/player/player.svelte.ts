import { startOfSound } from '../session/listening.ts';
import type { Sonification } from '../../../engine/api/sonify.ts';
import type { Peaks } from '../../../engine/api/tracks.ts';
import { EngineError } from '../../../engine/api/errors.ts';
import type { EngineClient } from '../../../engine/api/contract.ts';
import type { Notices } from '../shell/notices.svelte.ts';
import type { Settings } from '../shell/settings.svelte.ts';

/** Stepping through a table by a held key must not load every track on the way. */
const soonMs = 110;

export interface PlayerSource {
  /** Two sources with the same key are the same sound. */
  key: string;
  kind: 'track' | 'sonification';
  /** Only of a track. */
  trackId: string | null;
  /** Only of a sonification: of the sound that is being made, where this is its first draw. */
  soundId: string | null;
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

type SoundToPlay = Pick<Sonification, 'id' | 'url' | 'durationSeconds' | 'from'>;

function sonificationSource(sound: SoundToPlay, title: string, firstOf?: string): PlayerSource {
  return {
    key: `sonification:${sound.id}`,
    kind: 'sonification',
    trackId: null,
    soundId: firstOf ?? sound.id,
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
  range?: { start: number; end: number };
}

/** The one player of the window: whatever sounds, sounds here, so that nothing ever plays twice at once. */
export class Player {
  source = $state.raw<PlayerSource | null>(null);
  playing = $state(false);
  loading = $state(false);
  time = $state(0);
  duration = $state(0);
  /** Part that is played, in seconds; null plays to the end. */
  range = $state.raw<{ start: number; end: number } | null>(null);

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
    clearTimeout(this.#soon);
    this.#asked += 1;
    this.stop();
    this.source = null;
    this.#audio?.removeAttribute('src');
  }

  /** Takes the audio element to play on. @returns what detaches it. */
  attach(audio: HTMLAudioElement): () => void {
    this.#audio = audio;
    audio.volume = this.#settings.volume;
    const on = {
      play: () => this.#started(),
      pause: () => (this.playing = false),
      ended: () => {
        this.playing = false;
        this.#takeBetter();
        const next = this.#queue.shift();
        if (next) void this.#showTrack(next, { play: true });
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
    };
  }

  /** Somebody wants to hear something that may have to be made. @returns whether nothing else was wanted since */
  wish(what: string): () => boolean {
    this.#wish = what;
    return () => this.#wish === what;
  }

  /** Loads a track unless another one is shown within a moment. */
  showSoon(track: TrackToPlay, options: { play: boolean }): void {
    clearTimeout(this.#soon);
    this.#soon = setTimeout(() => void this.showTrack(track, options), soonMs);
  }

  /** Plays tracks one after the other, until something else is wanted. */
  async playThrough(tracks: readonly TrackToPlay[]): Promise<void> {
    const [first, ...rest] = tracks;
    if (!first) return;
    // Before the first one is loaded: whatever is wanted meanwhile takes its place.
    this.#queue = rest;
    await this.#showTrack(first, { play: true });
  }

  /** Loads a track; `range` plays only that part of it. */
  async showTrack(track: TrackToPlay, options: ShowOptions): Promise<void> {
    this.#queue = [];
    await this.#showTrack(track, options);
  }

  async #showTrack(track: TrackToPlay, options: ShowOptions): Promise<void> {
    const libraryId = this.#libraryId;
    clearTimeout(this.#soon);
    const key = `track:${track.id}`;
    if (options.play) this.wish(key);
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
        if (next) await this.#showTrack(next, { play: true });
        return;
      } finally {
        if (ask === this.#asked) this.loading = false;
      }
    }
    this.range = options.range ?? null;
    if (options.play) await this.play(options.range?.start ?? 0);
    else if (options.range) this.seek(options.range.start);
  }

  /**
   * Plays a sonification.
   * @param options.firstOf the sound whose first draw this is
   */
  async playSonification(
    sound: SoundToPlay,
    title: string,
    options: { firstOf?: string } = {},
  ): Promise<void> {
    clearTimeout(this.#soon);
    this.#queue = [];
    this.#asked += 1;
    this.loading = false;
    this.range = null;
    const source = sonificationSource(sound, title, options.firstOf);
    if (this.source?.key !== source.key) this.#show(source);
    await this.play(0);
  }

  /** The sound whose first draw is here has been made: it is heard from now on, but never in the middle of that. */
  improve(sound: SoundToPlay, title: string): void {
    this.#better = sonificationSource(sound, title);
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
    try {
      await audio.play();
    } catch (thrown) {
      // A new source or a pause interrupts a play request; that is what was asked for.
      if (thrown instanceof Error && thrown.name !== 'AbortError') this.#failed(audio, thrown);
    }
  }

  pause(): void {
    this.#audio?.pause();
  }

  toggle(): void {
    if (this.playing) this.pause();
    else {
      void this.play(this.#atEnd ? (this.range?.start ?? 0) : undefined);
    }
  }

  /** Stops and goes back to the start. */
  stop(): void {
    this.#queue = [];
    this.#audio?.pause();
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
    if (this.range && (target < this.range.start || target > this.range.end)) this.range = null;
    audio.currentTime = target;
    this.time = target;
  }

  seekBy(seconds: number): void {
    this.seek(this.time + seconds);
  }

  setVolume(volume: number): void {
    const limited = Math.min(1, Math.max(0, volume));
    this.#settings.change({ volume: limited });
    if (this.#audio) this.#audio.volume = limited;
  }

  #show(source: PlayerSource): void {
    this.#better = null;
    this.source = source;
    this.time = 0;
    this.duration = source.durationSeconds;
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
    if (this.range && this.playing && audio.currentTime >= this.range.end) audio.pause();
  }

  #failed(audio: HTMLAudioElement, cause?: Error): void {
    const source = this.source;
    if (!source || !audio.getAttribute('src')) return;
    this.playing = false;
    const detail = audio.error?.message || cause?.message || 'the sound could not be read';
    this.#notices.error(
      new EngineError(
        'audio',
        `“${source.title}” cannot be played: ${detail}.`,
        source.kind === 'track'
          ? 'Check that the file is still there, then rescan the library.'
          : 'Sonify it again.',
      ),
    );
  }
}
