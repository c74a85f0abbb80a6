import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { openedAt, openedBy } from '../../electron/opening.ts';
import { installerCommands } from '../../electron/squirrel.ts';
import { temporaryFolder } from '../support/temporary.ts';

describe('what the system asks to open', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await temporaryFolder();
    mkdirSync(join(folder, 'music'));
    for (const name of ['library.archetone', 'model.CKPT', 'notes.txt'])
      writeFileSync(join(folder, name), '{}');
  });

  it('is told by what a path is', () => {
    expect(openedAt(join(folder, 'music'))).toEqual({ kind: 'folder', path: join(folder, 'music') });
    expect(openedAt(join(folder, 'library.archetone'))).toEqual({ kind: 'library', path: folder });
    expect(openedAt(join(folder, 'model.CKPT'))).toEqual({
      kind: 'checkpoint',
      path: join(folder, 'model.CKPT'),
    });
    expect(openedAt(join(folder, 'notes.txt'))).toBeNull();
    expect(openedAt(join(folder, 'not-there.archetone'))).toBeNull();
  });

  it('is the first path of a command line that is not the application itself', () => {
    const argv = ['electron', '--flag=/tmp', folder, 'notes.txt', 'music', 'library.archetone'];
    expect(openedBy(argv, folder, folder)).toEqual({ kind: 'folder', path: join(folder, 'music') });
    expect(openedBy(['archetone'], folder, '/usr/lib/archetone')).toBeNull();
  });
});

describe('the installer of Windows', () => {
  const program = 'C:\\Users\\a\\AppData\\Local\\archetone\\app-0.1.0\\archetone.exe';
  const starter = 'C:\\Users\\a\\AppData\\Local\\archetone\\archetone.exe';

  it('is served after installing and before removing, and all that was written goes', () => {
    const added = installerCommands(['x', '--squirrel-install', '0.1.0'], program) ?? [];
    expect(added[0]).toEqual([
      'C:\\Users\\a\\AppData\\Local\\archetone\\Update.exe',
      '--createShortcut=archetone.exe',
    ]);
    expect(added).toContainEqual([
      ...['reg', 'add', 'HKCU\\Software\\Classes\\.archetone', '/ve', '/d', 'Archetone.Library', '/f'],
    ]);
    const opens = added.filter(([, , key = '']) => key.endsWith('\\open\\command'));
    expect(opens.map((command) => command[5])).toEqual([`"${starter}" "%1"`, `"${starter}" "%1"`]);
    const removed = installerCommands(['x', '--squirrel-uninstall', '0.1.0'], program) ?? [];
    const keys = (commands: typeof added): string[] => commands.slice(1).map(([, , key = '']) => key);
    for (const key of keys(added))
      expect(
        keys(removed).some((gone) => key.startsWith(gone)),
        key,
      ).toBe(true);
  });

  it('is not served by a usual start, nor by a folder of that name', () => {
    expect(installerCommands(['x'], program)).toBeNull();
    expect(installerCommands(['x', 'C:\\--squirrel-install'], program)).toBeNull();
    expect(installerCommands(['x', '--squirrel-obsolete'], program)).toEqual([]);
  });
});
