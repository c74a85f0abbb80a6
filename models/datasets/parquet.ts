import { open } from 'node:fs/promises';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { compressors as unpackers } from 'hyparquet-compressors';
import { parquetMetadataAsync, parquetRead, parquetSchema } from 'hyparquet';
import type { AsyncBuffer, Compressors, FileMetaData, SchemaTree } from 'hyparquet';
import * as z from 'zod';
import { Pacer } from '../numerics/pacer.ts';
import { tellsClasses } from './class-column.ts';
import { DatasetError, readFailure } from './errors.ts';
import { LABEL_PREFIX } from './csv.ts';
import { assembleRows, type MatrixColumn } from './matrix.ts';
import { noLabels, type ColumnChoice } from './plan.ts';
import { MAX_VALUES } from './rows.ts';
import type { RawDataset, SourceOptions } from './source.ts';
import { PARQUET_KEY } from './write-parquet.ts';

const ownSchema = z.object({ name: z.string(), labels: z.array(z.string()), features: z.array(z.string()) });
type OwnFacts = z.output<typeof ownSchema>;

/** What is unpacked beside Snappy, which hyparquet does itself. Arrow's LZ4 comes in two framings. */
const { ZSTD, LZ4, LZ4_RAW } = unpackers;
const compressors: Compressors = {
  ...(ZSTD && LZ4 && LZ4_RAW ? { ZSTD, LZ4, LZ4_RAW } : {}),
  GZIP: (input, length) => new Uint8Array(gunzipSync(input, { maxOutputLength: Math.max(1, length) })),
  BROTLI: (input, length) =>
    new Uint8Array(brotliDecompressSync(input, { maxOutputLength: Math.max(1, length) })),
};

/**
 * Reads a Parquet table: numbers and booleans are features or labels; a column of equally long lists of numbers is one
 * feature per element; text is left out. A file of {@link writeDatasetParquet} needs no choice of labels.
 *
 * A damaged file can keep this busy for hours: files from outside are read where it can be ended.
 * @param onProgress called whenever a piece of a column is unpacked
 * @throws DatasetError
 */
export async function readParquetDataset(
  path: string,
  options: Omit<SourceOptions, 'signal'>,
  onProgress: () => void,
): Promise<RawDataset> {
  try {
    const handle = await open(path);
    try {
      const file = asyncBuffer(handle, (await handle.stat()).size);
      const metadata = await parquetMetadataAsync(file);
      return await readTable(path, file, metadata, options, onProgress);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw readFailure(
      path,
      error,
      'A Parquet file is expected, packed with Snappy, Zstandard, gzip, LZ4 or Brotli, or not at all.',
    );
  }
}

async function readTable(
  path: string,
  file: AsyncBuffer,
  metadata: FileMetaData,
  options: Omit<SourceOptions, 'signal'>,
  onProgress: () => void,
): Promise<RawDataset> {
  const count = Number(metadata.num_rows);
  const own = options.labels ? null : ownFacts(metadata);
  const { children } = parquetSchema(metadata);
  const index = own ? [] : indexColumns(metadata, children, options);
  const exclude = new Set([...(options.exclude ?? []), ...index]);
  const maybeClasses = own ? null : classColumn(children, exclude, options);
  const wanted = own
    ? children.filter(({ element }) => element.name === 'vector' || element.name === 'labels')
    : children.filter(
        (child) => (isNumeric(child) || child === maybeClasses) && !exclude.has(child.element.name),
      );
  // Refused before anything is unpacked: what a file claims to hold may be far more than its size.
  if (count * Math.max(1, wanted.length) > MAX_VALUES)
    throw new DatasetError('too-large', `${path} claims ${count} rows.`, 'Take a sample of the rows.');
  const [id] = exclude;
  const read = new Set(
    [...wanted, ...children.filter((child) => child.element.name === id && child.children.length === 0)].map(
      ({ element }) => element.name,
    ),
  );
  const columns = await readColumns(file, metadata, [...read], count, onProgress);
  if (own) return readOwn(path, count, columns, own, options);
  const classes = maybeClasses && givesClasses(maybeClasses, wanted, columns, options) ? maybeClasses : null;
  if (maybeClasses && !classes) columns.delete(maybeClasses.element.name);
  // In the order of the file: where labels are told by their number, it decides.
  const matrix = children.flatMap(({ element: { name } }) => {
    const values = columns.get(name);
    if (exclude.has(name) || name === classes?.element.name)
      return [{ name, at: () => NaN, text: (row: number) => cellText(values?.[row]) }];
    return values ? matrixColumns(path, name, values) : [];
  });
  const labels = options.labels ?? prefixed(path, matrix);
  const raw = await assembleRows(
    path,
    count,
    matrix,
    labels,
    { ...options, exclude: [...exclude] },
    new Pacer(),
  );
  const skipped = children.filter(
    (child) => !isNumeric(child) && child !== classes && !exclude.has(child.element.name),
  );
  return {
    ...raw,
    labelNames:
      options.labels || raw.classPerRow
        ? raw.labelNames
        : raw.labelNames.map((name) => name.slice(LABEL_PREFIX.length)),
    warnings: [
      ...indexWarning(index),
      ...raw.warnings,
      ...(skipped.length === 0 ? [] : [skippedWarning(skipped.map(({ element }) => element.name))]),
    ],
  };
}

async function readOwn(
  path: string,
  count: number,
  columns: ReadonlyMap<string, unknown[]>,
  { name, labels, features }: OwnFacts,
  options: Omit<SourceOptions, 'signal'>,
): Promise<RawDataset> {
  const vectors = columns.get('vector') ?? [];
  const borne = columns.get('labels') ?? [];
  const element = (list: unknown, i: number): number =>
    Array.isArray(list) && list.length === features.length ? asNumber(list[i]) : NaN;
  const matrix: MatrixColumn[] = [
    ...features.map((feature, i) => ({ name: feature, at: (row: number) => element(vectors[row], i) })),
    ...labels.map((label) => ({
      name: label,
      at: (row: number) => (Array.isArray(borne[row]) && borne[row].includes(label) ? 1 : 0),
    })),
  ];
  const choice = { kind: 'last', count: labels.length } as const;
  const raw = await assembleRows(path, count, matrix, choice, options, new Pacer());
  return { ...raw, name };
}

/** Whole columns, by name. */
async function readColumns(
  file: AsyncBuffer,
  metadata: FileMetaData,
  names: string[],
  count: number,
  onProgress: () => void,
): Promise<Map<string, unknown[]>> {
  const columns = new Map(names.map((name) => [name, new Array<unknown>(count)]));
  // One column after the other, so that progress is told between them.
  for (const [name, values] of columns) {
    await parquetRead({
      file,
      metadata,
      columns: [name],
      compressors,
      onChunk: ({ rowStart, columnData }) => {
        onProgress();
        for (let i = 0; i < columnData.length; i++) values[rowStart + i] = columnData[i] as unknown;
      },
    });
  }
  return columns;
}

function matrixColumns(path: string, name: string, values: readonly unknown[]): MatrixColumn[] {
  const first = values.find((value) => value !== null && value !== undefined);
  if (!isList(first)) return [{ name, at: (row) => asNumber(values[row]) }];
  const { length } = first;
  const isMissing = (value: unknown): boolean => value === null || value === undefined;
  const odd = values.findIndex((value) => !isMissing(value) && (!isList(value) || value.length !== length));
  if (odd >= 0)
    throw new DatasetError(
      'ragged',
      `${path}, row ${odd + 1}: “${name}” does not hold ${length} numbers as the first row does.`,
      'Lists of features must be equally long.',
      odd + 1,
    );
  return Array.from({ length }, (_, i) => ({
    name: `${name}_${i}`,
    at: (row: number) => {
      const list = values[row];
      return isList(list) ? asNumber(list[i]) : NaN;
    },
  }));
}

function prefixed(path: string, columns: readonly MatrixColumn[]): ColumnChoice {
  const names = columns.map(({ name }) => name).filter((name) => name.startsWith(LABEL_PREFIX));
  if (names.length === 0) throw noLabels(path);
  return { kind: 'names', names };
}

function ownFacts({ key_value_metadata }: FileMetaData): OwnFacts | null {
  const text = key_value_metadata?.find(({ key }) => key === PARQUET_KEY)?.value;
  if (text === undefined) return null;
  try {
    return ownSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

const pandasSchema = z.object({ index_columns: z.array(z.unknown()) });

/** Columns that hold the index of a pandas table, as far as nobody asked for them. */
function indexColumns(
  { key_value_metadata }: FileMetaData,
  children: readonly SchemaTree[],
  { labels, exclude = [] }: Omit<SourceOptions, 'signal'>,
): string[] {
  const text = key_value_metadata?.find(({ key }) => key === 'pandas')?.value;
  const told = pandasSchema.safeParse(text === undefined ? null : jsonOrNull(text));
  const named = new Set(told.success ? told.data.index_columns : []);
  const asked = new Set([...exclude, ...(labels?.kind === 'names' ? labels.names : [])]);
  return children
    .map(({ element }) => element.name)
    .filter((name) => (named.has(name) || /^__index_level_\d+__$/.test(name)) && !asked.has(name));
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

function indexWarning(names: readonly string[]): RawDataset['warnings'] {
  const [first] = names;
  if (first === undefined) return [];
  return [
    {
      code: 'index-excluded',
      message: `“${names.join('”, “')}” ${names.length === 1 ? 'is' : 'are'} the index of the table and left out.`,
      columns: [...names],
    },
  ];
}

const NUMBER_TYPES = new Set(['BOOLEAN', 'INT32', 'INT64', 'FLOAT', 'DOUBLE']);

/** Numbers, booleans, and lists of numbers (in two levels or three); instants and durations are none. */
function isNumeric({ element, children }: SchemaTree): boolean {
  if (children.length === 0) {
    if (element.logical_type?.type === 'FLOAT16' || element.converted_type === 'DECIMAL') return true;
    return (
      NUMBER_TYPES.has(element.type ?? '') &&
      !/^(DATE|TIME)/.test(element.converted_type ?? '') &&
      !/^(DATE|TIME)/.test(element.logical_type?.type ?? '')
    );
  }
  const [group] = children;
  const [item] = group?.children ?? [];
  const isListGroup = element.converted_type === 'LIST' || element.logical_type?.type === 'LIST';
  if (!isListGroup || children.length !== 1 || group === undefined) return false;
  // Two levels, as older writers have it: what is repeated is the value itself.
  if (group.children.length === 0) return isNumeric(group);
  return group.children.length === 1 && item?.children.length === 0 && isNumeric(item);
}

/** The column of text that is the only label, by its name or its place: it gives each row its class. */
function classColumn(
  children: readonly SchemaTree[],
  exclude: ReadonlySet<string>,
  { labels }: Omit<SourceOptions, 'signal'>,
): SchemaTree | null {
  if (labels === undefined) return null;
  const left = children.filter(({ element }) => !exclude.has(element.name));
  const single =
    labels.kind === 'names'
      ? labels.names.length === 1
        ? left.find(({ element }) => element.name === labels.names[0])
        : undefined
      : labels.count !== 1
        ? undefined
        : labels.kind === 'first'
          ? left[0]
          : left.at(-1);
  return single !== undefined && isText(single) ? single : null;
}

/** By its name it is the label for certain; by its place only where it does not describe the rows one by one. */
function givesClasses(
  column: SchemaTree,
  wanted: readonly SchemaTree[],
  columns: ReadonlyMap<string, unknown[]>,
  { labels }: Omit<SourceOptions, 'signal'>,
): boolean {
  if (labels === undefined || labels.kind === 'names') return true;
  const texts = ({ element }: SchemaTree): string[] => (columns.get(element.name) ?? []).map(cellText);
  const others = wanted.filter((child) => child !== column);
  const next = labels.kind === 'first' ? others[0] : others.at(-1);
  return tellsClasses(texts(column), next ? texts(next) : []);
}

function isText({ element, children }: SchemaTree): boolean {
  const kinds = ['UTF8', 'STRING', 'ENUM', undefined];
  return (
    children.length === 0 &&
    element.type === 'BYTE_ARRAY' &&
    kinds.includes(element.converted_type) &&
    kinds.includes(element.logical_type?.type)
  );
}

function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && 'length' in value);
}

function asNumber(value: unknown): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  return typeof value === 'bigint' ? Number(value) : NaN;
}

function skippedWarning(names: string[]): RawDataset['warnings'][number] {
  const which = names.length === 1 ? `Column “${names[0] ?? ''}” is` : `${names.length} columns are`;
  return {
    code: 'text-excluded',
    message: `${which} no numbers and left out.`,
    columns: names.slice(0, 100),
  };
}

function asyncBuffer(handle: Awaited<ReturnType<typeof open>>, byteLength: number): AsyncBuffer {
  return {
    byteLength,
    slice: async (start, end = byteLength) => {
      const from = start < 0 ? Math.max(0, byteLength + start) : start;
      const length = Math.max(0, Math.min(end, byteLength) - from);
      const buffer = new ArrayBuffer(length);
      // Node refuses to read nothing, which is what a damaged offset asks for.
      if (length > 0) await handle.read(new Uint8Array(buffer), 0, length, from);
      return buffer;
    },
  };
}

/** A value as it tells rows apart. */
function cellText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value instanceof Date) return value.toISOString();
  return value === null || value === undefined
    ? ''
    : JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? String(part) : part));
}
