/**
 * The language of searches. Every word, phrase in quotes and `field:value` must hold; `-` before one turns it round;
 * commas between values mean “one of these”. `label:bd pred:elec -loop p<0.5 len<1 split:test artist:"björk"`
 */
import { EngineError } from './errors.ts';
import { fieldInfo, fieldNamed, searchFieldNames, searchFields, searchNumber } from './search-fields.ts';
import type {
  ChoiceField,
  NameField,
  NumberField,
  SearchField,
  TagField,
  TextField,
} from './search-fields.ts';

/** A part of a search: UTF-16 units, the end not included. */
export interface Span {
  start: number;
  end: number;
}

/** A value of text; unquoted, `*` in it stands for anything. */
export interface Pattern extends Span {
  text: string;
  quoted: boolean;
}

export type Comparison = '<' | '<=' | '>' | '>=' | '=';

/** What a term asks for. */
export type Condition =
  | { kind: 'words'; text: string }
  /** `whole`: the value and nothing around it. */
  | { kind: 'text'; field: TextField; whole: boolean; values: Pattern[] }
  | { kind: 'name'; field: NameField; values: Pattern[] }
  | { kind: 'choice'; field: ChoiceField; values: string[] }
  | ({ kind: 'number'; field: NumberField } & Compared)
  | ({ kind: 'range'; field: NumberField } & Between)
  /** Its mean; several names for one of these. */
  | { kind: 'tag'; field: TagField; values: Pattern[]; mean: Compared | Between };

export interface Compared {
  comparison: Comparison;
  value: number;
}

/** Both ends belong to it. */
export interface Between {
  low: number;
  high: number;
}

/** From this mean on a tag is what it says, unless a search says another one. */
const TAG_FROM = 0.5;

/** A term of a search; all of them must hold. */
export type SearchTerm = Condition & Span & { negated: boolean };

type Operator = ':' | Comparison;

const FIELD = /^([A-Za-z]+)(:|<=|>=|<|>|=)/;

/**
 * Reads a search.
 * @throws EngineError `bad-input` with the place in `detail` ({@link placeOfProblem})
 */
export function parseSearch(search: string): SearchTerm[] {
  const terms: SearchTerm[] = [];
  const reader = new Reader(search);
  while (reader.skipSpace()) {
    const start = reader.at;
    const negated = /^-\S/.test(reader.rest);
    if (negated) reader.at += 1;
    terms.push({ ...condition(reader), negated, start, end: reader.at });
  }
  return terms;
}

/** A problem of a search, with its place. */
export function searchProblem(message: string, hint: string, { start, end }: Span): EngineError {
  return new EngineError('bad-input', message, hint, { detail: { of: 'search', start, end } });
}

/** Where in a search the problem lies; null for problems of something else. */
export function placeOfProblem({ detail }: Pick<EngineError, 'detail'>): Span | null {
  const { of, start, end } = detail ?? {};
  return of === 'search' && typeof start === 'number' && typeof end === 'number' ? { start, end } : null;
}

function condition(reader: Reader): Condition {
  const start = reader.at;
  const [written, name = '', operator] = FIELD.exec(reader.rest) ?? [];
  if (written === undefined) {
    return { kind: 'words', text: reader.rest.startsWith('"') ? reader.quotedText() : reader.until(/\s/) };
  }
  reader.at += written.length;
  const field = fieldNamed(name);
  if (field === undefined) throw unknownField(name, { start, end: start + name.length });
  const info = searchFields[field];
  // `FIELD` takes nothing else.
  const asked = operator as Operator;
  if (info.kind === 'number') return number(reader, field as NumberField, asked);
  // A name alone has its number behind it.
  const comparable = info.kind === 'tag' && asked === ':';
  if (comparable) return tag(reader, field as TagField);
  if (asked !== ':' && asked !== '=')
    throw searchProblem(
      `“${field}” cannot be compared with ${asked}: it is no number.`,
      `Write ${field}:value.`,
      { start, end: reader.at },
    );
  const values = reader.values(field);
  if (info.kind === 'choice')
    return { kind: 'choice', field: field as ChoiceField, values: choices(field, values) };
  if (info.kind === 'name') return { kind: 'name', field: field as NameField, values };
  return { kind: 'text', field: field as TextField, whole: asked === '=', values };
}

function choices(field: SearchField, values: readonly Pattern[]): string[] {
  const known = fieldInfo(field).values ?? [];
  return values.map(({ text, start, end }) => {
    const wanted = text.toLowerCase();
    const value = known.find((choice) => choice === wanted);
    if (value !== undefined) return value;
    throw searchProblem(`“${field}” is never “${text}”.`, `Write one of ${known.join(', ')}.`, {
      start,
      end,
    });
  });
}

/** `tag:rock`, `tag:rock>0.6`, `tag:"female vocals":20%..40%`. */
function tag(reader: Reader, field: TagField): Condition {
  const values = reader.values(field, /[\s,<>=:]/);
  const [operator] = /^(?::(?:<=|>=|<|>)?|<=|>=|<|>|=)/.exec(reader.rest) ?? [];
  if (operator === undefined)
    return { kind: 'tag', field, values, mean: { comparison: '>=', value: TAG_FROM } };
  reader.at += operator.length;
  // The expression takes nothing else.
  const comparison = operator === ':' ? '=' : (operator.replace(':', '') as Comparison);
  return { kind: 'tag', field, values, mean: measure(reader, field, comparison) };
}

const RANGE = /^(.+?)\.\.(.+)$/;

function number(reader: Reader, field: NumberField, operator: Operator): Condition {
  const inner = operator === ':' ? /^(<=|>=|<|>)/.exec(reader.rest)?.[0] : undefined;
  if (inner !== undefined) reader.at += inner.length;
  // The expression takes nothing else.
  const comparison = (inner ?? (operator === ':' ? '=' : operator)) as Comparison;
  const measured = measure(reader, field, comparison);
  return 'low' in measured ? { kind: 'range', field, ...measured } : { kind: 'number', field, ...measured };
}

/** The number that is written next, or two with “..” between them. */
function measure(reader: Reader, field: NumberField | TagField, comparison: Comparison): Compared | Between {
  const start = reader.at;
  const text = reader.until(/\s/);
  const place = { start, end: reader.at };
  if (text === '') throw lacksValue(field, place);
  const { unit } = fieldInfo(field);
  const [, low, high] = comparison === '=' ? (RANGE.exec(text) ?? []) : [];
  const [from, to] = [low ?? text, high ?? text].map((part) => searchNumber(part, unit));
  if (from === undefined || to === undefined || from === null || to === null)
    throw searchProblem(
      `“${text}” is no number.`,
      `Write for example ${examples[unit ?? 'none'](field)}.`,
      place,
    );
  if (unit === 'share' && (Math.abs(from) > 1 || Math.abs(to) > 1))
    throw searchProblem(
      `“${field}” is at most 1, or 100 %.`,
      `Write for example ${examples.share(field)}.`,
      place,
    );
  return low === undefined
    ? { comparison, value: from }
    : { low: Math.min(from, to), high: Math.max(from, to) };
}

const examples: Readonly<Record<'share' | 'seconds' | 'none', (field: string) => string>> = {
  share: (field) => `${field}<0.5 or ${field}<50%`,
  seconds: (field) => `${field}<1.5, ${field}>2:30 or ${field}:1..4`,
  none: (field) => `${field}>2 or ${field}:2..5`,
};

/** What a person may have meant by a name: the field that begins like it, or all of them. */
function unknownField(name: string, place: Span): EngineError {
  const near = searchFieldNames.filter((field) => field.startsWith(name.slice(0, 2).toLowerCase()));
  const offered =
    near.length > 0 ? `Did you mean ${near.join(' or ')}?` : `Fields are ${searchFieldNames.join(', ')}.`;
  return searchProblem(
    `There is no field “${name}”.`,
    `${offered} To search for the text itself, put it in quotes.`,
    place,
  );
}

function lacksValue(field: SearchField, { end }: Span): EngineError {
  return searchProblem(
    `A value is missing after “${field}”.`,
    'Write it without a space, in quotes where it has spaces.',
    { start: end, end },
  );
}

/** Goes through a search from its beginning. */
class Reader {
  at = 0;
  readonly #search: string;

  constructor(search: string) {
    this.#search = search;
  }

  get rest(): string {
    return this.#search.slice(this.at);
  }

  /** @returns whether something follows */
  skipSpace(): boolean {
    this.at += /^\s*/.exec(this.rest)?.[0].length ?? 0;
    return this.at < this.#search.length;
  }

  until(end: RegExp): string {
    const found = this.rest.search(end);
    const text = found < 0 ? this.rest : this.rest.slice(0, found);
    this.at += text.length;
    return text;
  }

  /** What stands between quotes; `\` before a quote or another `\` keeps it. */
  quotedText(): string {
    const start = this.at;
    let text = '';
    for (this.at += 1; this.at < this.#search.length; this.at += 1) {
      const mark = this.#search.charAt(this.at);
      const next = this.#search.charAt(this.at + 1);
      if (mark === '"') {
        this.at += 1;
        return text;
      }
      const kept = mark === '\\' && (next === '"' || next === '\\');
      if (kept) this.at += 1;
      text += kept ? next : mark;
    }
    throw searchProblem('A quote is not closed.', 'End the phrase with ".', { start, end: this.at });
  }

  /** @param end what ends a value without quotes @throws EngineError `bad-input` for a value that is missing */
  values(field: SearchField, end = /[\s,]/): Pattern[] {
    const values: Pattern[] = [];
    do {
      if (values.length > 0) this.at += 1;
      const start = this.at;
      const inQuotes = this.rest.startsWith('"');
      const text = inQuotes ? this.quotedText() : this.until(end);
      if (text.trim() === '') throw lacksValue(field, { start, end: this.at });
      values.push({ text, quoted: inQuotes, start, end: this.at });
    } while (this.rest.startsWith(','));
    return values;
  }
}
