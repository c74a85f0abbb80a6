import { join } from 'node:path';
import * as z from 'zod';
import { readBounded } from '../../models/files/read.ts';
import type { Pack } from '../../models/packs/index.ts';
import { EngineError } from '../api/errors.ts';
import type { TrainingData } from '../api/packs.ts';

const MAX_CARD_BYTES = 64 * 1024 * 1024;
/** Copyleft licences for programs. */
const GENERAL_PUBLIC = /^[AL]?GPL/i;

const cardSchema = z.object({
  hours: z.number().nonnegative(),
  files: z.array(
    z.object({
      package: z.string(),
      version: z.string(),
      licence: z.string(),
      /** Holders, where the source names them. */
      copyright: z.string().default(''),
      seconds: z.number().nonnegative(),
    }),
  ),
});

/**
 * What a pack's data card says of the audio that it was trained on, by licence and by source.
 * @returns null where the pack brings no card
 * @throws EngineError `pack` for a card that cannot be read
 */
export async function trainingDataOf({ folder, manifest }: Pack): Promise<TrainingData | null> {
  const { card } = manifest.trainingData;
  if (card === undefined) return null;
  const parsed = cardSchema.safeParse(await readCard(join(folder, card)));
  if (!parsed.success)
    throw new EngineError(
      'pack',
      `The data card of “${manifest.title}” cannot be read: ${z.prettifyError(parsed.error)}`,
      'Install the pack again.',
    );
  const { hours, files } = parsed.data;
  const byLicence = new Map<string, { seconds: number; files: number }>();
  const sources = new Map<string, TrainingData['sources'][number] & { holders: Set<string> }>();
  for (const { licence, seconds, copyright, ...file } of files) {
    const entry = byLicence.get(licence) ?? { seconds: 0, files: 0 };
    byLicence.set(licence, { seconds: entry.seconds + seconds, files: entry.files + 1 });
    const key = JSON.stringify([file.package, file.version, licence]);
    const source = sources.get(key) ?? {
      ...{ package: file.package, version: file.version, licence, files: 0, copyright: [] },
      holders: new Set<string>(),
    };
    source.files++;
    if (copyright !== '') source.holders.add(copyright);
    sources.set(key, source);
  }
  const inHours = (seconds: number): number => Math.round(seconds / 36) / 100;
  const generalPublicHours = inHours(
    [...byLicence].reduce((sum, [name, { seconds }]) => sum + (GENERAL_PUBLIC.test(name) ? seconds : 0), 0),
  );
  return {
    hours,
    licences: [...byLicence]
      .map(([licence, entry]) => ({ licence, hours: inHours(entry.seconds), files: entry.files }))
      .sort((a, b) => b.hours - a.hours || (a.licence < b.licence ? -1 : 1)),
    generalPublicHours,
    notice: generalPublicHours > 0 ? unsettled(hours, generalPublicHours) : null,
    sources: [...sources.values()].map(({ holders, ...source }) => ({
      ...source,
      copyright: [...holders].sort(),
    })),
  };
}

/** README says the same of the embedded pack; it claims nothing about the law. */
const unsettled = (hours: number, generalPublicHours: number): string =>
  `It was trained on ${hours.toFixed(1)} hours of audio, ${generalPublicHours.toFixed(1)} of them under the GPL; ` +
  'the licence of its weights is not settled.';

async function readCard(path: string): Promise<unknown> {
  try {
    return JSON.parse((await readBounded(path, MAX_CARD_BYTES)).toString('utf8'));
  } catch {
    return null;
  }
}
