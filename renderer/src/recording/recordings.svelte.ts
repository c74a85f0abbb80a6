import type { EngineClient } from '../../../engine/api/contract.ts';
import type { Recording } from '../../../engine/api/recordings.ts';

/** What was recorded and not deleted; of all libraries. */
export class Recordings {
  /** The newest first. */
  list = $state.raw<readonly Recording[]>([]);
  readonly #engine: EngineClient;

  constructor(engine: EngineClient) {
    this.#engine = engine;
  }

  /** @throws EngineError */
  async load(): Promise<void> {
    this.list = await this.#engine.call('recordings.list', {});
  }

  added(recording: Recording): void {
    this.list = [recording, ...this.list.filter(({ id }) => id !== recording.id)];
  }

  of(path: string): Recording | null {
    return this.list.find((recording) => recording.path === path) ?? null;
  }

  /** Deletes them. @throws EngineError */
  async remove(recordings: readonly Recording[]): Promise<void> {
    if (recordings.length === 0) return;
    await this.#engine.call('recordings.remove', { ids: recordings.map(({ id }) => id) });
    await this.load();
  }
}
