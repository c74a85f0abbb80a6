import type { EngineClient, Input } from '../../../engine/api/contract.ts';
import type { KeptMelody, MelodyLearning } from '../../../engine/api/melodies.ts';
import type { Note } from '../../../engine/api/melody.ts';
import type { History } from '../session/history.svelte.ts';

/** A melody that is not kept yet. */
export type UnkeptMelody = Omit<Input<'melodies.keep'>, 'libraryId'>;

/** The melodies that the open library keeps, and what was learned from them; what is done to them can be undone. */
export class KeptMelodies {
  /** Newest first. */
  list = $state.raw<KeptMelody[]>([]);
  /** Null where nothing was learned from them as they are. */
  learning = $state.raw<MelodyLearning | null>(null);
  readonly #libraryId: string;
  readonly #engine: EngineClient;
  readonly #history: History;
  #asked = 0;

  constructor(libraryId: string, engine: EngineClient, history: History) {
    this.#libraryId = libraryId;
    this.#engine = engine;
    this.#history = history;
  }

  async reload(): Promise<void> {
    const ask = ++this.#asked;
    const inLibrary = { libraryId: this.#libraryId };
    const [list, learning] = await Promise.all([
      this.#engine.call('melodies.list', inLibrary),
      this.#engine.call('melodies.learning', inLibrary),
    ]);
    if (ask !== this.#asked) return;
    this.list = list;
    this.learning = learning;
  }

  async notes({ id: melodyId }: KeptMelody): Promise<Note[]> {
    const { notes } = await this.#engine.call('melodies.get', { libraryId: this.#libraryId, melodyId });
    return notes;
  }

  /** @returns the melody; `known`: it was there already, and nothing was kept. @throws EngineError `bad-input` */
  async keep(unkept: UnkeptMelody): Promise<{ melody: KeptMelody; known: boolean }> {
    const kept = await this.#engine.call('melodies.keep', { libraryId: this.#libraryId, ...unkept });
    await this.reload();
    const { melody, known } = kept;
    if (!known)
      this.#history.push({
        title: `Keep the melody “${melody.name}”`,
        undo: () => this.#set('melodies.remove', melody),
        redo: () => this.#set('melodies.restore', melody),
      });
    return kept;
  }

  /** @throws EngineError `bad-input` for a name that is taken */
  async rename({ id: melodyId, name: before }: KeptMelody, name: string): Promise<void> {
    const rename = async (to: string): Promise<void> => {
      await this.#engine.call('melodies.rename', { libraryId: this.#libraryId, melodyId, name: to });
      await this.reload();
    };
    await rename(name);
    this.#history.push({
      title: `Rename the melody “${before}”`,
      undo: () => rename(before),
      redo: () => rename(name),
    });
  }

  async remove(melody: KeptMelody): Promise<void> {
    await this.#set('melodies.remove', melody);
    this.#history.push({
      title: `Delete the melody “${melody.name}”`,
      undo: () => this.#set('melodies.restore', melody),
      redo: () => this.#set('melodies.remove', melody),
    });
  }

  async #set(method: 'melodies.remove' | 'melodies.restore', { id }: KeptMelody): Promise<void> {
    await this.#engine.call(method, { libraryId: this.#libraryId, melodyIds: [id] });
    await this.reload();
  }
}
