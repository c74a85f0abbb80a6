import { describe, expect, it } from 'vitest';
import type { Mistake, MistakeDecision } from '../../engine/api/mistakes.ts';
import { EngineError } from '../../engine/api/errors.ts';
import { canAccept, labelsOfKey, numbered, strongestOf } from '../../renderer/src/mistakes/keys.ts';
import { Mistakes } from '../../renderer/src/mistakes/mistakes.svelte.ts';
import { waveOutline } from '../../renderer/src/mistakes/wave.ts';
import { sharedRange } from '../../renderer/src/why/waterfall.ts';
import { History } from '../../renderer/src/session/history.svelte.ts';
import { FakeEngine, job, trackRow } from './fake.ts';

const mistake = (index: number, changes: Partial<Mistake> = {}): Mistake => ({
  ...{
    id: `m${String(index)}`,
    tab: 'likely-wrong',
    track: trackRow(index),
    given: 'bass',
    suggested: 'drum',
  },
  ...{ margin: -0.5, confidence: 0.1, neighbours: [], fold: 0, nearestGiven: null, nearestSuggested: null },
  ...{ others: [], queued: false, reason: 'r' },
  ...changes,
});

/** Three mistakes, and an engine that keeps what is decided of them. */
async function opened(refuse = false, slow: { list?: number; decide?: number } = {}) {
  const all = [0, 1, 2].map((index) => mistake(index));
  const decisions: Pick<MistakeDecision, 'id' | 'path'>[] = [];
  let next = 1;
  const after = async <T>(ms: number | undefined, answer: () => T): Promise<T> => {
    if (ms !== undefined) await new Promise((resolve) => setTimeout(resolve, ms));
    return answer();
  };
  const engine = new FakeEngine({
    'mistakes.compute': () => ({ jobId: 'J1' }),
    'mistakes.report': () => null,
    'mistakes.list': () => {
      const left = all.filter(({ id }) => decisions.every(({ path }) => path !== id));
      // What was read is told late: by the time it comes more may have been decided. Later lists come sooner.
      const ms = slow.list;
      if (slow.list !== undefined) slow.list = Math.max(0, slow.list - 15);
      return after(ms, () => ({ total: left.length, mistakes: left }));
    },
    'mistakes.decide': ({ mistakeId }: { mistakeId: string }) => {
      if (refuse) throw new EngineError('bad-input', 'no', 'hint');
      const made = { id: next++, path: mistakeId };
      return after(slow.decide, () => {
        decisions.push(made);
        return made;
      });
    },
    'mistakes.decisions': () => [...decisions],
    'mistakes.undo': () => decisions.pop() ?? null,
  });
  const history = new History();
  const mistakes = new Mistakes('L1', engine, { wait: () => Promise.resolve(job()) }, history);
  await mistakes.open('X1');
  const ids = (): string[] => mistakes.list.map(({ id }) => id);
  return { all, decisions, engine, history, mistakes, ids, second: mistake(1) };
}

describe('mistakes', () => {
  it('go on to the next when one is decided, and come back by undo', async () => {
    const { mistakes, history, ids, second, decisions } = await opened();
    expect(mistakes.currentId).toBe('m0');
    mistakes.currentId = 'm1';
    await mistakes.decide(second, 'accept');
    expect(ids()).toEqual(['m0', 'm2']);
    expect(mistakes.currentId).toBe('m2');
    await history.undo();
    expect(ids()).toEqual(['m0', 'm1', 'm2']);
    expect(mistakes.currentId).toBe('m1');
    await history.redo();
    await history.undo();
    expect(decisions).toEqual([]);
  });

  it('stay away while they are decided, whatever list was read before', async () => {
    const slow = { decide: 20 };
    const { mistakes, ids, all } = await opened(false, slow);
    const deciding = mistakes.decide(all[0] ?? mistake(0), 'keep');
    await mistakes.reload();
    expect(ids()).toEqual(['m1', 'm2']);
    await deciding;
    expect(ids()).toEqual(['m1', 'm2']);
  });

  it('come back in the order of the decisions, however late their lists are read', async () => {
    const slow: { list?: number } = {};
    const { mistakes, history, all, decisions, ids } = await opened(false, slow);
    slow.list = 30;
    await Promise.all(all.slice(0, 2).map((own) => mistakes.decide(own, 'keep')));
    expect(history.past.map(({ title }) => title.split(' ').at(-1))).toEqual(
      all.slice(0, 2).map(({ track }) => track.title.split(' ').at(-1)),
    );
    await Promise.all([history.undo(), history.undo()]);
    expect(decisions).toEqual([]);
    expect(ids()).toEqual(['m0', 'm1', 'm2']);
  });

  it('come back when the engine refuses, and leave nothing to undo', async () => {
    const { mistakes, history, ids, second } = await opened(true);
    await expect(mistakes.decide(second, 'accept')).rejects.toThrow('no');
    expect(ids()).toEqual(['m0', 'm1', 'm2']);
    expect(history.past).toEqual([]);
  });

  it('never take back a decision that was made elsewhere', async () => {
    const { mistakes, history, second, decisions } = await opened();
    await mistakes.decide(second, 'keep');
    decisions.push({ id: 99, path: 'm0' });
    await expect(history.undo()).rejects.toThrow('Something else was decided');
    expect(decisions.map(({ id }) => id)).toEqual([1, 99]);
  });

  it('take back decisions of earlier sessions, and stay within the list', async () => {
    const { mistakes, decisions, ids } = await opened();
    decisions.push({ id: 7, path: 'm0' });
    await mistakes.reload();
    expect(mistakes.beside(-5)?.id).toBe('m1');
    expect(mistakes.beside(5)?.id).toBe('m2');
    expect((await mistakes.undoKept())?.id).toBe(7);
    expect(ids()).toEqual(['m0', 'm1', 'm2']);
    expect(await mistakes.undoKept()).toBeNull();
  });

  it('can be accepted where there is something to accept', () => {
    expect(canAccept(mistake(0))).toBe(true);
    expect(canAccept(mistake(0, { given: null }))).toBe(true);
    expect(canAccept(mistake(0, { given: null, suggested: null }))).toBe(false);
    expect(canAccept(mistake(0, { tab: 'left-out' }))).toBe(false);
  });

  it('play the prototype that weighs most for its own class', () => {
    const prototypes = [
      { class: 'bass', weight: 9 },
      { class: 'drum', weight: 2 },
      { class: 'drum', weight: 3 },
    ];
    expect(strongestOf(prototypes, 'drum')).toBe(prototypes[2]);
    expect(strongestOf(prototypes, 'piano')).toBeNull();
  });

  it('are labelled by number keys, and like the last one by the full stop', () => {
    const counted = Array.from({ length: 12 }, (_, i) => ({
      name: `class ${String(11 - i).padStart(2, '0')}`,
      tracks: i,
    }));
    const keyed = numbered(counted);
    // The nine most frequent, by name: the last in the alphabet has no track.
    expect(keyed).toEqual(Array.from({ length: 9 }, (_, i) => `class ${String(i).padStart(2, '0')}`));
    expect(labelsOfKey('2', keyed, null)).toEqual(['class 01']);
    expect(labelsOfKey('0', keyed, null)).toBeNull();
    expect(labelsOfKey('9', keyed.slice(0, 3), null)).toBeNull();
    expect(labelsOfKey('.', keyed, ['a', 'b'])).toEqual(['a', 'b']);
    expect(labelsOfKey('.', keyed, null)).toBeNull();
  });

  it('can be undone as soon as the row is gone', async () => {
    const { mistakes, history, ids, second } = await opened();
    const done = mistakes.decide(second, 'keep');
    expect(ids()).toEqual(['m0', 'm2']);
    expect(history.past).toHaveLength(0);
    await mistakes.settled;
    expect(history.past).toHaveLength(1);
    await done;
  });

  it('remember the label that was set last', async () => {
    const { mistakes, second } = await opened();
    await mistakes.decide(second, 'change', ['piano']);
    expect(mistakes.last).toEqual(['piano']);
    await mistakes.decide(mistake(2), 'accept');
    expect(mistakes.last).toEqual(['drum']);
    await mistakes.decide(mistake(0), 'keep');
    expect(mistakes.last).toEqual(['drum']);
  });

  it('hide the copies of a track in one step, and take only those back that it hid', async () => {
    const others = [trackRow(5), trackRow(6)];
    const group = mistake(0, { tab: 'near-duplicates', given: null, suggested: null, others });
    const left: unknown[] = [];
    let open = true;
    const engine = new FakeEngine({
      'mistakes.report': () => null,
      'mistakes.list': () => ({ total: 1, mistakes: open ? [group] : [] }),
      'mistakes.decide': () => {
        open = false;
        return { id: 1 };
      },
      'mistakes.decisions': () => [{ id: 1 }],
      'mistakes.undo': () => {
        open = true;
        return { id: 1 };
      },
      // One of them was left out before.
      'tracks.leaveOut': ({ trackIds, leftOut }: { trackIds: string[]; leftOut: boolean }) => {
        left.push([trackIds, leftOut]);
        return { changed: trackIds.slice(-1) };
      },
    });
    const history = new History();
    const mistakes = new Mistakes('L1', engine, { wait: () => Promise.resolve(job()) }, history);
    await mistakes.open('X1');
    await mistakes.hide(group);
    expect(mistakes.list).toEqual([]);
    await history.undo();
    expect(mistakes.list).toHaveLength(1);
    const [first, last] = others.map(({ id }) => id);
    expect(left).toEqual([
      [[first, last], true],
      [[last], false],
    ]);
  });

  it('give copies back when hiding is refused, and keep one that is learned from', async () => {
    const others = [trackRow(5), trackRow(6)];
    // The track that stands for the group is left out already: the first copy is the one to keep.
    const track = trackRow(0, { leftOut: true });
    const group = mistake(0, { tab: 'near-duplicates', given: null, suggested: null, track, others });
    const left: unknown[] = [];
    const engine = new FakeEngine({
      'mistakes.report': () => null,
      'mistakes.list': () => ({ total: 1, mistakes: [group] }),
      'mistakes.decide': () => {
        throw new EngineError('not-found', 'gone', 'hint');
      },
      'tracks.leaveOut': ({ trackIds, leftOut }: { trackIds: string[]; leftOut: boolean }) => {
        left.push([trackIds, leftOut]);
        return { changed: trackIds };
      },
    });
    const history = new History();
    const mistakes = new Mistakes('L1', engine, { wait: () => Promise.resolve(job()) }, history);
    await mistakes.open('X1');
    await expect(mistakes.hide(group)).rejects.toThrow('gone');
    const last = others[1]?.id;
    expect(left).toEqual([
      [[last], true],
      [[last], false],
    ]);
    expect(mistakes.list).toHaveLength(1);
    expect(history.past).toEqual([]);
  });

  it('stay as they were when looking is cancelled', async () => {
    const { engine, history } = await opened();
    const wait = () => Promise.reject(new EngineError('cancelled', 'cancelled', ''));
    const mistakes = new Mistakes('L1', engine, { wait }, history);
    await mistakes.open('X1');
    await expect(mistakes.look('X1')).rejects.toMatchObject({ code: 'cancelled' });
    expect(mistakes.list).toHaveLength(3);
    expect(mistakes.currentId).toBe('m0');
  });

  it('ask again for a waveform that was not there yet, and once for one that was', async () => {
    const answers = [null, { values: new Float32Array([-1, 1]) }];
    let asked = 0;
    const engine = new FakeEngine({ 'tracks.peaks': () => answers[asked++] });
    const mistakes = new Mistakes('L1', engine, { wait: () => Promise.resolve(job()) }, new History());
    expect(await mistakes.peaks('t0')).toBeNull();
    expect(await mistakes.peaks('t0')).toBe(answers[1]);
    expect(await mistakes.peaks('t0')).toBe(answers[1]);
    expect(asked).toBe(2);
  });

  it('draw waveforms as one outline, the loudest part as high as the box', () => {
    expect(waveOutline([-0.5, 0.5, -0.25, 0.1])).toBe('M25.0 0.0L75.0 8.0L75.0 15.0L25.0 20.0Z');
    expect(waveOutline([])).toBe('');
    expect(waveOutline(new Float32Array(4))).not.toContain('NaN');
  });

  it('put two explanations on one axis', () => {
    const explanation = (bias: number, logit: number) => ({
      ...{ trackId: 't', experimentId: 'e', class: 'c', windowIndex: null, probability: 0.5 },
      ...{ bias, logit, contributions: [], scores: [] },
    });
    expect(sharedRange([explanation(-2, -2), explanation(3, 3)])).toEqual({ low: -2, high: 3 });
    expect(sharedRange([])).toEqual({ low: 0, high: 0 });
  });
});
