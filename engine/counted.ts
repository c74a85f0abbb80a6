/** “1 track”, “2 tracks”: what shells need, and the engine's own messages as well. */
export { counted } from '../models/text/counted.ts';
