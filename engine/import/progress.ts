import type { JobHandle } from '../jobs/queue.ts';

/** A gap between two reports that is longer than this was a pause. */
const LONGEST_GAP_SECONDS = 5;
/** How quickly old speed is forgotten. */
const MEMORY_SECONDS = 20;

/** Speed in seconds of audio per second of work, over the last half minute or so. */
export class Speedometer {
  readonly #now: () => number;
  #last: number;
  #audio = 0;
  #work = 0;

  /** @param now seconds */
  constructor(now: () => number = () => performance.now() / 1000) {
    this.#now = now;
    this.#last = now();
  }

  add(audioSeconds: number): void {
    const now = this.#now();
    const elapsed = Math.min(now - this.#last, LONGEST_GAP_SECONDS);
    this.#last = now;
    const kept = Math.exp(-elapsed / MEMORY_SECONDS);
    this.#audio = this.#audio * kept + audioSeconds;
    this.#work = this.#work * kept + elapsed;
  }

  /** Null until there is something to measure. */
  rate(): number | null {
    return this.#work > 0.05 ? this.#audio / this.#work : null;
  }
}

/** Turns what happens in an import into the progress that shells show. */
export class ImportProgress {
  readonly #job: JobHandle;
  readonly #speed = new Speedometer();
  #done = 0;
  #failures = 0;
  #windows = 0;
  #secondsLeft = 0;
  #secondsKnown = true;

  constructor(job: JobHandle) {
    this.#job = job;
  }

  scanning(files: number): void {
    this.#job.report({ done: files, total: 0, unit: 'files found', current: '' });
  }

  probing(done: number, total: number, current: string, failures: number): void {
    this.#job.report({ done, total, unit: 'files read', current, failures });
  }

  /** @param durations seconds of each track to embed; null where not known */
  embedding(done: number, failures: number, durations: readonly (number | null)[]): void {
    this.#done = done;
    this.#failures = failures;
    this.#secondsLeft = durations.reduce<number>((sum, seconds) => sum + (seconds ?? 0), 0);
    this.#secondsKnown = durations.every((seconds) => seconds !== null);
    this.#job.report({ done, total: done + durations.length, unit: 'files', current: '', failures });
  }

  started(path: string): void {
    this.#job.report({ current: path });
  }

  decoded(seconds: number): void {
    this.#speed.add(seconds);
    this.#secondsLeft = Math.max(0, this.#secondsLeft - seconds);
    this.#tell();
  }

  embedded(windows = 1): void {
    this.#windows += windows;
    this.#tell();
  }

  /** @param secondsUnread what was expected of the track and will not be decoded any more */
  finished(failed: boolean, secondsUnread: number): void {
    this.#done++;
    if (failed) this.#failures++;
    this.#secondsLeft = Math.max(0, this.#secondsLeft - secondsUnread);
    this.#tell();
  }

  /** Tracks that were finished and are not, after all. */
  takenBack(tracks: number, failed: number): void {
    this.#done -= tracks;
    this.#failures -= failed;
    this.#tell();
  }

  #tell(): void {
    const rate = this.#speed.rate();
    this.#job.report({
      done: this.#done,
      failures: this.#failures,
      windows: this.#windows,
      audioSecondsPerSecond: rate,
      etaSeconds: rate !== null && rate > 0 && this.#secondsKnown ? this.#secondsLeft / rate : null,
    });
  }
}
