import { describe, expect, it } from 'vitest';
import { commandList, menuAccelerator, viewIds } from '../../renderer/src/shell/command-list.ts';
import type { CommandInfo } from '../../renderer/src/shell/command-list.ts';
import { commandOf, keyCaps } from '../../renderer/src/shell/commands.ts';

const commands: readonly CommandInfo[] = commandList;
const press = (key: string, modifiers: Partial<KeyboardEvent> = {}) => ({
  key,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  shiftKey: false,
  ...modifiers,
});

describe('commands', () => {
  it('have unique ids and unique keys', () => {
    const ids = commands.map((command) => command.id);
    const keys = commands.flatMap((command) => command.keys);
    expect(new Set(ids).size).toBe(ids.length);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('reach the views by digits in their order, and the others by letters', () => {
    const keyOf = (view: string): string =>
      commandList.find(({ id }) => id === `view.${view}`)?.keys[0] ?? '';
    const digits = viewIds.map(keyOf).filter((key) => /\d/.test(key));
    expect(digits).toEqual(['1', '2', '3', '4', '5', '6', '7', '8', '9']);
    for (const view of viewIds) expect(commandOf(press(keyOf(view)), false)).toBe(`view.${view}`);
  });

  it('read Mod as Cmd on macOS and as Ctrl elsewhere', () => {
    expect(commandOf(press('o', { ctrlKey: true }), false)).toBe('library.open');
    expect(commandOf(press('o', { ctrlKey: true }), true)).toBeNull();
    expect(commandOf(press('o', { metaKey: true }), true)).toBe('library.open');
  });

  it('tell undo from redo by Shift', () => {
    expect(commandOf(press('z', { ctrlKey: true }), false)).toBe('edit.undo');
    expect(commandOf(press('Z', { ctrlKey: true, shiftKey: true }), false)).toBe('edit.redo');
  });

  it('find signs whether or not the keyboard needs Shift for them', () => {
    expect(commandOf(press('?', { shiftKey: true }), false)).toBe('help.shortcuts');
    expect(commandOf(press('/'), false)).toBe('edit.search');
  });

  it('leave other keys alone', () => {
    expect(commandOf(press('q'), false)).toBeNull();
    expect(commandOf(press('1', { ctrlKey: true }), false)).toBeNull();
  });

  it('give menus only keys with a modifier, and those that no field types', () => {
    expect(commands.map(menuAccelerator).filter(Boolean)).toContain('CmdOrCtrl+O');
    for (const command of commands)
      expect(menuAccelerator(command) ?? 'CmdOrCtrl+').toMatch(/^(CmdOrCtrl\+|F\d)/);
  });

  it('print keys as keyboards do', () => {
    expect(keyCaps('Mod+Shift+Z', true)).toEqual(['⌘', '⇧', 'Z']);
    expect(keyCaps('Alt+ArrowLeft', false)).toEqual(['Alt', '←']);
  });
});
