import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { decodeText, decodeWindows1252 } from '../text/index.ts';
import { DatasetError, place, readFailure } from './errors.ts';

const MAX_XML_BYTES = 16 * 1024 * 1024;
/** What data sets append to the name of the whole for its parts. */
const PART = /[-_.](train|test|validation|valid|val|dev|sparse|dense|all|full|\d+)$/i;

/**
 * Names of the labels in a Mulan XML, nested ones included, in the order of the file.
 * @throws DatasetError `missing`, `unreadable`, `syntax` (line and column), `no-labels`, `too-large`
 */
export async function readMulanXml(path: string): Promise<string[]> {
  const text = await readText(path);
  // Entity declarations are what makes XML dangerous, and no label file has any.
  const declaration = text.search(/<!(DOCTYPE|ENTITY)/i);
  if (declaration >= 0) throw xmlError(path, text, declaration, 'Document types are not read.');
  // The successor is a package of its own; this one is maintained as part of the parser.
  // eslint-disable-next-line @typescript-eslint/no-deprecated
  const valid = XMLValidator.validate(text);
  if (valid !== true)
    throw new DatasetError(
      'syntax',
      `${place(path, valid.err.line, valid.err.col)}: ${valid.err.msg}`,
      'A Mulan label file holds <labels> with one <label name="…"/> each.',
      valid.err.line,
      valid.err.col,
    );
  const names: string[] = [];
  collectLabels(parse(path, text), names);
  if (names.length === 0)
    throw new DatasetError(
      'no-labels',
      `${path} names no label.`,
      'A Mulan label file holds <labels> with one <label name="…"/> each.',
    );
  return [...new Set(names)];
}

/**
 * The XML that belongs to an ARFF file: `emotions-train.arff` has `emotions-train.xml` or `emotions.xml` beside it.
 * @returns null when there is none
 */
export async function siblingXml(path: string): Promise<string | null> {
  let stem = basename(path)
    .replace(/\.gz$/i, '')
    .replace(/\.arff$/i, '');
  for (;;) {
    const candidate = join(dirname(path), `${stem}.xml`);
    if (
      await stat(candidate).then(
        (facts) => facts.isFile(),
        () => false,
      )
    )
      return candidate;
    const shorter = stem.replace(PART, '');
    if (shorter === stem || shorter === '') return null;
    stem = shorter;
  }
}

async function readText(path: string): Promise<string> {
  try {
    if ((await stat(path)).size > MAX_XML_BYTES)
      throw new DatasetError('too-large', `${path} is larger than 16 MiB.`, 'Is this a list of labels?');
    return xmlText(await readFile(path));
  } catch (error) {
    throw readFailure(path, error, 'A Mulan label file is expected.');
  }
}

/** An XML says in its first line what it is in; what it says wrongly, or not at all, is told from its bytes. */
function xmlText(bytes: Uint8Array): string {
  const declared = /^<\?xml[^>]*encoding\s*=\s*["']([\w.:-]+)["']/i.exec(
    Buffer.from(bytes.subarray(0, 200)).toString('latin1'),
  )?.[1];
  return /^(iso-?8859-1|latin-?1|windows-1252|cp1252)$/i.test(declared ?? '')
    ? decodeWindows1252(bytes)
    : decodeText(bytes);
}

/** Only elements and their attributes matter; every element becomes `{ name: [{ ':@': attributes, … }] }`. */
function parse(path: string, text: string): unknown {
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: '@',
    parseAttributeValue: false,
    removeNSPrefix: true,
    preserveOrder: true,
    htmlEntities: true,
    // Blanks at the ends of a name belong to it.
    trimValues: false,
  });
  try {
    return parser.parse(text) as unknown;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw xmlError(path, text, 0, reason);
  }
}

function collectLabels(nodes: unknown, names: string[]): void {
  if (!Array.isArray(nodes)) return;
  for (const node of nodes as Record<string, unknown>[]) {
    const attributes = node[':@'] as Record<string, unknown> | undefined;
    const name = attributes?.['@name'];
    if ('label' in node && typeof name === 'string') names.push(name);
    for (const [key, children] of Object.entries(node)) if (key !== ':@') collectLabels(children, names);
  }
}

function xmlError(path: string, text: string, at: number, what: string): DatasetError {
  const before = text.slice(0, at).split('\n');
  const line = before.length;
  const column = (before.at(-1)?.length ?? 0) + 1;
  return new DatasetError(
    'syntax',
    `${place(path, line, column)}: ${what}`,
    'A Mulan label file holds <labels> with one <label name="…"/> each.',
    line,
    column,
  );
}
