import * as z from 'zod';
import type { Confinement } from '../api/app.ts';
import { confineProcess, type ConfineOptions } from '../confine/confine.ts';
import type { Port } from '../wire/port.ts';
import { insideHelper } from '../wire/transports/utility-process.ts';
import { MEMORY_VARIABLE } from './memory.ts';
import { watchMemory } from './watch-memory.ts';

/**
 * The beginning of a helper process: a forked Node process, or a utility process of Electron whose first message carries
 * the port to the engine. Its rights are given up before anything of others is read; a thread watches its memory.
 * @param leave ends the process when the engine is gone, perhaps killed: whoever starts the next one starts other helpers
 */
export async function enterHelper(
  options: ConfineOptions = {},
  leave: (confinement: Confinement) => void = () => process.exit(0),
): Promise<{ port: Port; confinement: Confinement }> {
  const confinement = confineProcess(options);
  const limit = z.coerce.number().positive().optional().parse(process.env[MEMORY_VARIABLE]);
  if (limit !== undefined) watchMemory(limit);
  // Ctrl-C goes to every process of the terminal; the engine decides when this one ends.
  process.on('SIGINT', () => undefined);
  const port = await insideHelper();
  port.onClose(() => leave(confinement));
  return { port, confinement };
}
