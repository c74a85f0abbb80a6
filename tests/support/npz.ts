import { readFileSync } from 'node:fs';
import { unzipSync } from 'fflate';

const readers = {
  '<f4': [4, (view: DataView, at: number) => view.getFloat32(at, true)],
  '<f8': [8, (view: DataView, at: number) => view.getFloat64(at, true)],
  '<i4': [4, (view: DataView, at: number) => view.getInt32(at, true)],
} as const;

/** The numbers of an .npz by name, read by the description of the format and not by the product's reader; text is left out. */
export function npzArrays(path: string): Record<string, number[]> {
  const arrays: Record<string, number[]> = {};
  for (const [file, bytes] of Object.entries(unzipSync(readFileSync(path)))) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const start = 10 + view.getUint16(8, true);
    const header = new TextDecoder().decode(bytes.subarray(10, start));
    const kind = Object.keys(readers).find((name): name is keyof typeof readers =>
      header.includes(`'${name}'`),
    );
    if (!kind) continue;
    const [size, read] = readers[kind];
    arrays[file.replace(/\.npy$/, '')] = Array.from({ length: (bytes.length - start) / size }, (_, i) =>
      read(view, start + size * i),
    );
  }
  return arrays;
}
