import yauzl from 'yauzl';
import type { Entry, ZipFile } from 'yauzl';
import { Readable } from 'node:stream';
import type { ByteSource } from './bytes.ts';
import type { Container, StoredRun } from './container.ts';
import { CheckpointError } from './errors.ts';
import { PickleCutOff } from './pickle-reader.ts';
import { unpickle, type Unpickled } from './unpickle.ts';

const MAX_ENTRIES = 100_000;
const MAX_INDEX_BYTES = 16 * 1024 ** 2;
const MAX_NOTE_BYTES = 64;
const INDEX = 'data.pkl';

interface Located extends StoredRun {
  name: string;
}

/**
 * Reads the index of a torch zip (torch ≥ 1.6). Entries must be stored uncompressed, so there is nothing to
 * inflate; sizes come from the central directory, since torch leaves the local headers empty.
 * @throws CheckpointError
 */
export async function readTorchZip(bytes: ByteSource): Promise<Container> {
  const entries = await locateEntries(bytes);
  const index = findIndex(entries);
  const root = index.name.slice(0, -INDEX.length);
  if (index.bytes > MAX_INDEX_BYTES) throw broken(`an index of ${index.bytes} bytes`);
  const { value, refused } = readIndex(await bytes.read(index.position, index.bytes));
  const order = entries.find(({ name }) => name === `${root}byteorder`);
  const data = `${root}data/`;
  return {
    kind: 'torch-zip',
    tree: value,
    refused,
    runs: new Map(
      entries.flatMap(({ name, position, bytes: length }) =>
        name.startsWith(data) ? [[name.slice(data.length), { position, bytes: length }] as const] : [],
      ),
    ),
    bigEndian: order !== undefined && (await note(bytes, order)) === 'big',
  };
}

function readIndex(pickle: Uint8Array): Unpickled {
  try {
    return unpickle(pickle);
  } catch (thrown) {
    if (thrown instanceof PickleCutOff) throw broken('an index that ends early', thrown);
    throw thrown;
  }
}

async function note(bytes: ByteSource, entry: Located): Promise<string> {
  const text = await bytes.read(entry.position, Math.min(entry.bytes, MAX_NOTE_BYTES));
  return new TextDecoder().decode(text).trim();
}

function findIndex(entries: readonly Located[]): Located {
  const found = entries.filter(({ name }) => name.split('/').length === 2 && name.endsWith(`/${INDEX}`));
  const [index] = found;
  if (index !== undefined && found.length === 1) return index;
  throw new CheckpointError(
    'not-a-checkpoint',
    index === undefined
      ? 'the file is a zip archive, but not one that PyTorch wrote: it has no data.pkl'
      : 'the zip archive has more than one data.pkl',
    'Choose the .pt, .th, .ckpt or .safetensors file of the model itself.',
  );
}

async function locateEntries(bytes: ByteSource): Promise<Located[]> {
  const zip = await openZip(bytes);
  const entries: Located[] = [];
  const names = new Set<string>();
  try {
    if (zip.entryCount > MAX_ENTRIES) throw broken(`${zip.entryCount} entries`);
    for await (const entry of zip.eachEntry()) {
      if (names.has(entry.fileName)) throw broken(`two entries named ${entry.fileName}`);
      names.add(entry.fileName);
      entries.push(await locate(zip, entry));
    }
  } catch (thrown) {
    if (thrown instanceof CheckpointError) throw thrown;
    throw broken(`an entry that cannot be read (${messageOf(thrown)})`, thrown);
  }
  checkRanges(entries, bytes.size);
  return entries;
}

async function locate(zip: ZipFile, entry: Entry): Promise<Located> {
  if (entry.compressionMethod !== 0 || entry.isEncrypted()) {
    throw new CheckpointError(
      'unsupported',
      `the entry ${entry.fileName} is ${entry.isEncrypted() ? 'encrypted' : 'compressed'}, which PyTorch never does`,
      'The archive was packed again: use the file as its publisher offers it.',
    );
  }
  const header = await zip.readLocalFileHeaderPromise(entry, { minimal: true });
  return { name: entry.fileName, position: header.fileDataStart, bytes: entry.uncompressedSize };
}

/** Overlapping entries let a small file claim to be large, and one entry rewrite another. */
function checkRanges(entries: readonly Located[], size: number): void {
  let end = 0;
  for (const entry of [...entries].sort((a, b) => a.position - b.position)) {
    if (entry.position < end) throw broken(`the entry ${entry.name}, which overlaps another`);
    end = entry.position + entry.bytes;
    if (end > size) throw broken(`the entry ${entry.name}, which ends after the file`);
  }
}

/** yauzl reads through this; nothing but small headers is ever asked for. */
class Reader extends yauzl.RandomAccessReader {
  readonly #bytes: ByteSource;
  constructor(bytes: ByteSource) {
    super();
    this.#bytes = bytes;
  }
  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    this.#bytes.readInto(buffer.subarray(offset, offset + length), position).then(
      () => callback(null),
      (error: unknown) => callback(error instanceof Error ? error : new Error(String(error))),
    );
  }
  override _readStreamForRange(): Readable {
    throw new Error('entries are not streamed');
  }
  override close(callback: (error: Error | null) => void): void {
    callback(null);
  }
}

async function openZip(bytes: ByteSource): Promise<ZipFile> {
  try {
    return await yauzl.fromRandomAccessReaderPromise(new Reader(bytes), bytes.size, {
      autoClose: false,
      lazyEntries: true,
      strictFileNames: true,
    });
  } catch (cause) {
    // The directory is the last thing in the file, so a download that was cut off has none.
    throw new CheckpointError(
      'truncated',
      'the file begins like a PyTorch checkpoint but its table of contents is missing',
      'The download was cut off: get the file again.',
      { cause },
    );
  }
}

function broken(what: string, cause?: unknown): CheckpointError {
  return new CheckpointError(
    'malformed',
    `the checkpoint's archive holds ${what}`,
    'The file is damaged or was not written by PyTorch: get it again from its publisher.',
    cause === undefined ? {} : { cause },
  );
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
