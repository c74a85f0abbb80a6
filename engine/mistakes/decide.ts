import type * as z from 'zod';
import { type MistakeDecision, mistakesMethods } from '../api/mistakes.ts';
import { EngineError } from '../api/errors.ts';
import type { Library } from '../library/library.ts';
import type { StoredDecision, StoredMistake } from '../library/mistakes.ts';
import { distinct } from '../taxonomies/labels.ts';
import { currentReport, questionOf } from './lists.ts';

type Decide = z.output<(typeof mistakesMethods)['mistakes.decide']['input']>;

/**
 * Carries out what a person decided, labels included, in one transaction.
 * @throws EngineError `not-found` for a mistake of another report, `bad-input` where there is nothing to accept or the labels
 *   were changed since
 */
export function decideMistake(library: Library, request: Omit<Decide, 'libraryId'>): MistakeDecision {
  const { taxonomyId, mistakeId, decision } = request;
  const report = currentReport(library, taxonomyId);
  const mistake = report?.mistakes.find(({ id }) => id === mistakeId);
  if (!report || !mistake)
    throw new EngineError(
      'not-found',
      'That is not in the present report.',
      'Another window may have looked for mistakes since. Read the list again.',
    );
  const before = library.labels.of(taxonomyId, [mistake.trackId]).get(mistake.trackId) ?? [];
  const after = labelsAfter(mistake, before, report.task, request);
  return library.db.transaction(() => {
    if (after.join('\n') !== before.join('\n'))
      library.labels.set(taxonomyId, [{ trackId: mistake.trackId, labels: after }]);
    return library.mistakes.decide(taxonomyId, {
      ...questionOf(mistake),
      ...{ tab: mistake.tab, given: mistake.given, suggested: mistake.suggested, decision },
      ...{ before, after, report: report.id, decidedAt: new Date().toISOString() },
    });
  })();
}

function labelsAfter(
  { given, suggested, tab }: StoredMistake,
  before: readonly string[],
  task: 'single' | 'multi',
  { decision, labels }: Pick<Decide, 'decision' | 'labels'>,
): string[] {
  if (decision === 'keep' || decision === 'skip') return [...before];
  if (decision === 'change') return distinct(labels);
  if (given === null && suggested === null)
    throw new EngineError('bad-input', `Of ${tab} there is no suggestion to accept.`, 'Keep it, or skip it.');
  if (tab === 'left-out')
    throw new EngineError(
      'bad-input',
      'Nothing is suggested for a class that was left out.',
      'Keep it, or give another label.',
    );
  if (given !== null && !before.includes(given))
    throw new EngineError(
      'bad-input',
      `The track is no longer “${given}”: its labels were changed since.`,
      'Read the list again.',
    );
  if (task === 'single') return suggested === null ? [] : [suggested];
  return distinct([...before.filter((label) => label !== given), ...(suggested === null ? [] : [suggested])]);
}

/**
 * Takes the newest decision back.
 * @throws EngineError `bad-input` when the labels were changed again since
 */
export function undoDecision(library: Library, taxonomyId: string): MistakeDecision | null {
  const newest = library.mistakes.newest(taxonomyId);
  if (!newest) return null;
  const { trackId, after, before } = newest;
  const now = library.labels.of(taxonomyId, [trackId]).get(trackId) ?? [];
  if (changes(newest) && now.join('\n') !== after.join('\n'))
    throw new EngineError(
      'bad-input',
      `The labels of ${newest.path} were changed again since; undoing would lose that.`,
      'Set its labels by hand.',
    );
  library.db.transaction(() => {
    if (changes(newest)) library.labels.set(taxonomyId, [{ trackId, labels: before }]);
    library.mistakes.forget(newest.id);
  })();
  return newest;
}

/** Whether labels were changed. */
export function changes({ before, after }: StoredDecision): boolean {
  return before.join('\n') !== after.join('\n');
}
