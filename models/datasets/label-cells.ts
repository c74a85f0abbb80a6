import { labelWord } from '../text/index.ts';
import type { ColumnPlan } from './plan.ts';

/**
 * Reads labels as every format writes them. A column may write 1 and 0, or 1 and −1, but not all three: nobody could
 * tell then what absent means.
 */
export class LabelCells {
  /** Per label: bit 1 once a 0 was seen, bit 2 once a −1. */
  readonly #seen: Uint8Array;

  constructor({ labelNames }: ColumnPlan) {
    this.#seen = new Uint8Array(labelNames.length);
  }

  /** @returns 0 or 1; null for what is no label */
  word(label: number, cell: string): 0 | 1 | null {
    return this.number(label, labelWord(cell));
  }

  /** @returns 0 or 1; null for what is no label */
  number(label: number, value: number): 0 | 1 | null {
    if (value === 1) return 1;
    if (value !== 0 && value !== -1) return null;
    const seen = (this.#seen[label] ?? 0) | (value === 0 ? 1 : 2);
    this.#seen[label] = seen;
    return seen === 3 ? null : 0;
  }
}

export const LABEL_HINT =
  'Labels are 0 or 1 (also 1.0, true and false, yes and no, or 1 and −1). One column alone may give each row its class instead, as a name or a whole number (--label-count 1).';
