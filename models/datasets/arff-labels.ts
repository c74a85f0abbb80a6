import { basename } from 'node:path';
import type { ArffAttribute, ArffHeader } from './arff-header.ts';
import { DatasetError, place } from './errors.ts';
import { readMulanXml, siblingXml } from './mulan.ts';
import { noLabels, type ColumnChoice } from './plan.ts';
import type { DatasetWarning, LabelChoice } from './types.ts';

/** Pairs of values a 0/1 label is written with, the absent one first. */
const PAIRS: readonly (readonly [string, string])[] = [
  ['0', '1'],
  ['no', 'yes'],
  ['n', 'y'],
  ['false', 'true'],
  ['f', 't'],
  ['-1', '1'],
  ['0.0', '1.0'],
  ['-1.0', '1.0'],
];

/**
 * MEKA's option `-C n` in a relation's name: the first n attributes are labels, or the last −n. Other options may stand
 * beside it; what stands before a colon is the name.
 * @returns null without the option
 */
function mekaLabels(relation: string): number | null {
  const options = relation.slice(relation.indexOf(':') + 1);
  const found = /(?:^|\s)-C\s+(-?\d{1,9})(?=\s|$)/.exec(options);
  return found ? Number(found[1]) : null;
}

/** Name of the data set: a relation's name without MEKA's options. */
export function relationName({ relation }: ArffHeader): string | null {
  const colon = relation.indexOf(':');
  const name = mekaLabels(relation) !== null && colon >= 0 ? relation.slice(0, colon) : relation;
  return name.trim() === '' ? null : name.trim();
}

/**
 * Which attributes are labels: what the caller says, else the XML beside the file, else MEKA's option. The XML comes
 * before the option because Mulan files exist whose option is wrong (`medical`: “-C 45”, but the labels are the last).
 * @throws DatasetError `no-labels`, `shape`, and what reading the XML throws
 */
export async function arffLabels(
  path: string,
  header: ArffHeader,
  asked: LabelChoice | undefined,
): Promise<{ choice: ColumnChoice; warnings: DatasetWarning[] }> {
  const option = mekaLabels(header.relation);
  const choice = asked === undefined ? null : asked.kind === 'xml' ? await named(asked.path) : asked;
  if (choice) return { choice, warnings: overruled(header, option, choice, 'what you asked for') };
  const xml = await siblingXml(path);
  if (xml !== null) {
    const found = await named(xml);
    return { choice: found, warnings: overruled(header, option, found, basename(xml)) };
  }
  if (option === null || option === 0) throw noLabels(path);
  if (Math.abs(option) >= header.attributes.length)
    throw new DatasetError(
      'shape',
      `${place(path, header.relationLine)}: “-C ${option}” asks for more labels than the file has attributes.`,
      'Correct the option, or say which columns are labels.',
      header.relationLine,
    );
  // By name: the option counts all attributes, also those that are left out.
  const names = header.attributes.map(({ name }) => name);
  const labels = option > 0 ? names.slice(0, option) : names.slice(option);
  return { choice: { kind: 'names', names: labels }, warnings: [] };
}

/** Whether an attribute that is the only label gives each row its class, which its declaration tells. */
export function givesClasses({ kind, values }: ArffAttribute): boolean {
  return kind === 'text' || (kind === 'nominal' && pairOf(values) === undefined);
}

/**
 * What the values of a label mean.
 * @returns value → 0 or 1; null for a numeric label, which must be written as 0 and 1
 * @throws DatasetError `bad-label` for a target that is no label
 */
export function labelValues(path: string, attribute: ArffAttribute): Map<string, number> | null {
  if (attribute.kind === 'numeric') return null;
  const { name, values, line } = attribute;
  const pair = pairOf(values);
  if (attribute.kind === 'nominal' && pair)
    return new Map(values.map((value) => [value, value.toLowerCase() === pair[1] ? 1 : 0]));
  const shown = values.slice(0, 6).join(', ') + (values.length > 6 ? ', …' : '');
  throw new DatasetError(
    'bad-label',
    `${place(path, line)}: “${name}” cannot be a label: it ${attribute.kind === 'text' ? 'is text' : `takes the values ${shown}`}.`,
    'Labels are 0 or 1 where there are several. Choose other columns, write one attribute of 0 and 1 per class, or choose this attribute alone (--label-count 1 for the last): it then gives each row its class.',
    line,
  );
}

function pairOf(values: readonly string[]): readonly [string, string] | undefined {
  const lower = values.map((value) => value.toLowerCase());
  return PAIRS.find((words) => lower.length <= 2 && lower.every((value) => words.includes(value)));
}

async function named(xml: string): Promise<ColumnChoice> {
  return { kind: 'names', names: await readMulanXml(xml) };
}

/** A header that says something else than what decides is worth a word. */
function overruled(
  { attributes }: ArffHeader,
  option: number | null,
  choice: ColumnChoice,
  by: string,
): DatasetWarning[] {
  if (option === null || option === 0) return [];
  const names = attributes.map(({ name }) => name);
  const ends = (kind: 'first' | 'last', count: number): string[] =>
    kind === 'first' ? names.slice(0, count) : names.slice(-count);
  const header = ends(option > 0 ? 'first' : 'last', Math.abs(option));
  const chosen = new Set(choice.kind === 'names' ? choice.names : ends(choice.kind, choice.count));
  if (header.length === chosen.size && header.every((name) => chosen.has(name))) return [];
  return [
    {
      code: 'header-overruled',
      message: `The file's header says “-C ${option}”; ${by} says otherwise and decides.`,
    },
  ];
}
