import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import {
  readNpy,
  readNpz,
  readSafetensors,
  TensorFormatError,
  writeNpy,
  writeNpz,
  writeSafetensors,
} from '../../../models/tensors/index.ts';

/** A format 1.0 file with any header text, as a hostile or foreign writer might make it. */
function npy(header: string, body: Uint8Array | number = 0, version = 1): Uint8Array {
  const text = new TextEncoder().encode(header);
  const data = typeof body === 'number' ? new Uint8Array(body) : body;
  const length = [text.length & 255, (text.length >> 8) & 255];
  const prefix = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0, ...length, ...(version > 1 ? [0, 0] : [])];
  return Uint8Array.from([...prefix, ...text, ...data]);
}
const header = (descr: string, shape: string, order = 'False'): string =>
  `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }\n`;

function safetensors(json: unknown, bytes = 0): Uint8Array {
  const text = new TextEncoder().encode(typeof json === 'string' ? json : JSON.stringify(json));
  const file = new Uint8Array(8 + text.length + bytes);
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
  file.set(text, 8);
  return file;
}

describe('.npy', () => {
  it('writes the bytes that NumPy writes', () => {
    const bytes = writeNpy({ dtype: 'float32', shape: [2], data: Float32Array.of(1, -2) });
    const text = new TextDecoder('latin1').decode(bytes.subarray(10, 128));
    expect(text).toBe(`{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }`.padEnd(117) + '\n');
    expect([...bytes.subarray(0, 10)]).toEqual([0x93, 78, 85, 77, 80, 89, 1, 0, 118, 0]);
    expect([...bytes.subarray(128)]).toEqual([0, 0, 128, 63, 0, 0, 0, 192]);
  });

  it('reads format 2.0, scalars, empty arrays and Fortran order', () => {
    expect(readNpy(npy(header('<f4', '()'), 4, 2)).shape).toEqual([]);
    expect(readNpy(npy(header('<f8', '(0, 3)'))).data).toHaveLength(0);
    const columns = Uint8Array.of(1, 2, 3, 4, 5, 6);
    expect([...readNpy(npy(header('|u1', '(2, 3)', 'True'), columns)).data]).toEqual([1, 3, 5, 2, 4, 6]);
  });

  it('keeps text', () => {
    const array = { dtype: 'text', shape: [3], data: ['Straße', '', '🎵 a'] } as const;
    expect(readNpy(writeNpy({ ...array, shape: [3], data: [...array.data] }))).toEqual(array);
  });

  it.each([
    ['no magic', Uint8Array.of(1, 2, 3)],
    ['pickled objects', npy(header('|O', '(1,)'), 8)],
    ['complex numbers', npy(header('<c8', '(1,)'), 8)],
    ['instants', npy(header('<M8[ns]', '(1,)'), 8)],
    ['structured types', npy(`{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }`, 4)],
    ['a missing key', npy(`{'descr': '<f4', 'shape': (1,), }`, 4)],
    ['a further key', npy(`{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 1, }`, 4)],
    ['code', npy(`{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }; import os`, 4)],
    ['too little data', npy(header('<f4', '(2,)'), 7)],
    ['too much data', npy(header('<f4', '(2,)'), 9)],
    ['a shape beyond all memory', npy(header('<f4', '(9999999999, 9999999999)'), 4)],
    ['a negative size', npy(header('<f4', '(-1,)'), 4)],
    ['a header past the end', npy(header('<f4', '(1,)')).subarray(0, 20)],
    ['an unknown version', npy(header('<f4', '(1,)'), 4, 9)],
  ])('refuses %s', (_, bytes) => {
    expect(() => readNpy(bytes)).toThrow(TensorFormatError);
  });
});

describe('.npz', () => {
  it('is the same bytes whatever the order of its members', () => {
    const a = { dtype: 'int32' as const, shape: [1], data: Int32Array.of(1) };
    const b = { dtype: 'text' as const, shape: [1], data: ['x'] };
    const one = writeNpz({ a, b });
    expect(Buffer.from(one).equals(Buffer.from(writeNpz({ b, a })))).toBe(true);
    expect([...readNpz(one).keys()]).toEqual(['a', 'b']);
    expect(readNpz(one).get('b')?.data).toEqual(['x']);
  });

  it('refuses other things', () => {
    expect(() => readNpz(Uint8Array.of(1, 2, 3))).toThrow(TensorFormatError);
    expect(() => readNpz(zipSync({ 'a.txt': Uint8Array.of(1) }))).toThrow(/a\.txt/);
    const whole = writeNpz({ a: { dtype: 'float64', shape: [64], data: new Float64Array(64) } });
    expect(() => readNpz(whole.subarray(0, 300))).toThrow(TensorFormatError);
  });
});

describe('safetensors', () => {
  const entry = (start: number, end: number, shape = [1], dtype = 'F32'): object => ({
    dtype,
    shape,
    data_offsets: [start, end],
  });

  it('aligns every tensor, whatever the sizes', () => {
    const bytes = writeSafetensors(
      {
        flag: { dtype: 'bool', shape: [3], data: Uint8Array.of(1, 0, 1) },
        wide: { dtype: 'float64', shape: [1], data: Float64Array.of(0.1) },
      },
      { z: '1', a: '2' },
    );
    const { tensors, metadata } = readSafetensors(bytes);
    expect([...tensors.keys()]).toEqual(['wide', 'flag']);
    expect(tensors.get('wide')?.data[0]).toBe(0.1);
    expect(metadata).toEqual({ a: '2', z: '1' });
    expect(Number(new DataView(bytes.buffer).getBigUint64(0, true)) % 8).toBe(0);
  });

  it.each([
    ['a cut file', Uint8Array.of(1, 2)],
    ['a header longer than the file', safetensors({}).subarray(0, 9)],
    ['a header that is not JSON', safetensors('{nope')],
    ['a header that is no object', safetensors('[1]')],
    ['data past the end', safetensors({ a: entry(0, 4) }, 2)],
    ['a hole', safetensors({ a: entry(4, 8) }, 8)],
    ['an overlap', safetensors({ a: entry(0, 4), b: entry(0, 4) }, 4)],
    ['an end before its start', safetensors({ a: entry(0, -4) }, 4)],
    ['bytes that nobody owns', safetensors({ a: entry(0, 4) }, 8)],
    ['a shape of another size', safetensors({ a: entry(0, 4, [2]) }, 4)],
    ['an overflowing shape', safetensors({ a: entry(0, 4, [2 ** 31, 2 ** 31, 4]) }, 4)],
    ['an unknown type', safetensors({ a: entry(0, 4, [1], 'F8') }, 4)],
    ['metadata that is not text', safetensors({ __metadata__: { a: 1 } })],
  ])('refuses %s', (_, bytes) => {
    expect(() => readSafetensors(bytes)).toThrow(TensorFormatError);
  });
});
