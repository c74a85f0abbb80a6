import type { RefusedGlobal } from './unpickle.ts';
import type { PlainValue } from './values.ts';

/** Where the elements of a storage lie in the file. */
export interface StoredRun {
  /** Byte of the file. */
  position: number;
  bytes: number;
}

/** What is common to all containers: the index, read; the data, located but not read. */
export interface Container {
  kind: 'torch-zip' | 'torch-legacy' | 'safetensors';
  /** What the file holds, without its numbers. */
  tree: PlainValue;
  /** Globals that are not on the allow-list; they were not called. */
  refused: RefusedGlobal[];
  runs: ReadonlyMap<string, StoredRun>;
  bigEndian: boolean;
}
