import type { Terms } from '../../../models/conversion/index.ts';
import type { PackTerms } from '../../api/packs.ts';
import { EngineError } from '../../api/errors.ts';

/** Terms as a shell shows them. */
export function plainTerms({ id, subject, licence, url, nonCommercial = false }: Terms): PackTerms {
  return { id, subject, licence, url, nonCommercial };
}

/** @throws EngineError `bad-input` naming the terms that nobody accepted */
export function requireAccepted(terms: readonly PackTerms[], accepted: readonly string[]): void {
  const open = terms.filter(({ id }) => !accepted.includes(id));
  if (open.length === 0) return;
  throw new EngineError(
    'bad-input',
    `These terms are not accepted yet: ${open.map(({ subject, licence }) => `${subject}: ${licence}`).join('; ')}.`,
    `Read them first: ${open.map(({ url }) => url).join(' , ')}`,
  );
}
