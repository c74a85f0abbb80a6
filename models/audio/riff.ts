import type { FileSource } from './source.ts';

/** One chunk of an IFF-like file (RIFF, AIFF). */
export interface Chunk {
  id: string;
  /** Announced size of the content in bytes. */
  size: number;
  /** Position of the content. */
  start: number;
}

/** A hostile file can hold millions of empty chunks; no real one has this many. */
const MAX_CHUNKS = 4096;

/** The chunks after a 12-byte file header at `start`, in order, without reading their content. */
export async function* walkChunks(
  source: FileSource,
  start: number,
  littleEndian: boolean,
): AsyncGenerator<Chunk, void> {
  let position = start + 12;
  for (let count = 0; count < MAX_CHUNKS && position + 8 <= source.size; count++) {
    const head = await source.read(position, 8);
    if (head.length < 8) return;
    const size = new DataView(head.buffer, head.byteOffset).getUint32(4, littleEndian);
    yield { id: String.fromCharCode(...head.subarray(0, 4)), size, start: position + 8 };
    // Chunks start at even offsets.
    position += 8 + size + (size % 2);
  }
}
