/**
 * Windows: the installer (Squirrel) starts the application for a moment after installing, updating and before removing
 * it, to set up what belongs to it: shortcuts, and which files it opens. Only keys of the current user are written.
 */
import { spawnSync } from 'node:child_process';
import { basename, win32 } from 'node:path';
import { openedFiles } from '../engine/api/shell.ts';

export type Command = readonly [program: string, ...args: string[]];

const classes = 'HKCU\\Software\\Classes';
const programId = 'Archetone.Library';
const checkpointId = 'Archetone.Checkpoint';

/** @param program the starter beside the versions, which stays where it is when a version goes */
function associations(program: string): Command[] {
  const set = (key: string, value: string, name?: string): Command => [
    ...(['reg', 'add', `${classes}\\${key}`] as const),
    ...(name === undefined ? ['/ve'] : ['/v', name]),
    ...['/d', value, '/f'],
  ];
  const kind = (id: string, title: string): Command[] => [
    set(id, title),
    set(`${id}\\DefaultIcon`, `"${program}",0`),
    set(`${id}\\shell\\open\\command`, `"${program}" "%1"`),
  ];
  return [
    ...kind(programId, 'Archetone library'),
    ...kind(checkpointId, 'Checkpoint of a model'),
    ...openedFiles.library.map((ending) => set(`.${ending}`, programId)),
    // Other programs write checkpoints, too: offered, never taken from them.
    ...openedFiles.checkpoint.map((ending) => set(`.${ending}\\OpenWithProgids`, '', checkpointId)),
  ];
}

function removals(): Command[] {
  const remove = (key: string, name?: string): Command => [
    ...(['reg', 'delete', `${classes}\\${key}`] as const),
    ...(name === undefined ? [] : ['/v', name]),
    '/f',
  ];
  return [
    ...[programId, checkpointId].map((id) => remove(id)),
    ...openedFiles.library.map((ending) => remove(`.${ending}`)),
    ...openedFiles.checkpoint.map((ending) => remove(`.${ending}\\OpenWithProgids`, checkpointId)),
  ];
}

/**
 * What to run for the installer; null where it did not start this.
 * @param execPath of this version, in its own folder below that of `Update.exe`
 */
export function installerCommands(argv: readonly string[], execPath: string): Command[] | null {
  const folder = win32.dirname(win32.dirname(execPath));
  const name = win32.basename(execPath);
  const update = win32.join(folder, 'Update.exe');
  switch (argv[1]) {
    case '--squirrel-install':
    case '--squirrel-updated':
      return [[update, `--createShortcut=${name}`], ...associations(win32.join(folder, name))];
    case '--squirrel-uninstall':
      return [[update, `--removeShortcut=${name}`], ...removals()];
    case '--squirrel-obsolete':
      return [];
    default:
      return null;
  }
}

/** Does what the installer asks for. @returns whether it did ask: then nothing else is to be done */
export function servedInstaller(): boolean {
  const commands = process.platform === 'win32' ? installerCommands(process.argv, process.execPath) : null;
  for (const [program, ...args] of commands ?? []) {
    const { error, status } = spawnSync(program, args, { windowsHide: true });
    if (error || status !== 0) console.error(`${basename(program)} ${args.join(' ')} did not succeed.`);
  }
  return commands !== null;
}
