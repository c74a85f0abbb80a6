/** Entry of a reader process: threads in it read what strangers made, and ffmpeg, where it is needed, is started from it. */
import { setFlagsFromString } from 'node:v8';
import { endGroup } from '../decode/end-program.ts';
import { enterHelper } from '../helpers/enter.ts';
import { serveReaders } from './serve.ts';

// Every decoder has a memory of its own in WebAssembly, and every few of them make V8 collect a heap of 11 MB: that a thread
// marks by itself in 2 ms, while helpers beside it cost as much computing again as the decoding (import of 207 FLAC files).
setFlagsFromString('--no-concurrent-marking');

const { port, confinement } = await enterHelper({ graphics: false, programs: true }, ({ calls }) => {
  // A program that still runs would not be ended with this process. Only one that was confined leads a group of its own.
  if (calls) endGroup();
  process.exit(0);
});
serveReaders(port, confinement);
