import { appendFileSync } from 'node:fs';

/** Worst difference of one stage from the reference implementation, and the largest that is accepted. */
export interface ParityRow {
  stage: string;
  worst: number;
  tolerance: number;
}

/**
 * Reports how far a stage is from the reference. Rows are kept only where `ARCHETONE_PARITY_FILE` names a file, as
 * `scripts/official-parity.mjs` does to make the table of docs/official-parity.md.
 */
export function recordParity(stage: string, worst: number, tolerance: number): void {
  const file = process.env['ARCHETONE_PARITY_FILE'];
  if (!file) return;
  const row: ParityRow = { stage, worst, tolerance };
  appendFileSync(file, `${JSON.stringify(row)}\n`);
}
