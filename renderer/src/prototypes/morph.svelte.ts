import type { VectorRef } from '../../../engine/api/neighbours.ts';
import type { PrototypeInfo } from '../../../engine/api/prototypes.ts';
import type { Sonification } from '../../../engine/api/sonify.ts';
import { playVector } from '../session/audition.ts';
import type { LibrarySession } from '../session/library-session.svelte.ts';
import { vectorKey } from '../session/sonifier.svelte.ts';

/** Points of the line that are heard, the two prototypes among them. */
export const MORPH_POINTS = 5;

/** The line between two prototypes, heard at some points; its sounds are made one after the other, the wanted one first. */
export class Morph {
  ends = $state.raw<{ experimentId: string; from: PrototypeInfo; to: PrototypeInfo } | null>(null);
  /** Which point of the line is heard, from 0. */
  point = $state(0);
  readonly #session: LibrarySession;
  /** Counts lines, so that sounds of an earlier one are no longer made. */
  #line = 0;
  // eslint-disable-next-line svelte/prefer-svelte-reactivity -- nothing that is shown depends on it
  readonly #ahead = new Map<string, Promise<unknown>>();

  constructor(session: LibrarySession) {
    this.#session = session;
  }

  /** Opens the line between two prototypes, and plays its beginning. */
  async open(experimentId: string, from: PrototypeInfo, to: PrototypeInfo): Promise<void> {
    this.ends = { experimentId, from, to };
    this.#line += 1;
    await this.go(0);
    await this.#makeAhead();
  }

  close(): void {
    this.#line += 1;
    this.ends = null;
  }

  shareAt(point: number): number {
    return point / (MORPH_POINTS - 1);
  }

  vectorAt(point: number): VectorRef | null {
    const { ends } = this;
    if (!ends) return null;
    const { experimentId, from, to } = ends;
    // The ends are the prototypes themselves: their rows have the same sounds.
    const end = point === 0 ? from : point === MORPH_POINTS - 1 ? to : null;
    if (end) return { kind: 'prototype', experimentId, index: end.index };
    return {
      ...{ kind: 'between', experimentId, from: from.index, to: to.index },
      share: this.shareAt(point),
    };
  }

  /** Points whose sounds are there. */
  ready = $derived.by((): boolean[] =>
    Array.from({ length: MORPH_POINTS }, (_, point) => {
      const vector = this.vectorAt(point);
      return vector !== null && this.#soundAt(point, vector) !== null;
    }),
  );

  /** Of an end also what was made of its prototype before. */
  #soundAt(point: number, vector: VectorRef): Sonification | null {
    const { ends } = this;
    const end = point === 0 ? ends?.from : point === MORPH_POINTS - 1 ? ends?.to : null;
    return this.#session.sonifier.soundOf(vector, end?.sonification ?? null);
  }

  /** Goes to a point and plays it, when its sound is there at the latest. */
  async go(point: number): Promise<void> {
    this.point = Math.max(0, Math.min(MORPH_POINTS - 1, point));
    const vector = this.vectorAt(this.point);
    const { ends } = this;
    if (!vector || !ends) return;
    const wanted = this.#session.ask(vector);
    await this.#ahead.get(vectorKey(vector));
    if (!wanted()) return;
    const share = String(Math.round(100 * this.shareAt(this.point)));
    const title = `${ends.from.class} #${String(ends.from.index + 1)} → ${ends.to.class} #${String(ends.to.index + 1)} · ${share} %`;
    await playVector(this.#session, vector, title, this.#soundAt(this.point, vector));
  }

  /** What is missing of the line, one point after the other. */
  async #makeAhead(): Promise<void> {
    const line = this.#line;
    const { sonifier } = this.#session;
    for (let point = 0; point < MORPH_POINTS && line === this.#line; point++) {
      const vector = this.vectorAt(point);
      if (!vector || this.#soundAt(point, vector) || sonifier.jobOf(vector) !== null) continue;
      // What goes wrong is told when somebody asks for that point.
      const made = sonifier.make([vector]).then(
        () => true,
        () => false,
      );
      this.#ahead.set(vectorKey(vector), made);
      const there = await made;
      this.#ahead.delete(vectorKey(vector));
      if (!there) return;
    }
  }
}
