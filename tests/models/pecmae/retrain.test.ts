import { describe, expect, it } from 'vitest';
import { applyEdit } from '../../../models/pecmae/edits.ts';
import { columnsOf, sameColumn } from '../../../models/pecmae/columns.ts';
import { retrainPrototypeNetwork } from '../../../models/pecmae/retrain.ts';
import { defaultTrainParameters, trainPrototypeNetwork } from '../../../models/pecmae/trainer.ts';
import { mixture } from '../../support/mixture.ts';

const signal = new AbortController().signal;
const parameters = { ...defaultTrainParameters, prototypesPerClass: 2, steps: 40, batchSize: 32 };
const train = mixture(1, 20);
const validation = mixture(2, 8);

const trained = async () =>
  (await trainPrototypeNetwork(train, validation, { ...parameters, steps: 20 }, { signal })).network;

describe('retraining around frozen prototypes', () => {
  it.each(['none', 'nearest'] as const)(
    'leaves them as they are to the bit, projection %s',
    async (projection) => {
      const start = applyEdit(await trained(), { kind: 'freeze', indices: [0, 3], frozen: true });
      const again = () =>
        retrainPrototypeNetwork(start, train, validation, { ...parameters, projection }, { signal });
      const { network } = await again();
      const [before, after] = [columnsOf(start), columnsOf(network)];
      const same = before.map((column, k) => {
        const now = after[k];
        return now !== undefined && sameColumn(column, now);
      });
      expect(same).toEqual([true, false, false, true, false, false]);
      expect(Buffer.from((await again()).network.toBytes()).equals(Buffer.from(network.toBytes()))).toBe(
        true,
      );
    },
  );

  it('takes up a network whose classes have different numbers of prototypes, and does not get worse', async () => {
    const start = applyEdit(applyEdit(await trained(), { kind: 'remove', index: 1 }), {
      ...{ kind: 'freeze', indices: [0], frozen: true },
    });
    const { network, curve } = await retrainPrototypeNetwork(start, train, validation, parameters, {
      signal,
    });
    expect(network.prototypeCount).toBe(5);
    expect([...network.data.prototypeClasses]).toEqual([...start.data.prototypeClasses]);
    expect(curve.at(-1)?.validation?.accuracy).toBeGreaterThan(0.9);
  });

  it('refuses where nothing can move', async () => {
    const network = await trained();
    const indices = Array.from({ length: network.prototypeCount }, (_, k) => k);
    const start = applyEdit(network, { kind: 'freeze', indices, frozen: true });
    await expect(
      retrainPrototypeNetwork(start, train, validation, parameters, { signal }),
    ).rejects.toMatchObject({ code: 'parameters' });
  });
});
