import type { EngineErrorData } from '../api/errors.ts';
import type { LabelTable } from './label-table.ts';

/** What the thread made from `label-worker.ts` is to read. */
export interface LabelRequest {
  path: string;
  /** Of the tracks, relative to the music folder. */
  paths: readonly string[];
  folder: string;
}

/** What it answers: any number of signs of life, then what the file says or the reason why not. */
export type LabelReply =
  | { type: 'progress'; rows: number }
  | { type: 'read'; table: LabelTable }
  | { type: 'refused'; error: EngineErrorData };
