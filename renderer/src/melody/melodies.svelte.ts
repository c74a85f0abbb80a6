import type { EngineClient } from '../../../engine/api/contract.ts';
import { defaultContinuation, type MelodyContinuation } from '../../../engine/api/melodies.ts';
import type { MelodySound, Note } from '../../../engine/api/melody.ts';
import type { JobWaiter } from '../jobs/jobs.svelte.ts';
import type { Player } from '../player/player.svelte.ts';
import type { Sonifier } from '../session/sonifier.svelte.ts';
import { Roll } from './roll.svelte.ts';

/** The sound is kept by the engine for ten minutes; then it is made again. */
const KEPT_MS = 5 * 60_000;
/** Seconds of a track. */
const LEAST_PART = 4;

/** A prototype that plays. */
export interface Playing {
  experimentId: string;
  revision: number;
  index: number;
  /** “flute · prototype 2”. */
  name: string;
}

/** How a melody is continued. */
export interface Continuation {
  bars: number;
  temperature: number;
  seed: number;
  model: 'better' | MelodyContinuation['model'];
}

/** A melody, and what it sounded like when it was last played. */
export class Melodies {
  readonly roll = new Roll();
  /** Whether the piano roll is open. */
  shown = $state(false);
  sound = $state.raw<MelodySound | null>(null);
  /** How it is continued next. */
  continuation = $state.raw<Continuation>({ ...defaultContinuation, model: 'better' });
  /** The job that plays, listens or continues; “” while it is being started, null where none does. */
  jobId = $state<string | null>(null);
  /** What {@link sound} was made of. */
  #made = $state.raw<{ key: string; at: number } | null>(null);
  readonly #libraryId: string;
  readonly #engine: EngineClient;
  readonly #jobs: JobWaiter;
  readonly #player: Player;
  readonly #sonifier: Sonifier;

  constructor(
    libraryId: string,
    engine: EngineClient,
    jobs: JobWaiter,
    { player, sonifier }: { player: Player; sonifier: Sonifier },
  ) {
    this.#libraryId = libraryId;
    this.#engine = engine;
    this.#jobs = jobs;
    this.#player = player;
    this.#sonifier = sonifier;
  }

  /** Whether what was last played is what would be played now. */
  isCurrent(by: Playing): boolean {
    return this.#made?.key === this.#keyOf(by, this.roll.plain);
  }

  /** Seconds into the melody while it plays; null else. */
  get position(): number | null {
    const { source, playing, time } = this.#player;
    return playing && this.sound && source?.key === keyOfSound(this.sound) ? time : null;
  }

  /** Plays the melody from its beginning; renders it first where anything changed. @throws EngineError */
  async play(by: Playing): Promise<void> {
    // A second press while it is made.
    if (this.jobId !== null) return;
    const wanted = this.#player.wish('melody');
    const key = this.#keyOf(by, this.roll.plain);
    const known = this.#made;
    const fresh = known !== null && known.key === key && Date.now() - known.at < KEPT_MS;
    const sound = fresh && this.sound ? this.sound : await this.#make(by);
    if (wanted()) await this.#player.playMelody({ ...sound, key: keyOfSound(sound) }, `Melody on ${by.name}`);
  }

  /** Writes the melody as a WAV file. @throws EngineError */
  async save(by: Playing, file: string): Promise<void> {
    await this.#make(by, file);
  }

  /** The notes of a track, or of a part of it, in place of those that are there. @throws EngineError */
  async transcribe(trackId: string, part: { start: number; end: number } | null): Promise<number> {
    if (this.jobId !== null) return 0;
    this.jobId = '';
    try {
      const { jobId } = await this.#engine.call('melody.transcribe', {
        ...{ libraryId: this.#libraryId, trackId },
        // A part of a second has no melody: some of what comes after it is listened to.
        ...(part ? { startSeconds: part.start, seconds: Math.max(LEAST_PART, part.end - part.start) } : {}),
      });
      this.jobId = jobId;
      const { result } = await this.#jobs.wait(jobId);
      if (result?.kind !== 'transcribe') throw new Error('notes of a track without a result');
      this.roll.replace(result.notes);
      this.roll.setTempo(result.beatsPerMinute);
      return result.notes.length;
    } finally {
      this.jobId = null;
    }
  }

  /**
   * Adds what comes after the melody, as the melodies of the library go on; the new notes are chosen.
   * @returns how many there was room for, and what they are by; null for a second press
   * @throws EngineError
   */
  async continue(
    settings: Continuation,
  ): Promise<{ added: number; model: MelodyContinuation['model'] } | null> {
    if (this.jobId !== null) return null;
    this.jobId = '';
    try {
      const { beatsPerMinute, plain: notes } = this.roll;
      const { jobId } = await this.#engine.call('melodies.continue', {
        ...{ libraryId: this.#libraryId, notes, beatsPerMinute },
        ...settings,
      });
      this.jobId = jobId;
      const { result } = await this.#jobs.wait(jobId);
      if (result?.kind !== 'continue-melody') throw new Error('a continuation without a result');
      const { notes: more, model } = result.continuation;
      return { added: this.roll.append(more), model };
    } finally {
      this.jobId = null;
    }
  }

  stop(): void {
    this.#player.stop();
  }

  async #make(by: Playing, file?: string): Promise<MelodySound> {
    const notes = this.roll.plain;
    const { experimentId, index } = by;
    this.jobId = '';
    try {
      const { jobId } = await this.#engine.call('melody.play', {
        ...{ libraryId: this.#libraryId, experimentId, index, notes },
        sound: this.#sonifier.settings,
        ...(file === undefined ? {} : { file }),
      });
      this.jobId = jobId;
      const { result } = await this.#jobs.wait(jobId);
      if (result?.kind !== 'melody') throw new Error('a melody without a result');
      this.sound = result.melody;
      this.#made = { key: this.#keyOf(by, notes), at: Date.now() };
      return result.melody;
    } finally {
      this.jobId = null;
    }
  }

  #keyOf({ experimentId, revision, index }: Playing, notes: readonly Note[]): string {
    return JSON.stringify([experimentId, revision, index, this.#sonifier.settings, notes]);
  }
}

function keyOfSound({ id }: MelodySound): string {
  return `melody:${id}`;
}
