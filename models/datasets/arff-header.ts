import { DatasetError } from './errors.ts';
import { arffError, ArffTokens, closingBrace } from './arff-tokens.ts';

/** One column of an ARFF file. */
export interface ArffAttribute {
  name: string;
  /** `unknown` is a type that no reader knows: such a column can only be left out. */
  kind: 'numeric' | 'nominal' | 'text' | 'unknown';
  /** Declared values of a nominal attribute, in their order. */
  values: readonly string[];
  /** Line of the declaration, and where its type begins in it, counted from 0. */
  line: number;
  typeAt: number;
  type: string;
}

export interface ArffHeader {
  relation: string;
  relationLine: number;
  attributes: ArffAttribute[];
}

/** What one file may declare; more is no data set but an attack or a mistake. */
const MAX_ATTRIBUTES = 1_000_000;
const MAX_NOMINAL_VALUES = 5_000_000;

const NUMERIC = /^(numeric|real|integer)\b/i;
/** openSMILE declares classes that nobody gave as `unknown`; every value of theirs is `?`. */
const TEXT = /^(string|date|unknown)\b/i;

/** Reads the lines before `@data`. */
export class ArffHeaderReader {
  readonly #path: string;
  readonly #tokens: ArffTokens;
  readonly #names = new Map<string, number>();
  #nominalValues = 0;
  readonly header: ArffHeader = { relation: '', relationLine: 0, attributes: [] };

  constructor(path: string) {
    this.#path = path;
    this.#tokens = new ArffTokens(path);
  }

  /** @returns true when the line is `@data`, after which the rows begin. @throws DatasetError `syntax`, `too-large` */
  line(text: string, line: number): boolean {
    const tokens = this.#tokens;
    tokens.open(text, line);
    if (tokens.done) return false;
    const start = tokens.at;
    const keyword = tokens.name();
    switch (keyword.toLowerCase()) {
      case '@relation':
        this.#relation(line);
        return false;
      case '@attribute':
        this.#attribute(line);
        return false;
      case '@data':
        if (this.header.attributes.length === 0)
          throw arffError(this.#path, line, start, 'The data begin before any attribute is declared.');
        return true;
      default:
        throw arffError(
          this.#path,
          line,
          start,
          `“${keyword.slice(0, 40)}” is no ARFF declaration.`,
          'Before the data every line is @relation, @attribute, @data or a comment (%).',
        );
    }
  }

  /** Unquoted names with blanks are common with MEKA's options, so the whole rest of the line is the name. */
  #relation(line: number): void {
    const tokens = this.#tokens;
    tokens.skipBlanks();
    const rest = tokens.rest();
    this.header.relation = /^['"]/.test(rest) ? tokens.quotedText() : rest;
    this.header.relationLine = line;
  }

  #attribute(line: number): void {
    const tokens = this.#tokens;
    tokens.skipBlanks();
    const at = tokens.at;
    const name = tokens.name();
    if (name === '' && !tokens.quoted) throw arffError(this.#path, line, at, 'An attribute needs a name.');
    const earlier = this.#names.get(name);
    if (earlier !== undefined)
      throw arffError(this.#path, line, at, `Attribute “${name}” was declared in line ${earlier} already.`);
    if (this.#names.size >= MAX_ATTRIBUTES) throw this.#tooMuch(line, 'a million attributes');
    this.#names.set(name, line);
    tokens.skipBlanks();
    this.header.attributes.push({ name, line, ...this.#type(line) });
  }

  #type(line: number): Omit<ArffAttribute, 'name' | 'line'> {
    const tokens = this.#tokens;
    const at = tokens.at;
    const type = tokens.rest();
    const facts = { typeAt: at, type: type.slice(0, 40), values: [] };
    if (type.startsWith('{')) return { ...facts, kind: 'nominal', values: this.#values(line, at) };
    if (NUMERIC.test(type)) return { ...facts, kind: 'numeric' };
    if (TEXT.test(type)) return { ...facts, kind: 'text' };
    if (/^relational\b/i.test(type))
      throw new DatasetError(
        'unsupported',
        `${this.#path}, line ${line}: relational attributes (several rows in one) are not read.`,
        'Flatten the data set first.',
        line,
        at + 1,
      );
    // Whoever leaves the column out need not care.
    return { ...facts, kind: 'unknown' };
  }

  #values(line: number, at: number): string[] {
    const tokens = this.#tokens;
    const text = tokens.text;
    const close = closingBrace(text, at);
    if (close < 0) throw arffError(this.#path, line, at, 'This list of values is never closed.');
    tokens.open(text, line, at + 1, close);
    const values: string[] = [];
    while (!tokens.done || tokens.promised) {
      const value = tokens.value();
      if (value === '' && !tokens.quoted)
        throw arffError(this.#path, line, tokens.start, 'A value is missing in the list.');
      values.push(value);
    }
    const after = text.slice(close + 1).search(/\S/);
    if (after >= 0 && text.charAt(close + 1 + after) !== '%')
      throw arffError(this.#path, line, close + 1 + after, 'Nothing may follow the list of values.');
    this.#nominalValues += values.length;
    if (this.#nominalValues > MAX_NOMINAL_VALUES) throw this.#tooMuch(line, 'five million nominal values');
    if (values.length === 0) throw arffError(this.#path, line, at, 'A nominal attribute needs values.');
    return values;
  }

  #tooMuch(line: number, what: string): DatasetError {
    return new DatasetError(
      'too-large',
      `${this.#path}, line ${line}: the file declares more than ${what}.`,
      'Is this really a table of features and labels?',
      line,
    );
  }
}

/** @throws DatasetError `syntax` for a column that is used and whose type nobody knows */
export function requireKnownTypes(
  path: string,
  attributes: readonly ArffAttribute[],
  exclude: readonly string[],
): void {
  const odd = attributes.find(({ kind, name }) => kind === 'unknown' && !exclude.includes(name));
  if (!odd) return;
  throw arffError(
    path,
    odd.line,
    odd.typeAt,
    odd.type === '' ? 'The attribute has no type.' : `“${odd.type}” is no attribute type.`,
    'Types are numeric, real, integer, string, date and {value, value}. Correct it, or leave the column out (--exclude).',
  );
}
