import { isMissing, labelWord } from '../text/index.ts';
import { DatasetError, place } from './errors.ts';
import { LABEL_HINT } from './label-cells.ts';
import type { ColumnPlan } from './plan.ts';
import { MAX_VALUES } from './rows.ts';
import type { DatasetWarning } from './types.ts';

/** More different values than this are no classes. */
export const MAX_CLASSES = 10_000;
/** From so many rows on, values that are all different name the rows. */
const ENOUGH_ROWS = 10;
const NUMBER = /^[-+]?[\d.,]+(e[-+]?\d+)?$/i;

/** What the rows of a data set bear. */
export interface RowLabels {
  /** `[n, L]`, 0 and 1. */
  labels: Uint8Array;
  labelNames: string[];
  /** Whether the file gives each row its class, which became one label per class. */
  classPerRow: boolean;
  warnings: DatasetWarning[];
}

interface Value {
  /** As the class is called, and as it is told apart from others. */
  text: string;
  /** NaN for a name. */
  number: number;
  /** What it says as a label, as {@link labelWord} has it. */
  word: number;
  /** Where it was met first. */
  line: number | undefined;
}

/**
 * The only label column of a file: a label (1 and 0, yes and no …) or the class of each row, as a number or a name. Only all
 * its values tell which, so they are kept until the end. A row without a class bears no label.
 */
export class ClassColumn {
  readonly #path: string;
  readonly #name: string;
  /** Per row the number of its value, -1 where it is missing. */
  #codes = new Int32Array(1024);
  readonly #values: Value[] = [];
  readonly #codeOf = new Map<string, number>();
  #firstMissing: number | undefined | null = null;
  readonly #declared: number;

  /** @param declared values that the file announces, of which each is a class whether a row bears it or not */
  constructor(path: string, name: string, declared: readonly string[] = []) {
    this.#path = path;
    this.#name = name;
    for (const value of declared) this.#codeFor(value, undefined);
    this.#declared = this.#values.length;
  }

  /**
   * The value of a row; one that was set before is replaced.
   * @param text null where it is missing
   * @throws DatasetError `bad-label` when there are too many different ones
   */
  set(row: number, text: string | null, line: number | undefined): void {
    if (row >= this.#codes.length) {
      const longer = new Int32Array(this.#codes.length * 2);
      longer.set(this.#codes);
      this.#codes = longer;
    }
    if (text === null) this.#firstMissing ??= line;
    this.#codes[row] = text === null ? -1 : this.#codeFor(text, line);
  }

  /** A cell as text: one of the spellings of a missing value is missing. */
  setCell(row: number, cell: string, line: number | undefined): void {
    this.set(row, isMissing(cell) ? null : cell, line);
  }

  /** @throws DatasetError `bad-label`, `missing-value` for what is neither a label nor a class */
  finish(count: number): RowLabels {
    const codes = this.#codes.subarray(0, count);
    const borne = new Set(codes);
    const isUnlabelled = borne.delete(-1);
    const used = this.#values.filter((_, code) => code < this.#declared || borne.has(code));
    if (isLabel(used)) {
      if (isUnlabelled) throw this.#missing();
      return {
        labels: Uint8Array.from(codes, (code) => (this.#values[code]?.word === 1 ? 1 : 0)),
        labelNames: [this.#name],
        classPerRow: false,
        warnings: [],
      };
    }
    this.#requireClasses(used, count);
    if (used.length * count > MAX_VALUES)
      throw new DatasetError(
        'too-large',
        `${this.#path}: ${used.length} classes of ${count} rows are too many.`,
        'Take a sample of the rows, or fewer classes.',
      );
    return oneLabelPerClass(this.#name, codes, this.#values, used, this.#declared > 0);
  }

  #codeFor(text: string, line: number | undefined): number {
    const known = this.#codeOf.get(text);
    if (known !== undefined) return known;
    const value = valueOf(text, line);
    const same = this.#codeOf.get(value.text) ?? this.#values.push(value) - 1;
    this.#codeOf.set(value.text, same);
    this.#codeOf.set(text, same);
    if (this.#values.length <= MAX_CLASSES) return same;
    throw new DatasetError(
      'bad-label',
      `${place(this.#path, line)}: “${this.#name}” holds more than ${MAX_CLASSES} different values.`,
      'Are these classes, and not measurements, names or numbers of the rows? Choose another column for the label.',
      line,
    );
  }

  #requireClasses(used: readonly Value[], count: number): void {
    const numbers = used.filter(({ number }) => !Number.isNaN(number));
    const names = used.filter(({ number }) => Number.isNaN(number));
    // 0 and 1 beside another word are a label with a mistake in it.
    const isBroken =
      names.length > 0 && numbers.length > 0 && numbers.every(({ word }) => !Number.isNaN(word));
    const odd = isBroken
      ? used.find(({ word }) => Number.isNaN(word))
      : names.length > 0
        ? undefined
        : (used.find(({ number }) => !Number.isInteger(number)) ?? ternary(used));
    if (odd)
      throw new DatasetError(
        'bad-label',
        `${place(this.#path, odd.line)}: label “${this.#name}” is “${odd.text}”.`,
        LABEL_HINT,
        odd.line,
      );
    if (this.#declared === 0 && count >= ENOUGH_ROWS && used.length === count)
      throw new DatasetError(
        'bad-label',
        `${this.#path}: “${this.#name}” gives every row a class of its own.`,
        'It names the rows: leave it out (--exclude), and choose another column for the label.',
      );
  }

  #missing(): DatasetError {
    const line = this.#firstMissing ?? undefined;
    return new DatasetError(
      'missing-value',
      `${place(this.#path, line)}: the value of “${this.#name}” is missing.`,
      'Fill it in, or drop such rows (--missing drop-rows).',
      line,
    );
  }
}

/** What reads the labels of a file with a single label column; null for several. */
export function classColumnOf(path: string, { labelNames }: ColumnPlan): ClassColumn | null {
  const [name] = labelNames;
  return name !== undefined && labelNames.length === 1 ? new ClassColumn(path, name) : null;
}

/** What the collected rows bear, told by the single label column where there is one. */
export function rowLabels(
  { labels, count }: { labels: Uint8Array; count: number },
  { labelNames }: ColumnPlan,
  classes: ClassColumn | null,
): RowLabels {
  return classes?.finish(count) ?? { labels, labelNames, classPerRow: false, warnings: [] };
}

/**
 * Whether text at the place of the label is the class of each row, and no description of it: other rows have the same, or, of
 * too few rows to tell, nothing beside it would be a label.
 */
export function tellsClasses(cells: readonly string[], next: readonly string[]): boolean {
  const given = cells.filter((cell) => !isMissing(cell));
  if (new Set(given).size < given.length) return true;
  const isNextLabel = next.length > 0 && next.every((cell) => !Number.isNaN(labelWord(cell)));
  return given.length < ENOUGH_ROWS && !isNextLabel;
}

/** 1 and 0, or 1 and −1, in any spelling. */
function isLabel(values: readonly Value[]): boolean {
  return values.every(({ word }) => !Number.isNaN(word)) && ternary(values) === undefined;
}

/** The later one of 0 and −1 where only these and 1 are there: nobody could tell what absent means. */
function ternary(values: readonly Value[]): Value | undefined {
  if (values.some(({ word }) => Number.isNaN(word))) return undefined;
  const zero = values.findIndex(({ word }) => word === 0);
  const minus = values.findIndex(({ word }) => word === -1);
  return zero < 0 || minus < 0 ? undefined : values[Math.max(zero, minus)];
}

function valueOf(text: string, line: number | undefined): Value {
  const read = NUMBER.test(text) ? Number(text.replace(',', '.')) : NaN;
  // Beyond 2^53 different numbers read as one: they are told apart as text.
  const number = Number.isInteger(read) && !Number.isSafeInteger(read) ? NaN : read;
  const name = text.normalize('NFC');
  return { text: Number.isNaN(number) ? name : String(number), number, word: labelWord(text), line };
}

function oneLabelPerClass(
  column: string,
  codes: Int32Array,
  values: readonly Value[],
  used: readonly Value[],
  areDeclared: boolean,
): RowLabels {
  const areNumbers = used.every(({ number }) => !Number.isNaN(number));
  const classes = areDeclared
    ? used
    : [...used].sort((a, b) => (areNumbers ? a.number - b.number : a.text < b.text ? -1 : 1));
  const place = new Map(classes.map((value, label) => [value, label]));
  const placeOfCode = values.map((value) => place.get(value) ?? -1);
  const labels = new Uint8Array(codes.length * classes.length);
  codes.forEach((code, row) => {
    const label = placeOfCode[code] ?? -1;
    if (label >= 0) labels[row * classes.length + label] = 1;
  });
  return {
    labels,
    labelNames: classes.map(({ text }) => (areNumbers ? `class${text}` : text)),
    classPerRow: true,
    warnings: [
      {
        code: 'class-numbers',
        message: `“${column}” gives each row its class; each of the ${classes.length} classes became a label.`,
      },
    ],
  };
}
