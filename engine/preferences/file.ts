import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { defaultPreferences, preferencesSchema, type Preferences } from '../api/preferences.ts';

export const preferencesFile = (dataFolder: string): string => join(dataFolder, 'preferences.json');

const anyObject = z.record(z.string(), z.unknown());

/** What a file of preferences says. */
export interface ReadPreferences {
  preferences: Preferences;
  /** What this version does not know, of a later one: kept as it is. */
  unknown: Readonly<Record<string, unknown>>;
  problem: string | null;
}

/**
 * Reads the preferences of a data folder; never fails. What is not valid in the file is named and its default taken, each
 * preference for itself: a misspelt theme is no reason to forget the audio device.
 */
export function readPreferences(dataFolder: string): ReadPreferences {
  const path = preferencesFile(dataFolder);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (thrown) {
    const missing = thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT';
    const problem = missing ? null : `The preferences in ${path} could not be read: the defaults are used.`;
    return { preferences: defaultPreferences, unknown: {}, problem };
  }
  try {
    const stored = anyObject.parse(JSON.parse(text));
    const unknown = Object.fromEntries(
      Object.entries(stored).filter(([name]) => !(name in preferencesSchema.shape)),
    );
    const parsed = preferencesSchema.safeParse(stored);
    if (parsed.success) return { preferences: parsed.data, unknown, problem: null };
    const bad = new Set(parsed.error.issues.map(({ path: [name] }) => String(name)));
    const rest = Object.fromEntries(Object.entries(stored).filter(([name]) => !bad.has(name)));
    return {
      preferences: preferencesSchema.parse(rest),
      unknown,
      problem: `${path} has no valid ${[...bad].join(', ')}: the default is used.`,
    };
  } catch {
    return {
      preferences: defaultPreferences,
      unknown: {},
      problem: `The preferences in ${path} are damaged: the defaults are used until something is changed.`,
    };
  }
}
