import { join } from 'node:path';
import { randomTwin, readPack, writePack, type Pack, type PackRuntime } from '../../models/packs/index.ts';
import type { EngineContext } from '../context.ts';
import { inScratch } from '../files/scratch.ts';

/**
 * Opens a pack and its untrained twin in runtimes of their own, and closes both in the end.
 * @param twin folder of a pack with random weights; null: this one, its weights shuffled by the seed
 */
export function withTwin<T>(
  context: EngineContext,
  pack: Pack,
  { twin, seed, threads }: { twin: string | null; seed: number; threads: number },
  use: (runtime: PackRuntime, twin: PackRuntime) => Promise<T>,
): Promise<T> {
  return inScratch('score', async (scratch) => {
    const runtimes: PackRuntime[] = [];
    const open = (which: Pack): PackRuntime => {
      const runtime = context.packs.separateRuntime(which, threads);
      runtimes.push(runtime);
      return runtime;
    };
    try {
      const runtime = open(pack);
      const folder = twin ?? (await writePack(await randomTwin(pack, seed), join(scratch, 'twin')));
      return await use(runtime, open(await readPack(folder)));
    } finally {
      for (const runtime of runtimes) await runtime.close();
    }
  });
}
