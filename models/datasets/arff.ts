import { Pacer } from '../numerics/pacer.ts';
import { ArffHeaderReader, requireKnownTypes, type ArffAttribute } from './arff-header.ts';
import { arffLabels, relationName } from './arff-labels.ts';
import { ArffRowReader } from './arff-rows.ts';
import { textExcluded } from './csv-columns.ts';
import { rowLabels } from './class-column.ts';
import { DatasetError, readFailure } from './errors.ts';
import { readLines } from './lines.ts';
import { planColumns, type ColumnChoice } from './plan.ts';
import type { RawDataset } from './source.ts';
import type { DatasetWarning, ReadDatasetOptions } from './types.ts';

/**
 * Reads an ARFF file of Mulan or MEKA, dense or sparse, plain or `.gz`; it is streamed. Nominal features become the
 * index of the declared value, as golden/multilabel/SPEC.md §1 says; labels are told by their values, not by their
 * place. Text and date attributes are left out.
 * @throws DatasetError with line and column; the signal's reason on abort
 */
export async function readArff(path: string, options: ReadDatasetOptions): Promise<RawDataset> {
  const pacer = new Pacer(options.signal);
  try {
    return await readFileOf(path, options, pacer);
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw readFailure(path, error, 'Is it an ARFF file, plain or gzip, and whole?');
  }
}

async function readFileOf(path: string, options: ReadDatasetOptions, pacer: Pacer): Promise<RawDataset> {
  const { header, dataLine } = await readHeader(path, pacer);
  requireKnownTypes(path, header.attributes, options.exclude ?? []);
  const { choice, warnings } = await arffLabels(path, header, options.labels);
  const asked = options.exclude ?? [];
  const single = singleLabel(header.attributes, choice, asked);
  const texts = header.attributes.flatMap(({ kind, name }) =>
    kind === 'text' && name !== single ? [name] : [],
  );
  const exclude = [...asked, ...texts.filter((name) => !asked.includes(name))];
  const plan = planColumns(
    path,
    header.attributes.map(({ name }) => name),
    choice,
    exclude,
  );
  const reader = new ArffRowReader(path, header.attributes, plan, options.missing === 'drop-rows');
  await readLines(path, pacer, (text, line) => {
    if (line > dataLine) reader.line(text, line);
  });
  if (reader.rows.count === 0)
    throw new DatasetError('empty', `${path} holds no rows.`, 'At least one row is needed after @data.');
  const nominal = header.attributes.flatMap(({ kind, values }, column): [number, number][] => {
    const target = plan.targets[column] ?? -1;
    return kind === 'nominal' && target >= 0 ? [[target, values.length]] : [];
  });
  const silent = texts.filter((name) => !asked.includes(name));
  const raw = await reader.rows.finish(pacer);
  const borne = rowLabels(raw, plan, reader.classes);
  return {
    ...raw,
    ...borne,
    name: relationName(header),
    dim: plan.featureNames.length,
    featureNames: plan.featureNames,
    dropped: reader.dropped,
    nominal: new Map(nominal),
    warnings: [...warnings, ...borne.warnings, ...textExcluded(silent), ...weightWarning(reader.weighted)],
  };
}

/** Name of the attribute that is the only label, where it may be text: what its place or its name says. */
function singleLabel(
  attributes: readonly ArffAttribute[],
  choice: ColumnChoice,
  exclude: readonly string[],
): string | undefined {
  if (choice.kind === 'names') return choice.names.length === 1 ? choice.names[0] : undefined;
  if (choice.count !== 1) return undefined;
  // openSMILE ends with a class that nobody gave: “unknown”, and no text.
  const left = attributes.filter(
    ({ name, kind, type }) => !exclude.includes(name) && (kind !== 'text' || /^string\b/i.test(type)),
  );
  return (choice.kind === 'first' ? left[0] : left.at(-1))?.name;
}

/** The header is read first and alone, because reading an XML beside the file must wait for nothing. */
async function readHeader(
  path: string,
  pacer: Pacer,
): Promise<{ header: ArffHeaderReader['header']; dataLine: number }> {
  const reader = new ArffHeaderReader(path);
  let dataLine = 0;
  try {
    await readLines(path, pacer, (text, line) => {
      if (!reader.line(text, line)) return;
      dataLine = line;
      throw HEADER_DONE;
    });
  } catch (thrown) {
    if (thrown !== HEADER_DONE) throw thrown;
  }
  if (dataLine === 0)
    throw new DatasetError('syntax', `${path} has no line “@data”.`, 'Is it an ARFF file, and whole?');
  return { header: reader.header, dataLine };
}

/** Thrown to stop reading at `@data`. */
const HEADER_DONE = new Error('the header is done');

function weightWarning(weighted: boolean): DatasetWarning[] {
  return weighted
    ? [{ code: 'weights-ignored', message: 'Rows of the file have weights, which are not used.' }]
    : [];
}
