import { totalmem } from 'node:os';

/** Environment variable that tells a helper process its memory limit, bytes. */
export const MEMORY_VARIABLE = 'ARCHETONE_HELPER_MEMORY';

const GIB = 2 ** 30;

/** Memory of one helper process, bytes. The largest official pack needs less than 4 GiB, a data set about as much as its numbers. */
export const helperMemory = Math.max(2 * GIB, Math.min(12 * GIB, 0.6 * totalmem()));
