import { totalmem } from 'node:os';

/** How far a graph may go before its process is ended. */
export interface EmbedderLimits {
  /** For one run of a graph. */
  runMs: number;
  /** In addition for the first run on a graph, which is when it is read and prepared. */
  openMs: number;
  /** Memory of an embedder process, bytes. */
  memory: number;
}

/** Environment variable that tells an embedder process its memory limit. */
export const MEMORY_VARIABLE = 'ARCHETONE_EMBEDDER_MEMORY';

const GIB = 2 ** 30;

/**
 * A batch takes well under a second on the compact pack and a few seconds on the largest official one; on a machine that
 * is busy with other things ten times that. The largest official pack needs less than 4 GiB.
 */
export const embedderLimits: EmbedderLimits = {
  runMs: 60_000,
  openMs: 60_000,
  memory: Math.max(2 * GIB, Math.min(12 * GIB, 0.6 * totalmem())),
};
