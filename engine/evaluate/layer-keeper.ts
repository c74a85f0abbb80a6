import type { EngineContext } from '../context.ts';
import { packsOfEvaluations } from './stored.ts';

/** Keeps the packs of layers as long as an evaluation names them. */
export class LayerKeeper {
  readonly #context: Pick<EngineContext, 'packs' | 'options'>;
  #runs = 0;
  #sweeping: Promise<void> = Promise.resolve();

  constructor(context: Pick<EngineContext, 'packs' | 'options'>) {
    this.#context = context;
  }

  /** Runs an evaluation: until it has ended nothing goes, since what it asks for stands in no plan yet. */
  async during<T>(run: () => Promise<T>): Promise<T> {
    this.#runs += 1;
    try {
      await this.#sweeping;
      return await run();
    } finally {
      this.#runs -= 1;
      await this.sweep();
    }
  }

  /** Deletes the layers that no evaluation names. */
  async sweep(): Promise<void> {
    this.#sweeping = this.#sweeping.then(async () => {
      if (this.#runs > 0) return;
      const { packs, options } = this.#context;
      // What cannot be deleted now goes the next time; no result depends on it.
      await packs.keepLayers(await packsOfEvaluations(options.dataFolder)).catch(() => undefined);
    });
    await this.#sweeping;
  }
}
