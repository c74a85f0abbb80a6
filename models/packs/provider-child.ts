/**
 * Entry of the process in which a provider is measured: a forked Node process or an Electron utility process.
 * Takes one {@link MeasureRequest}, answers with one {@link MeasureReply}.
 */
import { measureProvider, type MeasureRequest } from './provider-measure.ts';
import type { MeasureReply } from './provider-runner.ts';

/** `process.parentPort` of Electron's utility processes. */
interface UtilityPort {
  on(event: 'message', listener: (event: { data: unknown }) => void): void;
  postMessage(message: unknown): void;
}

const { parentPort } = process as { parentPort?: UtilityPort };

async function answer(request: unknown): Promise<MeasureReply> {
  try {
    return { measurement: await measureProvider(request as MeasureRequest) };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

if (parentPort) {
  parentPort.on('message', ({ data }) => void answer(data).then((reply) => parentPort.postMessage(reply)));
} else {
  process.on('message', (request) => void answer(request).then((reply) => process.send?.(reply)));
}
