/** What a person prefers, in one file of the data folder; changes take effect at once. */
import * as z from 'zod';
import { query } from '../wire/index.ts';
import { nothing } from './shared.ts';

/** Every preference has a default, so that a file of an earlier version is one of this version, too. */
export const preferencesSchema = z.object({
  theme: z.enum(['system', 'light', 'dark']).default('system'),
  /** Size of everything in the window, in percent. */
  textSize: z.int().min(75).max(200).default(100),
  /** Id of the output that sounds are played on, as the browser names it; null: the system's. */
  audioDevice: z.string().max(512).nullable().default(null),
  /** A track that is selected is heard. */
  auditionOnSelect: z.boolean().default(true),
  /** Sounds of prototypes are made ahead, while nothing else is under way. */
  soundsInBackground: z.boolean().default(true),
  /** Threads that graphs of packs are computed with; null: as many as the machine has cores. */
  threads: z.int().min(1).max(256).nullable().default(null),
  /** GB that copies for playback may take, in each library. */
  copiesLimit: z.number().min(0.1).max(10_000).default(4),
  /** GB of vectors of a library up to which they are searched from memory, beyond from a file; null: an eighth of the machine's. */
  vectorsInMemory: z.number().min(0).max(10_000).nullable().default(null),
  /** Imports are computed by the workers of the queue that is connected. */
  importOverQueue: z.boolean().default(false),
});

export type Preferences = z.output<typeof preferencesSchema>;
/** What is left out, or undefined, stays. */
export type PreferenceChange = { [K in keyof Preferences]?: Preferences[K] | undefined };
export type Theme = Preferences['theme'];

export const defaultPreferences: Preferences = preferencesSchema.parse({});

/** Without the defaults: what is left out is no change. */
const changeSchema = z
  .strictObject({
    theme: preferencesSchema.shape.theme.unwrap(),
    textSize: preferencesSchema.shape.textSize.unwrap(),
    audioDevice: preferencesSchema.shape.audioDevice.unwrap(),
    auditionOnSelect: preferencesSchema.shape.auditionOnSelect.unwrap(),
    soundsInBackground: preferencesSchema.shape.soundsInBackground.unwrap(),
    threads: preferencesSchema.shape.threads.unwrap(),
    copiesLimit: preferencesSchema.shape.copiesLimit.unwrap(),
    vectorsInMemory: preferencesSchema.shape.vectorsInMemory.unwrap(),
    importOverQueue: preferencesSchema.shape.importOverQueue.unwrap(),
  })
  .partial() satisfies z.ZodType<PreferenceChange>;

export const preferencesMethods = {
  'preferences.get': query<Preferences>()(nothing),
  /** Answers with all of them, as they are then. */
  'preferences.change': query<Preferences>()(z.strictObject({ change: changeSchema })),
};
