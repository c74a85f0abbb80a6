/** Embeddings of files that need not be in a library. */
import * as z from 'zod';
import { stream } from '../wire/index.ts';
import type { EngineErrorData } from './errors.ts';
import type { JobProgress } from './jobs.ts';
import { id, path } from './shared.ts';

export interface EmbeddedFiles {
  /** What was written, with its size in bytes. */
  file: string;
  bytes: number;
  packSha256: string;
  dim: number;
  tracks: number;
  windows: number;
  /** Files that could not be used, with the reason. */
  failures: { path: string; problem: EngineErrorData }[];
  /** Files that could be read all the same, and what was damaged in them. */
  damaged: { path: string; note: string }[];
}

export type EmbedEvent =
  { type: 'progress'; progress: JobProgress } | { type: 'done'; result: EmbeddedFiles };

export const embedMethods = {
  /**
   * Writes the embeddings of files, and of the audio files in folders, as one `.npz`: `z` float32 [windows, D],
   * `track_of` int32 [windows], `start_seconds` float32 [windows], `track_z` float32 [tracks, D] (means over windows),
   * `paths` text [tracks]. Ends with `done`; leaving early writes nothing.
   */
  'embed.files': stream<EmbedEvent>()(
    z.strictObject({ packId: id, paths: z.array(path).min(1).max(100_000), file: path }),
  ),
};
