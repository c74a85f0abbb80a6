/** Entry of a reader process: threads in it read what strangers made, and ffmpeg, where it is needed, is started from it. */
import { setFlagsFromString } from 'node:v8';
import { endGroup } from '../decode/end-program.ts';
import { enterHelper } from '../helpers/enter.ts';
import { serveReaders } from './serve.ts';

// Samples lie outside the heap, and every few windows of them make V8 look for what can go in a heap of 11 MB. In steps
// between the decoding, and with helpers beside it, that costs a fifth of the decoding; at one go it is seldom wanted at all,
// since what was decoded dies young.
setFlagsFromString('--no-concurrent-marking');
setFlagsFromString('--no-incremental-marking');

const { port, confinement } = await enterHelper({ graphics: false, programs: true }, ({ calls }) => {
  // A program that still runs would not be ended with this process. Only one that was confined leads a group of its own.
  if (calls) endGroup();
  process.exit(0);
});
serveReaders(port, confinement);
