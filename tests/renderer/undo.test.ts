import { describe, expect, it } from 'vitest';
import { History } from '../../renderer/src/session/history.svelte.ts';
import { undoAction } from '../../renderer/src/session/undo.ts';
import { Notices } from '../../renderer/src/shell/notices.svelte.ts';

describe('Undo in a notice', () => {
  it('takes back its own edit only, never what was done since', async () => {
    const [history, notices] = [new History(), new Notices()];
    const undone: string[] = [];
    const step = (title: string) => ({
      title,
      undo: () => Promise.resolve(undone.push(title)),
      redo: () => Promise.resolve(),
    });
    const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));
    history.push(step('first'));
    const first = undoAction({ history, notices });
    history.push(step('second'));
    const second = undoAction({ history, notices });
    first.run();
    await settle();
    expect(undone).toEqual([]);
    expect(notices.list.at(-1)?.message).toBe('“second” was done since.');
    second.run();
    await settle();
    // Pressed twice, it takes nothing else back.
    history.push(step('third'));
    const third = undoAction({ history, notices });
    third.run();
    third.run();
    await settle();
    expect(undone).toEqual(['second', 'third']);
    undone.pop();
    first.run();
    await settle();
    expect(undone).toEqual(['second', 'first']);
    first.run();
    await settle();
    expect(undone).toEqual(['second', 'first']);
    expect(notices.list.at(-1)?.message).toBe('That is undone already.');
    notices.clear();
  });

  it('leaves what is done while a step is being taken back', async () => {
    const history = new History();
    const idle = (): Promise<void> => Promise.resolve();
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    history.push({ title: 'first', undo: () => gate, redo: idle });
    const undoing = history.undo();
    history.push({ title: 'second', undo: idle, redo: idle });
    open();
    await undoing;
    expect(history.past.map(({ title }) => title)).toEqual(['second']);
  });
});
