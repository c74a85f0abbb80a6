import { following, moved, zoomed, type Span } from './zoom.ts';

/** Which part of the played sound is drawn. */
export class Zoom {
  /** Null: all. */
  #part = $state.raw<Span | null>(null);
  readonly #played: { readonly time: number; readonly duration: number };

  constructor(played: { readonly time: number; readonly duration: number }) {
    this.#played = played;
  }

  /** What is drawn of the sound. */
  get shown(): Span {
    return this.#part ?? { start: 0, end: this.#played.duration };
  }

  get isIn(): boolean {
    return this.#part !== null;
  }

  /** @param factor 2: twice as close · @param around default: the cursor, where it is in sight */
  by(factor: number, around?: number): void {
    const { time, duration } = this.#played;
    if (duration <= 0) return;
    const { shown } = this;
    const cursor = time >= shown.start && time <= shown.end ? time : (shown.start + shown.end) / 2;
    const next = zoomed(shown, factor, around ?? cursor, duration);
    this.#part = next.end - next.start >= duration - 1e-9 ? null : next;
  }

  /** Draws all of the sound. */
  out(): void {
    this.#part = null;
  }

  /** Moves what is drawn. */
  moveBy(seconds: number): void {
    if (this.#part) this.#part = moved(this.#part, seconds, this.#played.duration);
  }

  /** Keeps what plays in sight. */
  follow(): void {
    const { time, duration } = this.#played;
    if (this.#part) this.#part = following(this.#part, time, duration);
  }
}
