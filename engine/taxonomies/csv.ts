import { readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import { z } from 'zod';
import { EngineError } from '../api/errors.ts';

export interface CsvRow {
  path: string;
  labels: string[];
}

const HINT =
  'The first line must be “path,label” (more label columns may follow) or “path,labels” with “;” between labels.';

/**
 * Reads a label file: `path,label[,label…]`, or `path,labels` with `;` between the labels of a track.
 * @throws EngineError `unreadable`, `bad-input`
 */
export function readLabelFile(path: string): CsvRow[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (thrown) {
    throw new EngineError(
      'unreadable',
      `The label file ${path} cannot be read.`,
      'Check its name and permissions.',
      {
        cause: thrown,
      },
    );
  }
  return parseLabels(text, path);
}

/** @param name of the file, for messages */
export function parseLabels(text: string, name: string): CsvRow[] {
  let records: string[][];
  try {
    records = z
      .array(z.array(z.string()))
      .parse(parse(text, { bom: true, trim: true, skip_empty_lines: true, relax_column_count: true }));
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    throw new EngineError('bad-input', `${name} is not a CSV file: ${reason}`, HINT, { cause: thrown });
  }
  const header = (records[0] ?? []).map((cell) => cell.toLowerCase());
  if (header[0] !== 'path' || !/^labels?\b/.test(header[1] ?? '')) {
    throw new EngineError('bad-input', `${name} has no header that names path and labels.`, HINT);
  }
  const isList = header[1] === 'labels' && header.length === 2;
  return records.slice(1).flatMap(([path = '', ...cells]) => {
    const labels = isList ? (cells[0] ?? '').split(';') : cells;
    return path === '' ? [] : [{ path, labels: distinct(labels) }];
  });
}

/** Trimmed, without empty and repeated ones, in order. */
export function distinct(labels: readonly string[]): string[] {
  return [...new Set(labels.map((label) => label.trim()).filter((label) => label !== ''))];
}
