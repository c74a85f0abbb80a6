import { DatasetError, place } from './errors.ts';

const TAB = 9;
const SPACE = 32;
const DOUBLE_QUOTE = 34;
const PERCENT = 37;
const SINGLE_QUOTE = 39;
const COMMA = 44;
const BACKSLASH = 92;

const CONTROLS: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

const isBlank = (code: number): boolean => code === SPACE || code === TAB;
const isQuote = (code: number): boolean => code === SINGLE_QUOTE || code === DOUBLE_QUOTE;

/** A syntax error of an ARFF file; `at` counts characters from 0. */
export function arffError(path: string, line: number, at: number, what: string, hint?: string): DatasetError {
  return new DatasetError(
    'syntax',
    `${place(path, line, at + 1)}: ${what}`,
    hint ?? 'Correct the file there; values with blanks, commas or quotes must be quoted.',
    line,
    at + 1,
  );
}

/** The brace that closes the one at `open`; braces inside quoted values are text. -1 without one. */
export function closingBrace(text: string, open: number): number {
  if (!text.includes("'", open) && !text.includes('"', open)) return text.indexOf('}', open);
  let quote = '';
  for (let i = open + 1; i < text.length; i++) {
    const character = text.charAt(i);
    if (quote !== '') {
      if (character === '\\') i++;
      else if (character === quote) quote = '';
    } else if (character === '}') return i;
    else if ((character === "'" || character === '"') && /[\s,{]/.test(text.charAt(i - 1))) quote = character;
  }
  return -1;
}

/** Reads the values of one line, one after the other. One instance serves all lines of a file. */
export class ArffTokens {
  readonly #path: string;
  #text = '';
  #line = 0;
  #end = 0;
  /** Whether blanks part values, as in rows without any comma. */
  #blanks = false;
  /** Next character to read. */
  at = 0;
  /** Where the value that was read last begins, and whether it was quoted. */
  start = 0;
  quoted = false;

  constructor(path: string) {
    this.#path = path;
  }

  get text(): string {
    return this.#text;
  }
  get line(): number {
    return this.#line;
  }

  /** Starts on `text` from `at` to `end`; a comment at its end is left off. */
  open(text: string, line: number, at = 0, end = text.length): void {
    this.#text = text;
    this.#line = line;
    this.#blanks = false;
    this.at = at;
    this.#end = text.includes('%', at) ? this.#commentStart(at, end) : end;
    while (this.#end > at && isBlank(text.charCodeAt(this.#end - 1))) this.#end--;
    this.skipBlanks();
  }

  /** From now on blanks part values too. */
  partAtBlanks(): void {
    this.#blanks = true;
  }

  get done(): boolean {
    return this.at >= this.#end;
  }

  /** What is left of the line. */
  rest(): string {
    return this.#text.slice(this.at, this.#end);
  }

  skipBlanks(): void {
    while (this.at < this.#end && isBlank(this.#text.charCodeAt(this.at))) this.at++;
  }

  /**
   * The next value up to a comma, which is passed over; unquoted it may hold blanks. {@link start} and {@link quoted}
   * tell about it. Ask {@link done} and {@link promised} first: where nothing is left the value is empty.
   */
  value(): string {
    this.skipBlanks();
    const text = this.#text;
    this.start = this.at;
    if (this.at < this.#end && isQuote(text.charCodeAt(this.at))) {
      const value = this.quotedText();
      this.skipBlanks();
      if (this.at < this.#end) {
        if (text.charCodeAt(this.at) === COMMA) this.at++;
        else if (!this.#blanks) throw this.error(this.at, 'A comma is missing after the quoted value.');
      }
      return value;
    }
    this.quoted = false;
    let next = this.#blanks ? this.#nextBlank() : text.indexOf(',', this.at);
    if (next < 0 || next > this.#end) next = this.#end;
    let end = next;
    while (end > this.start && isBlank(text.charCodeAt(end - 1))) end--;
    this.at = next < this.#end ? next + 1 : next;
    if (this.#blanks) this.skipBlanks();
    return text.slice(this.start, end);
  }

  /** Whether the value that was read last ended with a comma, so that another must follow. */
  get promised(): boolean {
    return (
      this.at > 0 &&
      this.at >= this.#end &&
      this.#text.charCodeAt(this.at - 1) === COMMA &&
      this.at > this.start
    );
  }

  /** A name: quoted, or up to a blank, a comma or a brace. */
  name(): string {
    this.skipBlanks();
    this.start = this.at;
    if (this.at < this.#end && isQuote(this.#text.charCodeAt(this.at))) return this.quotedText();
    this.quoted = false;
    while (this.at < this.#end && !/[\s,{}]/.test(this.#text.charAt(this.at))) this.at++;
    return this.#text.slice(this.start, this.at);
  }

  /** The quoted text that begins here, without its quotes; a backslash takes the next character as it is. */
  quotedText(): string {
    const text = this.#text;
    const quote = text.charCodeAt(this.at);
    this.start = this.at;
    this.quoted = true;
    let value = '';
    let from = this.at + 1;
    for (let i = from; i < this.#end; i++) {
      const code = text.charCodeAt(i);
      if (code === BACKSLASH && i + 1 < this.#end) {
        const next = text.charAt(i + 1);
        value += text.slice(from, i) + (CONTROLS[next] ?? next);
        i++;
        from = i + 1;
      } else if (code === quote) {
        this.at = i + 1;
        return value + text.slice(from, i);
      }
    }
    throw this.error(this.start, 'This quote is never closed.');
  }

  error(at: number, what: string, hint?: string): DatasetError {
    return arffError(this.#path, this.#line, at, what, hint);
  }

  #nextBlank(): number {
    for (let i = this.at; i < this.#end; i++) if (isBlank(this.#text.charCodeAt(i))) return i;
    return -1;
  }

  /** A percent sign begins a comment at the start of a line and after a blank, outside quotes. */
  #commentStart(from: number, end: number): number {
    let quote = 0;
    for (let i = from; i < end; i++) {
      const code = this.#text.charCodeAt(i);
      if (quote !== 0) {
        if (code === BACKSLASH) i++;
        else if (code === quote) quote = 0;
      } else if (isQuote(code) && this.#opensQuote(i)) quote = code;
      else if (code === PERCENT && (i === 0 || isBlank(this.#text.charCodeAt(i - 1)))) return i;
    }
    return end;
  }

  /** A quote inside a word, as in `Stellar's`, opens nothing. */
  #opensQuote(at: number): boolean {
    return at === 0 || /[\s,{(]/.test(this.#text.charAt(at - 1));
  }
}
