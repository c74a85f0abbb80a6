import type { Input } from '../../../engine/api/contract.ts';
import type { Recommendation } from '../../../engine/api/studies.ts';
import type { EngineClient } from '../../../engine/api/contract.ts';

export type Asked = Omit<Input<'reductions.recommend'>, 'libraryId'>;

/** What is recommended among the reductions of the study that is shown. */
export class Recommended {
  answer = $state.raw<Recommendation | null>(null);
  problem = $state.raw<unknown>(null);
  readonly #engine: EngineClient;
  readonly #libraryId: string;
  #last: Asked | null = null;

  constructor(engine: EngineClient, libraryId: string) {
    this.#engine = engine;
    this.#libraryId = libraryId;
  }

  /** Asks; an answer that comes after a later question is dropped. */
  async ask(asked: Asked): Promise<void> {
    this.#last = asked;
    try {
      const answer = await this.#engine.call('reductions.recommend', {
        libraryId: this.#libraryId,
        ...asked,
      });
      if (this.#last === asked) [this.answer, this.problem] = [answer, null];
    } catch (thrown) {
      if (this.#last === asked) [this.answer, this.problem] = [null, thrown];
    }
  }
}
