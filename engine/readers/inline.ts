import { unconfined } from '../confine/confine.ts';
import type { SpawnHelper } from '../helpers/process.ts';
import { portPair } from '../wire/transports/in-process.ts';
import { serveReaders } from './serve.ts';

/** No process at all: the threads are those of the calling process. For tests, and where no bundle is beside the code. */
export const inlineReaders: SpawnHelper = () => {
  const [here, there] = portPair();
  const inside = serveReaders(there, unconfined('files are read in the process of the engine'));
  return {
    port: here,
    ended: new Promise((resolve) => there.onClose(() => void inside.close().then(resolve, resolve))),
  };
};
