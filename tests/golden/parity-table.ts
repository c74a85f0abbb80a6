import { appendFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Worst difference of one stage from the reference implementation, and the largest that is accepted. */
export interface ParityRow {
  stage: string;
  worst: number;
  tolerance: number;
}

/** Where the tests leave their rows, one JSON object a line. */
export const parityFile = process.env['ARCHETONE_PARITY'] ?? join(tmpdir(), 'archetone-parity.jsonl');

/** Adds a row to the parity table; the table is made from the last row of each stage. */
export function recordParity(stage: string, worst: number, tolerance: number): void {
  const row: ParityRow = { stage, worst, tolerance };
  appendFileSync(parityFile, `${JSON.stringify(row)}\n`);
}
