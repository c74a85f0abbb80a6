import { unconfined } from '../confine/confine.ts';
import type { SpawnHelper } from '../helpers/process.ts';
import { portPair } from '../wire/transports/in-process.ts';
import { serveEmbedder } from './serve.ts';

/** No process at all: graphs run on the calling thread. For tests, and where no bundle is beside the code. */
export const inlineEmbedder: SpawnHelper = () => {
  const [here, there] = portPair();
  const inside = serveEmbedder(there, unconfined('graphs run in the process of the engine'));
  return {
    port: here,
    ended: new Promise((resolve) => there.onClose(() => void inside.close().then(resolve, resolve))),
  };
};
