import { helperMemory } from '../helpers/memory.ts';

/** How far a graph may go before its process is ended. */
export interface EmbedderLimits {
  /** For one run of a graph. */
  runMs: number;
  /** In addition for the first run on a graph, which is when it is read and prepared. */
  openMs: number;
  /** Memory of an embedder process, bytes. */
  memory: number;
}

/**
 * A batch takes well under a second on the compact pack and a few seconds on the largest official one; on a machine that
 * is busy with other things ten times that.
 */
export const embedderLimits: EmbedderLimits = {
  runMs: 60_000,
  openMs: 60_000,
  memory: helperMemory,
};
