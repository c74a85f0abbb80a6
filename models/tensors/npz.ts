import { unzipSync, zipSync, type UnzipFileInfo, type Zippable } from 'fflate';
import { TensorFormatError } from './array.ts';
import { readNpy, writeNpy, type NpyArray } from './npy.ts';

const SUFFIX = '.npy';
/** Refuses archives that unpack to more than this; the application's own files stay far below. */
const MAX_UNPACKED_BYTES = 4 * 1024 ** 3;

/**
 * Writes an uncompressed .npz, readable by `numpy.load(…, allow_pickle=False)`.
 * Members are stored in name order with a fixed date: equal arrays give equal bytes.
 */
export function writeNpz(arrays: Readonly<Record<string, NpyArray>>): Uint8Array {
  // fflate writes local time into the archive; a local date makes that the same in every time zone.
  const mtime = new Date(1980, 0, 1);
  const members: Zippable = {};
  for (const name of Object.keys(arrays).sort()) {
    const array = arrays[name];
    if (array !== undefined) members[`${name}${SUFFIX}`] = [writeNpy(array), { level: 0, mtime }];
  }
  return zipSync(members);
}

/**
 * Reads a .npz, compressed or not.
 * @throws TensorFormatError when it is not a zip of .npy files.
 */
export function readNpz(bytes: Uint8Array): Map<string, NpyArray> {
  let unpacked = 0;
  const members = unzip(bytes, (size) => {
    unpacked += size;
    if (unpacked > MAX_UNPACKED_BYTES) throw new TensorFormatError('the .npz unpacks to too much data');
  });
  const arrays = new Map<string, NpyArray>();
  for (const [name, content] of Object.entries(members)) {
    if (!name.endsWith(SUFFIX)) throw new TensorFormatError(`the .npz holds ${name}, which is no .npy`);
    arrays.set(name.slice(0, -SUFFIX.length), readNpy(content));
  }
  return arrays;
}

/**
 * Arrays of a .npz that are read one by one when they are asked for: one that cannot be read stands in nobody's way who
 * does not need it, and what nobody asks for is not unpacked. Members that are no .npy are passed over.
 * @throws TensorFormatError when it is not a zip
 */
export class NpzArchive {
  readonly #bytes: Uint8Array;
  /** In the order of the archive. */
  readonly names: readonly string[];

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    const names: string[] = [];
    listed(bytes, ({ name }) => {
      if (name.endsWith(SUFFIX)) names.push(name.slice(0, -SUFFIX.length));
      return false;
    });
    this.names = names;
  }

  /**
   * @returns null where there is no array of that name
   * @throws TensorFormatError for what is not read
   */
  read(name: string): NpyArray | null {
    if (!this.names.includes(name)) return null;
    const member = listed(this.#bytes, (file) => {
      if (file.name !== `${name}${SUFFIX}`) return false;
      if (file.originalSize > MAX_UNPACKED_BYTES)
        throw new TensorFormatError(`${name} unpacks to too much data`);
      return true;
    })[`${name}${SUFFIX}`];
    return member === undefined ? null : readNpy(member);
  }
}

function unzip(bytes: Uint8Array, account: (size: number) => void): Record<string, Uint8Array> {
  return listed(bytes, (file) => {
    account(file.originalSize);
    return true;
  });
}

function listed(bytes: Uint8Array, filter: (file: UnzipFileInfo) => boolean): Record<string, Uint8Array> {
  try {
    return unzipSync(bytes, { filter });
  } catch (error) {
    if (error instanceof TensorFormatError) throw error;
    throw new TensorFormatError('not a readable .npz archive', { cause: error });
  }
}
