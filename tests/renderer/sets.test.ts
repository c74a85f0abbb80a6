import { describe, expect, it } from 'vitest';
import { EngineError } from '../../engine/api/errors.ts';
import { History } from '../../renderer/src/session/history.svelte.ts';
import { TrackSets } from '../../renderer/src/session/sets.svelte.ts';
import { FakeEngine } from './fake.ts';

/** An engine that keeps sets, each under an id of its own. */
function keeper(): { engine: FakeEngine; kept: Map<string, { name: string; trackIds: string[] }> } {
  const kept = new Map<string, { name: string; trackIds: string[] }>();
  let made = 0;
  const get = (setId: string) => {
    const set = kept.get(setId);
    if (!set) throw new EngineError('not-found', 'There is no such set.');
    return set;
  };
  const engine = new FakeEngine({
    'sets.list': () => [...kept].map(([id, { name, trackIds }]) => ({ id, name, tracks: trackIds.length })),
    'sets.save': ({ name, trackIds }: { name: string; trackIds: string[] }) => {
      const id = `S${String(++made)}`;
      kept.set(id, { name, trackIds });
      return { id, name, tracks: trackIds.length };
    },
    'sets.rename': ({ setId, name }: { setId: string; name: string }) => {
      get(setId).name = name;
    },
    'sets.remove': ({ setId }: { setId: string }) => {
      const { trackIds } = get(setId);
      kept.delete(setId);
      return { trackIds };
    },
    'sets.change': ({
      setId,
      trackIds,
      include,
    }: {
      setId: string;
      trackIds: string[];
      include: boolean;
    }) => {
      const set = get(setId);
      const changed = trackIds.filter((id) => set.trackIds.includes(id) !== include);
      set.trackIds = include
        ? [...set.trackIds, ...changed]
        : set.trackIds.filter((id) => !changed.includes(id));
      return { changed };
    },
  });
  return { engine, kept };
}

describe('sets of tracks', () => {
  it('are taken back and done again step by step, also where a set came back under another id', async () => {
    const { engine, kept } = keeper();
    const history = new History();
    const sets = new TrackSets('L1', engine, history);
    const saved = await sets.save('Soft', ['a']);
    expect(await sets.change(saved, ['a', 'b'], true)).toBe(1);
    await sets.rename(saved, 'Quiet');
    const [present] = sets.list;
    if (!present) throw new Error('no set');
    await sets.remove(present);
    const now = (): { name: string; trackIds: string[] }[] => [...kept.values()];
    const states = [[], [{ name: 'Soft', trackIds: ['a'] }], [{ name: 'Soft', trackIds: ['a', 'b'] }]];
    const last = [{ name: 'Quiet', trackIds: ['a', 'b'] }];
    for (let round = 0; round < 2; round++) {
      expect(now()).toEqual([]);
      for (const before of [last, states[2], states[1], states[0]]) {
        await history.undo();
        expect(now()).toEqual(before);
      }
      for (const after of [states[1], states[2], last, []]) {
        await history.redo();
        expect(now()).toEqual(after);
      }
    }
    expect(history.past).toHaveLength(4);
  });
});
