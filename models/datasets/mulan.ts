import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { FileReadError, readBounded } from '../files/read.ts';
import { elementsNamed, parseXml, XmlError, xmlText, type XmlElement } from '../text/index.ts';
import { DatasetError, place, readFailure } from './errors.ts';

const MAX_XML_BYTES = 16 * 1024 * 1024;
/** What data sets append to the name of the whole for its parts. */
const PART = /[-_.](train|test|validation|valid|val|dev|sparse|dense|all|full|\d+)$/i;

/**
 * Names of the labels in a Mulan XML, nested ones included, in the order of the file.
 * @throws DatasetError `missing`, `unreadable`, `syntax` (line and column), `no-labels`, `too-large`
 */
export async function readMulanXml(path: string): Promise<string[]> {
  const elements = parse(path, await readText(path));
  const names = [...elementsNamed(elements, 'label')].flatMap(({ attributes: { name } }) => name ?? []);
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
    return xmlText(await readBounded(path, MAX_XML_BYTES));
  } catch (error) {
    if (error instanceof FileReadError && error.problem === 'too-large')
      throw new DatasetError('too-large', `${path} is larger than 16 MiB.`, 'Is this a list of labels?');
    throw readFailure(path, error, 'A Mulan label file is expected.');
  }
}

function parse(path: string, text: string): XmlElement[] {
  try {
    return parseXml(text);
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
    const { line, column, message } = error;
    throw new DatasetError(
      'syntax',
      `${place(path, line, column)}: ${message}`,
      'A Mulan label file holds <labels> with one <label name="…"/> each.',
      line,
      column,
    );
  }
}
