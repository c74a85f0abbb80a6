import * as z from 'zod';
import {
  leftOutSchema,
  modalityNames,
  sharedClassesSchema,
  sharedSettingsSchema,
  trialFiguresSchema,
} from '../api/modalities.ts';
import { EngineError } from '../api/errors.ts';
import { toBlob, type Database } from '../storage/database.ts';

/** A cover by how little it fits its own recordings; tracks by id. */
const fitSchema = z.object({ trackId: z.string(), tracks: z.int(), z: z.number(), better: z.string() });

const cardSchema = z.object({
  classesFrom: sharedClassesSchema,
  classesTitle: z.string(),
  settings: sharedSettingsSchema,
  /** Names of the classes, with how many tracks each was learned from. */
  classes: z.array(z.object({ name: z.string(), tracks: z.int() })),
  tracks: z.int(),
  groups: z.int(),
  trials: z.array(trialFiguresSchema),
  fits: z.array(fitSchema),
  withoutCover: z.int(),
  unreadCovers: z.array(leftOutSchema),
  wordsLeftOut: z.int(),
  lyrics: z.int(),
  /** Steps that were learned; left out by what chose none. */
  steps: z.int().optional(),
  /** What looked at covers; null: the hand-made features. */
  imageNetwork: z
    .object({ path: z.string(), name: z.string(), sha256: z.string(), dim: z.int() })
    .nullable()
    .default(null),
  /** Numbers per vector of each modality that is in it. */
  inputs: z.partialRecord(z.enum(modalityNames), z.int()),
  /** The covers that were learned from, each by one of its tracks and the class of that. */
  covers: z.array(z.object({ trackId: z.string(), class: z.int() })),
});
export type SharedCard = z.output<typeof cardSchema>;

/** A common space as it is stored. */
export interface StoredShared {
  id: string;
  title: string;
  /** Key of the embedding space of its sound. */
  space: string;
  card: SharedCard;
  createdAt: string;
}

interface Row {
  id: string;
  title: string;
  space: string;
  card: string;
  created_at: string;
}

const COLUMNS = 'id, title, space, card, created_at';

/** The spaces that sound, covers and words of a library share. */
export class SharedSpaceRepository {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  insert({ id, title, space, card, createdAt }: StoredShared, numbers: Float32Array): void {
    this.#db
      .prepare(
        'INSERT INTO shared_spaces (id, title, space, card, numbers, created_at) VALUES (?, ?, ?, ?, ?, ?)',
      )
      .run([id, title, space, JSON.stringify(card), toBlob(numbers), createdAt]);
  }

  /** Newest first. */
  list(): StoredShared[] {
    return this.#db
      .prepare<Row>(`SELECT ${COLUMNS} FROM shared_spaces ORDER BY created_at DESC, id`)
      .all()
      .map(storedOf);
  }

  /** @throws EngineError `not-found` */
  get(id: string): StoredShared & { numbers: Float32Array } {
    const row = this.#db
      .prepare<Row & { numbers: ArrayBuffer }>(`SELECT ${COLUMNS}, numbers FROM shared_spaces WHERE id = ?`)
      .get([id]);
    if (!row) throw gone();
    return { ...storedOf(row), numbers: new Float32Array(row.numbers) };
  }

  /** @throws EngineError `not-found` */
  remove(id: string): void {
    const removed = this.#db.prepare('DELETE FROM shared_spaces WHERE id = ? RETURNING id').all([id]);
    if (removed.length === 0) throw gone();
  }
}

const gone = (): EngineError =>
  new EngineError('not-found', 'There is no such space of covers and words.', 'It may have been forgotten.');

function storedOf({ id, title, space, card, created_at: createdAt }: Row): StoredShared {
  return { id, title, space, card: cardSchema.parse(JSON.parse(card)), createdAt };
}
