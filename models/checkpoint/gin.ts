import { CheckpointError } from './errors.ts';

/** What a gin binding may be here; everything else (references, lists, calls) is passed over. */
export type GinValue = number | string | boolean;

/** The plain values of a gin configuration. */
export interface GinConfig {
  /** Value of `NAME = …`, the kind that gin calls a macro. */
  macro(name: string): GinValue | undefined;
  /**
   * Value of the parameter `parameter` of a configurable whose full name (scope included, such as
   * `encoder/models.transformers.MultiHeadAttention`) matches.
   */
  binding(configurable: RegExp, parameter: string): GinValue | undefined;
}

/** Published configurations have a few kilobytes. */
export const MAX_GIN_BYTES = 256 * 1024;
const MAX_MACRO_DEPTH = 8;

const NAME = String.raw`[A-Za-z_][\w./]*`;
const bindingLine = new RegExp(`^(${NAME})\\s*=\\s*(.*)$`);
const blockLine = new RegExp(`^(${NAME})\\s*:$`);
const otherLine = /^(import|include|from)\s/;

/**
 * Reads the plain values of a gin configuration (https://github.com/google/gin-config): `NAME = value`,
 * `configurable.parameter = value` and blocks of the latter. It is read as text: nothing is imported, included,
 * looked up or evaluated.
 * @throws CheckpointError `bad-config` when the text is not gin.
 */
export function parseGin(text: string): GinConfig {
  if (text.length > MAX_GIN_BYTES) throw notGin(`it has ${text.length} characters`);
  if (text.includes('\0')) throw notGin('it holds binary data');
  const raw = new Map<string, string>();
  const unknown: number[] = [];
  let block: string | null = null;
  for (const { line, number, indented } of logicalLines(text)) {
    const binding = bindingLine.exec(line);
    if (!indented) block = null;
    if (binding) {
      const [, name = '', value = ''] = binding;
      raw.set(block === null ? name : `${block}.${name}`, value);
    } else if (!indented && blockLine.test(line)) block = line.slice(0, -1).trim();
    else if (!otherLine.test(line)) unknown.push(number);
  }
  const [odd] = unknown;
  if (odd !== undefined && unknown.length >= raw.size)
    throw notGin(`line ${odd} is no binding of a name to a value`);
  if (raw.size === 0) throw notGin('it binds no names');
  const lookUp = (name: string): GinValue | undefined => valueOf(raw, raw.get(name), 0);
  return {
    macro: lookUp,
    binding: (configurable, parameter) => {
      for (const name of raw.keys()) {
        const dot = name.lastIndexOf('.');
        if (name.slice(dot + 1) === parameter && configurable.test(name.slice(0, dot))) return lookUp(name);
      }
      return undefined;
    },
  };
}

interface LogicalLine {
  line: string;
  number: number;
  indented: boolean;
}

/** Lines without comments; a value in brackets goes on until they close. */
function* logicalLines(text: string): Generator<LogicalLine> {
  let open: LogicalLine | undefined;
  let depth = 0;
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = withoutComment(raw);
    if (line.trim() === '') continue;
    const begun: LogicalLine = open ?? { line: line.trim(), number: index + 1, indented: /^\s/.test(line) };
    open = open === undefined ? begun : { ...begun, line: `${begun.line} ${line.trim()}` };
    depth += line.split(/[([{]/).length - line.split(/[)\]}]/).length;
    if (depth > 0) continue;
    yield open;
    open = undefined;
    depth = 0;
  }
  if (open) yield open;
}

function withoutComment(line: string): string {
  let quote = '';
  for (let i = 0; i < line.length; i++) {
    const c = line.charAt(i);
    if (quote !== '') quote = c === quote ? '' : quote;
    else if (c === '"' || c === "'") quote = c;
    else if (c === '#') return line.slice(0, i);
  }
  return line;
}

function valueOf(
  raw: ReadonlyMap<string, string>,
  text: string | undefined,
  depth: number,
): GinValue | undefined {
  if (text === undefined || depth > MAX_MACRO_DEPTH) return undefined;
  if (text.startsWith('%')) return valueOf(raw, raw.get(text.slice(1)), depth + 1);
  const quoted = /^'([^']*)'$|^"([^"]*)"$/.exec(text);
  if (quoted) return quoted[1] ?? quoted[2];
  if (text === 'True' || text === 'False') return text === 'True';
  return /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : undefined;
}

function notGin(why: string): CheckpointError {
  return new CheckpointError(
    'bad-config',
    `the configuration is not gin: ${why}`,
    'Use the config.gin that is published beside the weights, or leave it out.',
  );
}
