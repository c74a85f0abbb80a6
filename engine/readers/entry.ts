/** Entry of a reader process: threads in it read what strangers made, and ffmpeg, where it is needed, is started from it. */
import { endGroup } from '../decode/end-program.ts';
import { enterHelper } from '../helpers/enter.ts';
import { serveReaders } from './serve.ts';

const { port, confinement } = await enterHelper({ graphics: false, programs: true });
// A program that still runs would not be ended with this process.
if (confinement.calls) port.onClose(endGroup);
serveReaders(port, confinement);
