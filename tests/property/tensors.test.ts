import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  dtypes,
  elementCount,
  fromBytes,
  readNpy,
  readNpz,
  readSafetensors,
  TensorFormatError,
  toBytes,
  writeNpy,
  writeNpz,
  writeSafetensors,
  type Dtype,
  type NumericArray,
} from '../../models/tensors/index.ts';

const array: fc.Arbitrary<NumericArray> = fc
  .tuple(
    fc.constantFrom(...(Object.keys(dtypes) as Dtype[])),
    fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 3 }),
  )
  .chain(([dtype, shape]) => {
    const length = elementCount(shape) * dtypes[dtype].bytes;
    return fc
      .uint8Array({ minLength: length, maxLength: length })
      .map((bytes) => ({ dtype, shape, data: fromBytes(dtype, bytes) }));
  });

function expectSame(
  actual: { dtype: string; shape: number[]; data: unknown } | undefined,
  expected: NumericArray,
): void {
  expect(actual?.dtype).toBe(expected.dtype);
  expect(actual?.shape).toEqual(expected.shape);
  // By bytes: NaNs of any payload have to survive.
  expect(Buffer.from(toBytes(actual?.data as Float32Array))).toEqual(Buffer.from(toBytes(expected.data)));
}

describe('tensor files, any content', () => {
  it('come back from .npy as they went', () => {
    fc.assert(fc.property(array, (a) => expectSame(readNpy(writeNpy(a)), a)));
  });

  it('come back from .npz and safetensors as they went', () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9._]{0,8}$/);
    fc.assert(
      fc.property(fc.dictionary(name, array, { maxKeys: 4 }), (arrays) => {
        const npz = readNpz(writeNpz(arrays));
        const { tensors } = readSafetensors(writeSafetensors(arrays));
        expect([npz.size, tensors.size]).toEqual([Object.keys(arrays).length, Object.keys(arrays).length]);
        for (const [key, a] of Object.entries(arrays)) {
          expectSame(npz.get(key), a);
          expectSame(tensors.get(key), a);
        }
      }),
    );
  });

  it('fail with their own error, and no other, when damaged', () => {
    const good = { a: { dtype: 'float32' as const, shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) } };
    const files = [
      { bytes: writeNpy(good.a), read: readNpy },
      { bytes: writeNpz(good), read: readNpz },
      { bytes: writeSafetensors(good), read: readSafetensors },
    ];
    const damage = fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 3 });
    fc.assert(
      fc.property(fc.constantFrom(...files), damage, fc.option(fc.nat(400)), (file, edits, cut) => {
        const bytes = file.bytes.slice(0, cut ?? undefined);
        for (const [at, value] of edits) bytes[at % Math.max(1, bytes.length)] = value;
        try {
          file.read(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(TensorFormatError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
