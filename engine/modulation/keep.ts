import type * as z from 'zod';
import { learnedFiltersPack } from '../../models/handmade/learned-filters.ts';
import { EngineError } from '../api/errors.ts';
import {
  reportVerdict,
  type KeptFilters,
  type modulationMethods,
  type ModulationReport,
} from '../api/modulation.ts';
import type { EngineContext } from '../context.ts';
import { keepPack } from '../packs/keep-pack.ts';

/**
 * Keeps the filters of a study as a pack: those that were learned from all its tracks, with its figures.
 * @throws EngineError `not-found`, `pack`, `disk-full`
 */
export async function keepFilters(
  context: EngineContext,
  { libraryId, jobId, title }: z.output<(typeof modulationMethods)['modulation.keep']['input']>,
): Promise<KeptFilters> {
  const { result, libraryId: of } = context.jobs.get(jobId);
  if (result?.kind !== 'modulation-study' || of !== libraryId)
    throw new EngineError(
      'not-found',
      'No filters were learned of this library by that job.',
      'Learn filters, and keep them before jobs are cleared.',
    );
  const { report } = result;
  const files = learnedFiltersPack(report.filters.learned, {
    ...{ title, libraryId, statement: statementOf(report), figures: figuresOf(report) },
  });
  const { addFolder } = context.packs;
  const { manifest } = await keepPack(context.packs, files, { addFolder });
  return { packId: manifest.id, title, dim: manifest.embeddingDim };
}

const statementOf = ({ filters, tracks, classes, taxonomyName }: ModulationReport): string =>
  `The edges of ${filters.learned.length} modulation filters, learned on ${tracks} tracks of ${classes.length} classes of “${taxonomyName}”; nothing else of it is learned.`;

/** What is kept beside the filters: means over the splits in percent, with their intervals as texts. */
function figuresOf(report: ModulationReport): Record<string, unknown> {
  const { accuracy, gain, splits, seed, majority } = report;
  const told = ({ mean, low, high }: { mean: number; low: number; high: number }): string =>
    `${percent(mean)} (${percent(low)} to ${percent(high)})`;
  return {
    'Learned filters, test tracks told right': told(accuracy.learned),
    'Fixed octaves': told(accuracy.fixed),
    'Learned from permuted labels': told(accuracy.permuted),
    'Learned − fixed': told(gain.fixed),
    'The largest class': percent(majority),
    verdict: reportVerdict(report),
    splits,
    seed,
  };
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
