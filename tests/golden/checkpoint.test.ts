import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { checkpointSource, openCheckpoint, type Checkpoint } from '../../models/checkpoint/index.ts';
import { sharedFolder } from '../support/shared.ts';

const folder = sharedFolder('golden/pecmae/ckpt');

describe.skipIf(folder.missing)('checkpoints that PyTorch wrote', () => {
  const open = (name: string): Promise<Checkpoint> => openCheckpoint(folder.path(name));

  it.each([
    'encodec_tiny.th',
    'encodec_tiny_torch1x.th',
    'encodec_tiny_cudaflat.th',
    'encodec_tiny_legacy.th',
  ])('%s holds the tensors of the safetensors dump, bit for bit', async (name) => {
    const [checkpoint, dump] = await Promise.all([open(name), open('encodec_tiny.safetensors')]);
    expect([...checkpoint.tensors.keys()].sort()).toEqual([...dump.tensors.keys()].sort());
    expect(dump.tensors.size).toBe(140);
    for (const key of dump.tensors.keys()) {
      const [found, expected] = await Promise.all([checkpoint.read(key), dump.read(key)]);
      expect(found.shape).toEqual(expected.shape);
      expect(found.dtype).toBe(expected.dtype);
      expect(Buffer.from(bytesOf(found.data)).equals(bytesOf(expected.data))).toBe(true);
    }
    expect(checkpoint.refused).toEqual([]);
    await Promise.all([checkpoint.close(), dump.close()]);
  });

  it('reads views into one flat buffer at their offsets', async () => {
    const checkpoint = await open('encodec_tiny_cudaflat.th');
    const infos = [...checkpoint.tensors.values()];
    expect(new Set(infos.map(({ storage }) => storage.key)).size).toBe(126);
    expect(infos.some(({ storage }) => storage.offset > 0)).toBe(true);
    await checkpoint.close();
  });

  it.each([
    ['mixed_tensors.pt', 'torch-zip'],
    ['mixed_tensors_proto4.pt', 'torch-zip'],
    ['mixed_tensors_legacy.pt', 'torch-legacy'],
  ])('%s: strides, scalars, empty tensors and every element type', async (name, container) => {
    const checkpoint = await open(name);
    const expected = JSON.parse(await readFile(folder.path('mixed_tensors.expected.json'), 'utf8')) as Record<
      string,
      { shape: number[]; dtype: string; values: number[] }
    >;
    expect(checkpoint.container).toBe(container);
    expect([...checkpoint.tensors.keys()].sort()).toEqual(Object.keys(expected).sort());
    for (const [key, want] of Object.entries(expected)) {
      const { dtype, shape, data } = await checkpoint.read(key);
      expect([key, `torch.${dtype}`, shape]).toEqual([key, want.dtype, want.shape]);
      expect([key, Array.from(data as Float32Array, Number)]).toEqual([key, want.values]);
    }
    await checkpoint.close();
  });

  it.each([
    ['diffae_tiny/weights.pt', 199, 183],
    ['diffae_tiny/lightning.ckpt', 199, 183],
    ['ecmae_v1_tiny/model.pt', 137, 129],
    ['ecmae_v2_tiny/mel256-tiny.pt', 138, 130],
    ['protonet_tiny/lightning.ckpt', 15, 15],
    ['regressor_tiny/weights_v1.pt', 154, 146],
    ['regressor_tiny/weights_v2layout.pt', 155, 155],
  ])('%s: names come from its state dict, shared storages are told', async (name, count, storages) => {
    const checkpoint = await open(name);
    const source = checkpointSource(checkpoint);
    const names = source.names();
    expect(names.length).toBe(count);
    expect(new Set(names.map((key) => source.identity(key))).size).toBe(storages);
    expect(checkpoint.refused).toEqual([]);
    for (const key of names) {
      const values = await source.read(key);
      expect(values.length).toBe(source.shape(key).reduce((product, size) => product * size, 1));
    }
    await checkpoint.close();
  });

  it('loads the good tensor beside a call of os.system, runs nothing and says so', async () => {
    const checkpoint = await open('hostile_reduce_os_system.pt');
    expect(Array.from((await checkpoint.read('a')).data as Float32Array)).toEqual([1, 1]);
    expect(checkpoint.refused).toEqual([{ global: 'posix.system', offset: 196 }]);
    await checkpoint.close();
  });
});

function bytesOf(data: ArrayBufferView): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
