import type {
  ListeningRound,
  ListeningSide,
  ListeningSummary,
  ListeningTest,
} from '../../../engine/api/listening.ts';
import type { VectorRef } from '../../../engine/api/neighbours.ts';
import type { LibrarySession } from '../session/library-session.svelte.ts';
import { BlindSounds, readClip, type Clip } from './blind-sounds.ts';

/** A sound of a question; X is one of the other two once more. */
export type Heard = ListeningSide | 'x';

/** What is heard of a question, in this order. */
const heardOf: Record<ListeningRound['kind'], readonly Heard[]> = {
  class: ['first'],
  real: ['first', 'second'],
  abx: ['first', 'second', 'x'],
};

/** Between the sounds of a question, ms. */
const PAUSE_MS = 400;

/** What is set before a test. */
export interface ListeningForm {
  classRounds: number;
  realRounds: number;
  abxRounds: number;
  choices: number;
  seed: number;
}

/** A blind listening test that is taken: its sounds are made first, then each question is heard and answered. */
export class ListeningRun {
  phase = $state<'setup' | 'preparing' | 'asking' | 'done'>('setup');
  test = $state.raw<ListeningTest | null>(null);
  /** All tests of the library, newest first. */
  tests = $state.raw<ListeningSummary[]>([]);
  jobId = $state<string | null>(null);
  /** Which of the sounds plays. */
  playing = $state<Heard | null>(null);
  readonly #session: LibrarySession;
  readonly #sounds = new BlindSounds();
  readonly #end = new AbortController();
  /** Sound of a prototype, by its index. */
  #urls: Readonly<Record<number, { url: string; seconds: number }>> = {};
  #asked = 0;
  /** What was decoded of a question; it goes with it. */
  readonly #clips = new WeakMap<ListeningRound, Record<ListeningSide, Promise<Clip> | null>>();
  #answering = false;

  constructor(session: LibrarySession) {
    this.#session = session;
  }

  /** Place of the question that is asked; −1 after the last. */
  place = $derived(this.test?.questions.findIndex(({ answer }) => answer === null) ?? -1);
  round = $derived<ListeningRound | null>(this.test?.questions[this.place] ?? null);

  async reload(): Promise<void> {
    const { engine, libraryId } = this.#session;
    this.tests = await engine.call('listening.list', { libraryId });
  }

  /** Draws a test about the chosen experiment, makes its sounds, and asks the first question. */
  async start(experimentId: string, form: ListeningForm): Promise<void> {
    const { engine, libraryId, sonifier } = this.#session;
    await this.#take(
      await engine.call('listening.start', { libraryId, experimentId, ...form, sound: sonifier.settings }),
    );
  }

  /** Goes on with one that was left. */
  async resume(testId: string): Promise<void> {
    const { engine, libraryId } = this.#session;
    await this.#take(await engine.call('listening.get', { libraryId, testId }));
  }

  async #take(test: ListeningTest): Promise<void> {
    const { engine, libraryId, player } = this.#session;
    player.pause();
    this.test = test;
    this.phase = 'preparing';
    try {
      const { experimentId, revision, settings } = test.summary;
      const indices = test.questions
        .map(({ index }) => index)
        .filter((index, i, all) => all.indexOf(index) === i);
      const targets = indices.map((index): VectorRef => ({
        kind: 'prototype',
        experimentId,
        index,
        revision,
      }));
      const { jobId } = await engine.call('sonify.start', { libraryId, targets, ...settings });
      if (!this.#isTaken(test)) {
        await engine.call('jobs.cancel', { jobId });
        return;
      }
      this.jobId = jobId;
      const { result } = await this.#session.wait(jobId);
      if (!this.#isTaken(test)) return;
      const made = result?.kind === 'sonify' ? result.sonifications : [];
      this.#urls = Object.fromEntries(
        made.map(({ sonification: { url, durationSeconds } }, i) => [
          indices[i] ?? -1,
          { url, seconds: durationSeconds },
        ]),
      );
    } catch (thrown) {
      // Who left it has cancelled it, and may be in another one by now.
      if (!this.#isTaken(test)) return;
      this.jobId = null;
      this.phase = 'setup';
      await this.reload();
      throw thrown;
    }
    this.jobId = null;
    this.phase = 'asking';
    await this.hear();
  }

  #isTaken(test: ListeningTest): boolean {
    return this.test === test && !this.#end.signal.aborted;
  }

  /** Plays the question: its sounds one after the other, or one of them. */
  async hear(which: Heard | 'all' = 'all'): Promise<void> {
    const { round } = this;
    if (!round || this.phase !== 'asking') return;
    const ask = ++this.#asked;
    const still = (): boolean => ask === this.#asked && !this.#end.signal.aborted;
    const sounds = heardOf[round.kind].filter((sound) => which === 'all' || which === sound);
    for (const [place, sound] of sounds.entries()) {
      if (place > 0) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      if (!still()) return;
      const clip = await this.#decoded(round, sideOf(round, sound));
      if (!still()) return;
      this.playing = sound;
      await this.#sounds.play(clip, this.#session.settings.volume);
      if (!still()) return;
      this.playing = null;
    }
  }

  /** Decoded once for a question, however often it is heard: the excerpt may be from a recording of an hour. */
  async #decoded(round: ListeningRound, side: ListeningSide): Promise<Clip> {
    const clips = this.#clips.get(round) ?? { first: null, second: null };
    this.#clips.set(round, clips);
    return (clips[side] ??= this.#clipOf(round, side).catch((thrown: unknown) => {
      // Heard again, it is tried again.
      clips[side] = null;
      throw thrown;
    }));
  }

  async #clipOf(round: ListeningRound, side: ListeningSide): Promise<Clip> {
    const { engine, libraryId } = this.#session;
    const sound = this.#urls[round.index];
    if (!sound) throw new Error('the sound of a question is not there');
    if (round.kind === 'class' || round.real !== side) return readClip(sound.url, this.#end.signal);
    const { trackId, startSeconds: start } = round.excerpt;
    const { url } = await engine.call('tracks.audioUrl', { libraryId, trackId });
    // As long as the other one: its length must not give it away.
    return readClip(url, this.#end.signal, { start, seconds: sound.seconds });
  }

  /** The n-th answer that is offered, from 0. */
  async choose(n: number): Promise<void> {
    const { round, test, place } = this;
    if (!round || !test || this.phase !== 'asking' || this.#answering) return;
    const answer = (round.kind === 'class' ? round.choices : ['first', 'second'])[n];
    if (answer === undefined) return;
    this.#asked += 1;
    this.#sounds.stop();
    this.playing = null;
    this.#answering = true;
    try {
      const { engine, libraryId } = this.#session;
      const input = { libraryId, testId: test.summary.id, round: place, answer };
      this.test = await engine.call('listening.answer', input);
    } finally {
      this.#answering = false;
    }
    if (this.place >= 0) {
      await this.hear();
      return;
    }
    this.phase = 'done';
    await this.reload();
  }

  async remove(testId: string): Promise<void> {
    const { engine, libraryId } = this.#session;
    await engine.call('listening.remove', { libraryId, testId });
    await this.reload();
  }

  /** Leaves the test that is taken; its answers stay, and it can be gone on with. */
  async leave(): Promise<void> {
    const { jobId } = this;
    this.#asked += 1;
    this.#sounds.stop();
    this.playing = null;
    this.jobId = null;
    this.test = null;
    this.phase = 'setup';
    if (jobId !== null) await this.#session.engine.call('jobs.cancel', { jobId });
    await this.reload();
  }

  close(): void {
    this.#asked += 1;
    this.#end.abort();
    this.#sounds.close();
  }
}

function sideOf(round: ListeningRound, sound: Heard): ListeningSide {
  if (sound !== 'x') return sound;
  return round.kind === 'abx' ? round.x : 'first';
}
