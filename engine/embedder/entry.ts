/**
 * Entry of an embedder process: a forked Node process, or a utility process of Electron whose first message carries the
 * port to the engine. ONNX Runtime computes on this process's only JavaScript thread; a thread beside it watches memory.
 */
import { z } from 'zod';
import { confineProcess } from '../confine/confine.ts';
import { insideHelper } from '../wire/transports/utility-process.ts';
import { MEMORY_VARIABLE } from './limits.ts';
import { serveEmbedder } from './serve.ts';
import { watchMemory } from './watch-memory.ts';

// Before anything of others is read.
const confinement = confineProcess();
const limit = z.coerce.number().positive().optional().parse(process.env[MEMORY_VARIABLE]);
if (limit !== undefined) watchMemory(limit);
// Ctrl-C goes to every process of the terminal; the engine decides when this one ends.
process.on('SIGINT', () => undefined);

const port = await insideHelper();
// The engine is gone, perhaps killed: whoever starts the next one starts another embedder.
port.onClose(() => process.exit(0));
serveEmbedder(port, confinement);
