import type { EngineClient } from '../../../engine/api/contract.ts';
import { EngineError } from '../../../engine/api/errors.ts';
import type { Taggram } from '../../../engine/api/tags.ts';

/** What a pack with tags hears in the track of the player. */
export class Taggrams {
  value = $state.raw<Taggram | null>(null);
  /** What is to be said instead of a drawing. */
  note = $state('');
  #asked = '';
  #stop = new AbortController();
  readonly #engine: Pick<EngineClient, 'call'>;

  constructor(engine: Pick<EngineClient, 'call'>) {
    this.#engine = engine;
  }

  /** Asks for the tags of a track; nothing of the track before is shown or computed any longer. Null: nothing is asked. */
  async show(
    request: { libraryId: string; trackId: string; packId: string; headId: string | null } | null,
  ): Promise<void> {
    const asked = JSON.stringify(request);
    if (asked === this.#asked) return;
    this.#asked = asked;
    this.#stop.abort();
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    this.value = null;
    this.note = request === null ? '' : 'Listening for tags…';
    if (request === null) return;
    try {
      const value = await this.#engine.call('tags.track', request, { signal });
      if (signal.aborted) return;
      this.value = value;
      this.note = '';
    } catch (thrown) {
      if (signal.aborted) return;
      const { message, hint } = EngineError.from(thrown).toData();
      this.note = [message, hint].filter(Boolean).join(' ');
    }
  }
}

/** A tag in a taggram: its name, its mean, and its value in each patch. */
export interface TagRow {
  name: string;
  mean: number;
  values: Float32Array;
}

/** The tags of the largest means, the largest first. */
export function strongestRows({ classes, means, values }: Taggram, most: number): TagRow[] {
  const patches = values.length / classes.length;
  return classes
    .map((name, i) => ({ name, mean: means[i] ?? 0, i }))
    .sort((a, b) => b.mean - a.mean)
    .slice(0, most)
    .map(({ name, mean, i }) => ({
      name,
      mean,
      values: Float32Array.from({ length: patches }, (_, patch) => values[patch * classes.length + i] ?? 0),
    }));
}

/** The patch that is drawn at a time: the last that began by then; −1 before the first. */
export function patchAt({ startSeconds, patchSeconds }: Taggram, seconds: number): number {
  const at = startSeconds.findLastIndex((start) => start <= seconds);
  const last = startSeconds.length - 1;
  return at === last && seconds > (startSeconds[last] ?? 0) + patchSeconds ? -1 : at;
}
