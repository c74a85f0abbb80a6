import { Zip, ZipPassThrough } from 'fflate';
import { dtypes, elementCount, TensorFormatError, toBytes, type Dtype, type TensorData } from './array.ts';
import { npyHeader, writeNpy, type TextArray } from './npy.ts';

/** An array whose rows come piece by piece. */
export interface NpyPieces {
  dtype: Dtype;
  shape: readonly number[];
  /** Together as many elements as the shape says. */
  pieces: AsyncIterable<TensorData>;
}

/** A ZIP without its 64-bit form, which not every reader knows, ends here. */
const MOST_BYTES = 2 ** 32 - 1;

/** What an array takes in a file, without its header; text takes four bytes for each character of the longest. */
export function npyBytes({ dtype, shape }: Pick<NpyPieces, 'dtype' | 'shape'>): number {
  return elementCount(shape) * dtypes[dtype].bytes;
}

/**
 * An uncompressed .npz in pieces, for arrays that are larger than memory. Members come in name order with a fixed date:
 * equal arrays give equal bytes. Only one array is read at a time.
 * @throws TensorFormatError `.npz` of 4 GiB and more; an array that has not as many elements as its shape says
 */
export async function* npzPieces(
  arrays: Readonly<Record<string, NpyPieces | TextArray>>,
): AsyncGenerator<Uint8Array> {
  let written: Uint8Array[] = [];
  let total = 0;
  const zip = new Zip((error, piece) => {
    if (error) throw error;
    written.push(piece);
    total += piece.length;
  });
  const taken = (): Uint8Array[] => {
    const pieces = written;
    written = [];
    if (total > MOST_BYTES) throw new TensorFormatError('an .npz cannot hold 4 GiB and more');
    return pieces;
  };
  // fflate writes local time; a local date makes that the same in every time zone.
  const mtime = new Date(1980, 0, 1);
  for (const name of Object.keys(arrays).sort()) {
    const array = arrays[name];
    if (array === undefined) continue;
    const member = new ZipPassThrough(`${name}.npy`);
    member.mtime = mtime;
    zip.add(member);
    if (array.dtype === 'text') member.push(writeNpy(array), true);
    else {
      member.push(npyHeader(array.dtype, array.shape));
      let elements = 0;
      for await (const piece of array.pieces) {
        elements += piece.length;
        // What is pushed is kept until it is written; the piece may be used again.
        member.push(toBytes(piece).slice());
        yield* taken();
      }
      if (elements !== elementCount(array.shape))
        throw new TensorFormatError(
          `${name} has ${elements} elements, its shape says ${elementCount(array.shape)}`,
        );
      member.push(new Uint8Array(), true);
    }
    yield* taken();
  }
  zip.end();
  yield* taken();
}
