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

/** Chunks that begin where a pad byte belongs show that the writer left it out. */
const known = new Set([
  ...[
    'RIFF',
    'RIFX',
    'RF64',
    'BW64',
    'fmt ',
    'data',
    'fact',
    'LIST',
    'JUNK',
    'junk',
    'cue ',
    'smpl',
    'inst',
    'bext',
    'iXML',
    'PEAK',
    'id3 ',
    'ID3 ',
  ],
  ...['PAD ', 'FLLR', 'DISP', 'axml', 'chna', 'ds64', 'plst', 'levl', 'minf', 'elm1', 'acid', 'strc', 'afsp'],
  ...[
    'COMM',
    'SSND',
    'FVER',
    'MARK',
    'NAME',
    'AUTH',
    'ANNO',
    '(c) ',
    'INST',
    'APPL',
    'CHAN',
    'COMT',
    'MIDI',
    'AESD',
  ],
]);

function idAt(bytes: Uint8Array, offset: number): string {
  return String.fromCharCode(...bytes.subarray(offset, offset + 4));
}

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
    yield { id: idAt(head, 0), size, start: position + 8 };
    position += 8 + size;
    // Chunks start at even offsets, but not every writer keeps to it.
    if (size % 2 === 0) continue;
    const next = await source.read(position, 5);
    if (known.has(idAt(next, 1)) || !known.has(idAt(next, 0))) position++;
  }
}

/** Whether a file holds more chunks than any that was made in earnest. */
export async function hasTooManyChunks(source: FileSource): Promise<boolean> {
  const littleEndian = !['FORM', 'RIFX'].includes(idAt(await source.read(0, 4), 0));
  let count = 0;
  for await (const chunk of walkChunks(source, 0, littleEndian)) if (chunk.id !== '') count++;
  return count >= MAX_CHUNKS;
}
