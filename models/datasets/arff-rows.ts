import type { ArffAttribute } from './arff-header.ts';
import { givesClasses, labelValues } from './arff-labels.ts';
import { ClassColumn } from './class-column.ts';
import { arffError, ArffTokens, closingBrace } from './arff-tokens.ts';
import { DatasetError, place } from './errors.ts';
import { isMissing, labelWord } from '../text/index.ts';
import { LABEL_HINT, LabelCells } from './label-cells.ts';
import { decimal } from './numbers.ts';
import { EXCLUDED, type ColumnPlan } from './plan.ts';
import { RowCollector } from './rows.ts';

/** How one column is read. */
interface Column {
  name: string;
  target: number;
  /** Value → number of a nominal column; null for a numeric one. */
  values: ReadonlyMap<string, number> | null;
  /** What a sparse row means by leaving the column out: the first declared value. */
  absent: string;
}

const WEIGHT = /^,?\s*\{\s*[-+.\deE]+\s*\}$/;
const BRACE_OPEN = 123;

/** Reads the rows after `@data`, dense or sparse, into a {@link RowCollector}. */
export class ArffRowReader {
  readonly #path: string;
  readonly #columns: Column[];
  readonly #idColumn: number;
  readonly #tokens: ArffTokens;
  readonly #dropMissing: boolean;
  /** Labels that a sparse row bears unless it says otherwise. */
  readonly #labelsWhenAbsent: number[];
  /** Per column, the row that gave its value last: finds a column given twice in a sparse row. */
  readonly #lastRow: Int32Array;
  readonly rows: RowCollector;
  readonly #labels: LabelCells;
  /** Of a single label; its values may be classes. */
  readonly classes: ClassColumn | null;
  dropped = 0;
  weighted = false;

  readonly #classAbsent: string;

  constructor(path: string, attributes: readonly ArffAttribute[], plan: ColumnPlan, dropMissing: boolean) {
    this.#path = path;
    this.#idColumn = plan.idColumn;
    this.#dropMissing = dropMissing;
    this.#tokens = new ArffTokens(path);
    const single = plan.labelNames.length === 1 ? attributes[plan.targets.indexOf(-1)] : undefined;
    this.classes = single
      ? new ClassColumn(path, single.name, givesClasses(single) ? single.values : [])
      : null;
    this.#classAbsent = single ? absentOf(single) : '';
    this.#columns = attributes.map((attribute, i) =>
      readingOf(path, attribute, plan.targets[i] ?? EXCLUDED, attribute === single),
    );
    this.#lastRow = new Int32Array(attributes.length).fill(-1);
    this.#labelsWhenAbsent = this.#columns.flatMap(({ target, values, absent }) =>
      target < 0 && target !== EXCLUDED && values?.get(absent) === 1 ? [-target - 1] : [],
    );
    this.rows = new RowCollector(path, plan);
    this.#labels = new LabelCells(plan);
  }

  /** @throws DatasetError `syntax`, `ragged`, `not-a-number`, `bad-label`, `missing-value`, `too-large` */
  line(text: string, line: number): void {
    const tokens = this.#tokens;
    tokens.open(text, line);
    if (tokens.done) return;
    this.rows.next();
    const id = text.charCodeAt(tokens.at) === BRACE_OPEN ? this.#sparse(text, line) : this.#dense(text);
    if (id === null) {
      this.rows.drop();
      this.dropped++;
    } else if (this.#idColumn >= 0) this.rows.id(id);
  }

  /** @returns text of the identifying column (empty without one); null when the row is to be dropped */
  #dense(text: string): string | null {
    const tokens = this.#tokens;
    const count = this.#columns.length;
    if (count > 1 && !text.includes(',')) tokens.partAtBlanks();
    let id = '';
    let keep = true;
    for (let i = 0; i < count; i++) {
      if (tokens.done && !(tokens.promised && i > 0)) throw this.#ragged(i, tokens.text.length);
      const value = tokens.value();
      if (i === this.#idColumn) id = value;
      if (!this.#take(i, value)) keep = false;
    }
    if (!tokens.done || tokens.promised) {
      const rest = tokens.rest();
      if (!WEIGHT.test(rest)) throw this.#ragged(count + 1, tokens.at);
      this.weighted = true;
    }
    return keep ? id : null;
  }

  #sparse(text: string, line: number): string | null {
    const tokens = this.#tokens;
    const open = tokens.at;
    const close = closingBrace(text, open);
    if (close < 0) throw arffError(this.#path, line, open, 'This row opens a brace and never closes it.');
    const after = text.slice(close + 1).trim();
    if (after !== '' && !after.startsWith('%')) {
      if (!WEIGHT.test(after)) throw arffError(this.#path, line, close + 1, 'Nothing may follow the row.');
      this.weighted = true;
    }
    this.classes?.set(this.rows.count - 1, this.#classAbsent === '' ? null : this.#classAbsent, line);
    for (const label of this.#labelsWhenAbsent) this.rows.labelBlock[this.rows.labelOffset + label] = 1;
    let id = this.#columns[this.#idColumn]?.absent ?? '';
    let keep = true;
    tokens.open(text, line, open + 1, close);
    while (!tokens.done || tokens.promised) {
      const column = this.#index(tokens);
      tokens.skipBlanks();
      if (tokens.done) throw tokens.error(tokens.at, 'A column number needs a value after it.');
      const value = tokens.value();
      if (column === this.#idColumn) id = value;
      if (!this.#take(column, value)) keep = false;
    }
    return keep ? id : null;
  }

  #index(tokens: ArffTokens): number {
    const word = tokens.name();
    const at = tokens.start;
    const column = /^\d{1,9}$/.test(word) ? Number(word) : -1;
    if (column < 0)
      throw tokens.error(
        at,
        `“${word.slice(0, 40)}” is no column number.`,
        'Sparse rows are {number value, …}.',
      );
    if (column >= this.#columns.length)
      throw tokens.error(
        at,
        `There is no column ${column}.`,
        `Columns count from 0 to ${this.#columns.length - 1}.`,
      );
    const row = this.rows.count + this.dropped;
    if (this.#lastRow[column] === row) throw tokens.error(at, `Column ${column} is given twice.`);
    this.#lastRow[column] = row;
    return column;
  }

  /** Puts a value where it belongs. @returns false when it is missing and its row is to be dropped */
  #take(index: number, value: string): boolean {
    const column = this.#columns[index];
    if (column === undefined || column.target === EXCLUDED) return true;
    const { target, values } = column;
    if (target < 0 && this.classes !== null) return this.#takeClass(this.classes, column, value);
    const number = values !== null ? values.get(value) : target < 0 ? labelWord(value) : decimal(value);
    if (number === undefined || number !== number) return this.#refuse(column, value);
    if (target >= 0) {
      this.rows.featureBlock[this.rows.featureOffset + target] = number;
      return true;
    }
    const borne = this.#labels.number(-target - 1, number);
    if (borne === null) return this.#refuse(column, value);
    this.rows.labelBlock[this.rows.labelOffset - target - 1] = borne;
    return true;
  }

  #takeClass(classes: ClassColumn, column: Column, value: string): boolean {
    const { quoted, line } = this.#tokens;
    const isDeclared = column.values?.has(value);
    if (!isDeclared && !quoted && isMissing(value)) {
      if (this.#dropMissing) return false;
      classes.set(this.rows.count - 1, null, line);
      return true;
    }
    if (isDeclared === false) return this.#refuse(column, value);
    classes.set(this.rows.count - 1, value, line);
    return true;
  }

  /** @returns false for a missing value whose row is to be dropped @throws for anything else */
  #refuse({ name, target, values }: Column, value: string): false {
    const { start, quoted, line } = this.#tokens;
    const where = place(this.#path, line, start + 1);
    if (value !== '' && isMissing(value) && !quoted) {
      if (this.#dropMissing) return false;
      throw new DatasetError(
        'missing-value',
        `${where}: the value of “${name}” is missing.`,
        'Fill it in, leave the column out (--exclude), or drop such rows (--missing drop-rows).',
        line,
        start + 1,
      );
    }
    if (value === '' && !quoted && this.#dropMissing) return false;
    if (value === '' && !quoted) throw this.#tokens.error(start, `The value of “${name}” is empty.`);
    const shown = value.length > 40 ? `${value.slice(0, 40)}…` : value;
    if (target < 0)
      throw new DatasetError(
        'bad-label',
        `${where}: label “${name}” is “${shown}”.`,
        LABEL_HINT,
        line,
        start + 1,
      );
    throw new DatasetError(
      'not-a-number',
      values === null
        ? `${where}: “${shown}” is not a finite number (attribute “${name}”).`
        : `${where}: “${shown}” is none of the values that “${name}” declares.`,
      values === null ? 'Correct it, or leave the column out.' : 'Correct it, or declare the value.',
      line,
      start + 1,
    );
  }

  #ragged(found: number, at: number): DatasetError {
    const count = this.#columns.length;
    const { line } = this.#tokens;
    return new DatasetError(
      'ragged',
      `${place(this.#path, line, at + 1)}: ${found > count ? 'more' : `only ${found}`} values where ${count} attributes are declared.`,
      'Every row needs one value per attribute.',
      line,
      at + 1,
    );
  }
}

function readingOf(path: string, attribute: ArffAttribute, target: number, isSingle: boolean): Column {
  const { name, kind, values } = attribute;
  const absent = absentOf(attribute);
  if (target === EXCLUDED) return { name, target, values: null, absent };
  const indices = kind === 'nominal' ? new Map(values.map((value, index) => [value, index])) : null;
  if (target < 0 && !isSingle) return { name, target, values: labelValues(path, attribute), absent };
  return { name, target, values: indices, absent };
}

/** What a sparse row means by leaving a column out. */
function absentOf({ kind, values }: ArffAttribute): string {
  return values[0] ?? (kind === 'text' ? '' : '0');
}
