import type { EngineClient } from '../../../engine/api/contract.ts';
import type { MelPicture, PictureOf } from '../../../engine/api/sonify.ts';

/** Pictures that are kept: some screens of rows. */
const MOST = 300;

/** Mel pictures of sounds and windows, each asked for once. */
export class Pictures {
  readonly #libraryId: string;
  readonly #engine: EngineClient;
  readonly #known = new Map<string, Promise<MelPicture | null>>();

  constructor(libraryId: string, engine: EngineClient) {
    this.#libraryId = libraryId;
    this.#engine = engine;
  }

  /** Null where there is none: playing the sound says what is wrong with it. */
  get(of: PictureOf): Promise<MelPicture | null> {
    const key = of.kind === 'sound' ? of.soundId : `${of.trackId} ${String(of.windowIndex)}`;
    const known =
      this.#known.get(key) ??
      this.#engine.call('sonify.picture', { libraryId: this.#libraryId, of }).catch(() => {
        this.#known.delete(key);
        return null;
      });
    this.#known.delete(key);
    this.#known.set(key, known);
    const [oldest] = this.#known.keys();
    if (this.#known.size > MOST && oldest !== undefined) this.#known.delete(oldest);
    return known;
  }
}
