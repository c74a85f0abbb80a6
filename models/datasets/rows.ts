import type { Pacer } from '../numerics/pacer.ts';
import { DatasetError } from './errors.ts';
import type { ColumnPlan } from './plan.ts';

/** Most feature values of one data set (2 GiB of float64): more than that needs another program. */
export const MAX_VALUES = 2 ** 28;
const BLOCK_VALUES = 1 << 18;

/** Gathers rows in blocks, so that growing never copies what is already there. Rows start as zeros. */
export class RowCollector {
  readonly #path: string;
  readonly #dim: number;
  readonly #labelCount: number;
  readonly #blockRows: number;
  readonly #features: Float64Array[] = [];
  readonly #labels: Uint8Array[] = [];
  #count = 0;
  /** Where the row that {@link next} opened lies in its blocks. */
  featureOffset = 0;
  labelOffset = 0;
  featureBlock = new Float64Array(0);
  labelBlock = new Uint8Array(0);
  /** Texts of the identifying column; null once two are equal. */
  #ids: string[] | null;
  readonly #seenIds = new Set<string>();

  constructor(path: string, plan: ColumnPlan) {
    this.#path = path;
    this.#dim = plan.featureNames.length;
    this.#labelCount = plan.labelNames.length;
    this.#blockRows = Math.max(1, Math.floor(BLOCK_VALUES / this.#dim));
    this.#ids = plan.idColumn >= 0 ? [] : null;
  }

  get count(): number {
    return this.#count;
  }

  /** Opens the next row. @throws DatasetError `too-large` */
  next(): void {
    const inBlock = this.#count % this.#blockRows;
    if (inBlock === 0) {
      if ((this.#count + this.#blockRows) * this.#dim > Math.max(MAX_VALUES, this.#blockRows * this.#dim))
        throw new DatasetError(
          'too-large',
          `${this.#path} holds more than ${MAX_VALUES.toLocaleString('en')} feature values.`,
          'Take a sample of the rows, or fewer features.',
        );
      this.featureBlock = new Float64Array(this.#blockRows * this.#dim);
      this.labelBlock = new Uint8Array(this.#blockRows * this.#labelCount);
      this.#features.push(this.featureBlock);
      this.#labels.push(this.labelBlock);
    }
    this.featureOffset = inBlock * this.#dim;
    this.labelOffset = inBlock * this.#labelCount;
    this.#count++;
  }

  /** Takes the row that was opened last back: a value is missing. */
  drop(): void {
    this.featureBlock.fill(0, this.featureOffset, this.featureOffset + this.#dim);
    this.labelBlock.fill(0, this.labelOffset, this.labelOffset + this.#labelCount);
    this.#count--;
    // `next` opens a block where one begins; the row taken back may have opened it.
    if (this.#count % this.#blockRows === 0) {
      this.#features.pop();
      this.#labels.pop();
    }
  }

  /** Text of the identifying column in the row that was opened last, once the row is kept. */
  id(text: string): void {
    if (this.#ids === null) return;
    if (this.#seenIds.has(text)) {
      this.#ids = null;
      this.#seenIds.clear();
      return;
    }
    this.#seenIds.add(text);
    this.#ids.push(text);
  }

  /** All rows as flat arrays. The collector is empty afterwards. @throws the signal's reason */
  async finish(
    pacer: Pacer,
  ): Promise<{ features: Float64Array; labels: Uint8Array; count: number; rowIds: string[] | null }> {
    const features = new Float64Array(this.#count * this.#dim);
    const labels = new Uint8Array(this.#count * this.#labelCount);
    let rows = 0;
    for (let block = 0; rows < this.#count; block++) {
      const here = Math.min(this.#blockRows, this.#count - rows);
      const from = this.#features[block];
      const fromLabels = this.#labels[block];
      if (!from || !fromLabels) break;
      features.set(from.subarray(0, here * this.#dim), rows * this.#dim);
      labels.set(fromLabels.subarray(0, here * this.#labelCount), rows * this.#labelCount);
      // Lets the block go before the next is copied.
      this.#features[block] = new Float64Array(0);
      rows += here;
      if (pacer.due(here * this.#dim)) await pacer.pause();
    }
    return { features, labels, count: this.#count, rowIds: this.#ids };
  }
}
