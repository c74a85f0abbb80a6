import { basename, dirname, extname, join } from 'node:path';
import type { PackInfo } from '../../engine/api/packs.ts';
import { EngineError } from '../../engine/api/errors.ts';
import type { HeardClass, QualityCard } from '../../engine/api/quality.ts';
import { writeWhole } from '../../engine/files/write-whole.ts';
import { toOutput } from '../write-output.ts';
import { packPage } from './pack-page.ts';
import { refuseTaken } from '../../engine/files/refuse-taken.ts';

/** What a report on a pack is made of. */
export interface PackReportInput {
  pack: PackInfo;
  card: QualityCard;
  classes: readonly HeardClass[];
  version: string;
}

/** Writes the page `NAME.html`; its sounds and pictures lie in {@link soundsOfReport}. */
export async function writePackReport(file: string, input: PackReportInput): Promise<void> {
  const page = packPage({ ...input, link: basename(soundsOfReport(file)) });
  await toOutput(file, () => writeWhole(file, page), '--report');
}

/** The folder `NAME` beside the page. */
export function soundsOfReport(file: string): string {
  return join(dirname(file), basename(file, extname(file)));
}

/**
 * Refuses, before anything is measured, a page that is no `.html` file or whose folder of sounds holds anything.
 * @throws EngineError `bad-input`
 */
export async function checkReportPlace(file: string): Promise<void> {
  if (extname(file) !== '.html')
    throw new EngineError(
      'bad-input',
      `${file} is not the name of a page.`,
      'Name a file that ends in .html.',
    );
  await refuseTaken(soundsOfReport(file), 'Name another page, or remove the folder of an earlier report.');
}
