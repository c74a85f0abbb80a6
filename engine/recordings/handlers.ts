import type { Handlers } from '../api/contract.ts';
import type { recordingsMethods } from '../api/recordings.ts';
import type { EngineContext } from '../context.ts';
import { keepRecording, listRecordings, recordingsFolder, removeRecordings } from './folder.ts';

/** What was recorded from the microphone. */
export function recordingsHandlers({
  options,
}: EngineContext): Pick<Handlers, keyof typeof recordingsMethods> {
  const folder = recordingsFolder(options.dataFolder);
  return {
    'recordings.keep': ({ pcm }) => keepRecording(folder, Buffer.from(pcm, 'base64'), new Date()),
    'recordings.list': () => listRecordings(folder),
    'recordings.remove': async ({ ids }) => {
      await removeRecordings(folder, ids);
      return null;
    },
  };
}
