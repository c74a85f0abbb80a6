import { commandList } from './command-list.ts';
import type { CommandId, CommandInfo } from './command-list.ts';

export type CommandHandlers = Record<CommandId, () => unknown>;

interface Chord {
  mod: boolean;
  alt: boolean;
  shift: boolean;
  key: string;
}

/** “Mod+Shift+Z” in its parts; the sign + is a key, too. */
const partsOf = (text: string): string[] => text.split(/\+(?!$)/);

function parse(text: string): Chord {
  const parts = partsOf(text);
  const key = parts.at(-1) ?? '';
  return {
    mod: parts.includes('Mod'),
    alt: parts.includes('Alt'),
    shift: parts.includes('Shift'),
    key: key === 'Space' ? ' ' : key.toLowerCase(),
  };
}

type KeyPress = Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey'>;

function matches(press: KeyPress, chord: Chord, mac: boolean): boolean {
  const mod = mac ? press.metaKey : press.ctrlKey;
  const other = mac ? press.ctrlKey : press.metaKey;
  // A sign such as “?” needs Shift on some keyboards and not on others; letters and named keys say it exactly.
  const sign = chord.key.length === 1 && !/[a-z ]/.test(chord.key);
  return (
    press.key.toLowerCase() === chord.key &&
    mod === chord.mod &&
    !other &&
    press.altKey === chord.alt &&
    (sign || press.shiftKey === chord.shift)
  );
}

/** The command a key press stands for, or null. */
export function commandOf(press: KeyPress, mac: boolean): CommandId | null {
  const found = commandList.find((command) => command.keys.some((key) => matches(press, parse(key), mac)));
  return found?.id ?? null;
}

const names: Record<string, string> = {
  ArrowLeft: '←',
  ArrowRight: '→',
  ArrowUp: '↑',
  ArrowDown: '↓',
  Escape: 'Esc',
};

/** The keys of a command as they are printed on a keyboard. */
export function keyCaps(key: string, mac: boolean): string[] {
  return partsOf(key).map((part) => {
    if (part === 'Mod') return mac ? '⌘' : 'Ctrl';
    if (part === 'Alt') return mac ? '⌥' : 'Alt';
    if (part === 'Shift') return mac ? '⇧' : 'Shift';
    return names[part] ?? (part.length === 1 ? part.toUpperCase() : part);
  });
}

const typing =
  'input:not([type=checkbox]):not([type=radio]):not([type=range]), textarea, select, [contenteditable]';
const activated = 'button, a[href], summary, input, [role=button], [role=tab], [role=slider]';

/** Whether a focused control keeps this key press for itself. */
export function keptByControl(press: KeyPress, target: EventTarget | null): boolean {
  if (!(target instanceof Element)) return false;
  if (target.closest('[role=dialog]') !== null) return true;
  if (target.closest(typing) !== null) {
    // Fields have their own undo; a menu chord such as Mod+O still works while typing.
    const chord = press.ctrlKey || press.metaKey;
    return !chord || /^[zyaxcv]$/i.test(press.key);
  }
  if (press.key === ' ' || press.key === 'Enter') return target.closest(activated) !== null;
  return false;
}

export function isCommandId(id: string): id is CommandId {
  return commandList.some((command: CommandInfo) => command.id === id);
}
