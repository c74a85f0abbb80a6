import { chosenColumnsSchema } from './columns.ts';
import type { ChosenColumns } from './columns.ts';

const keyOf = (libraryId: string): string => `archetone.columns.${libraryId}`;

/** The columns that a person chose for a library, kept between starts; null until then. */
export class ColumnChoice {
  #chosen = $state.raw<ChosenColumns | null>(null);
  readonly #libraryId: string;

  constructor(libraryId: string) {
    this.#libraryId = libraryId;
    try {
      const kept: unknown = JSON.parse(localStorage.getItem(keyOf(libraryId)) ?? 'null');
      this.#chosen = chosenColumnsSchema.nullable().parse(kept);
    } catch {
      // Nothing that this version knows: the columns that fit.
    }
  }

  get chosen(): ChosenColumns | null {
    return this.#chosen;
  }

  /** Null: those that fit the table. */
  choose(list: ChosenColumns | null): void {
    this.#chosen = list;
    try {
      if (list) localStorage.setItem(keyOf(this.#libraryId), JSON.stringify(list));
      else localStorage.removeItem(keyOf(this.#libraryId));
    } catch {
      // Without storage the choice holds until the window closes.
    }
  }
}
