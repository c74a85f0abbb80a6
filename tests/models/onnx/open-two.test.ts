import { expect, it, vi } from 'vitest';
import { openTwo } from '../../../models/onnx/open-two.ts';
import { InferenceSession } from '../../../models/onnx/runtime.ts';

it('keeps no session where the second cannot be opened, or what is to hold them fails', async () => {
  const released: string[] = [];
  const create = vi.spyOn(InferenceSession, 'create').mockImplementation(((model: Uint8Array) =>
    model.length === 0
      ? Promise.reject(new Error('no model'))
      : Promise.resolve({
          release: () => {
            released.push(String(model[0]));
            return Promise.resolve();
          },
        })) as typeof InferenceSession.create);
  try {
    const [one, two, none] = [Uint8Array.of(1), Uint8Array.of(2), new Uint8Array()];
    await expect(openTwo([one, none], {}, () => 1)).rejects.toThrow('no model');
    expect(released.splice(0)).toEqual(['1']);
    const fail = (): never => {
      throw new RangeError('of another size');
    };
    await expect(openTwo([one, two], {}, fail)).rejects.toThrow('of another size');
    expect(released.splice(0)).toEqual(['1', '2']);
    expect(await openTwo([one, two], {}, (sessions) => sessions.length)).toBe(2);
    expect(released).toEqual([]);
  } finally {
    create.mockRestore();
  }
});
