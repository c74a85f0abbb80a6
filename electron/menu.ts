import { app, BrowserWindow, Menu } from 'electron';
import type { MenuItemConstructorOptions } from 'electron';
import type { MenuCommand } from '../engine/api/shell.ts';

function send(command: string): void {
  const window =
    BrowserWindow.getFocusedWindow() ?? BrowserWindow.getAllWindows().find((open) => open.isVisible());
  window?.webContents.send('archetone:command', command);
}

/** Builds the application menu from the window's registry of commands, and the roles that every system expects. */
export function showMenu(commands: readonly MenuCommand[]): void {
  const isMac = process.platform === 'darwin';
  const of = (menu: MenuCommand['menu']): MenuItemConstructorOptions[] =>
    commands
      .filter((command) => command.menu === menu)
      .map((command) => ({
        label: command.title,
        click: () => send(command.id),
        ...(command.accelerator ? { accelerator: command.accelerator, registerAccelerator: false } : {}),
      }));
  const separator: MenuItemConstructorOptions = { type: 'separator' };
  const developer: MenuItemConstructorOptions[] = app.isPackaged ? [] : [{ role: 'toggleDevTools' }];
  const template: MenuItemConstructorOptions[] = [
    ...(isMac ? [{ role: 'appMenu' as const }] : []),
    { label: 'File', submenu: [...of('File'), separator, { role: isMac ? 'close' : 'quit' }] },
    {
      label: 'Edit',
      submenu: [...of('Edit'), separator, { role: 'cut' }, { role: 'copy' }, { role: 'paste' }],
    },
    {
      label: 'View',
      submenu: [...of('View'), separator, { role: 'togglefullscreen' }, ...developer],
    },
    { label: 'Playback', submenu: of('Playback') },
    ...(isMac ? [{ role: 'windowMenu' as const }] : []),
    { role: 'help', submenu: of('Help') },
  ];
  Menu.setApplicationMenu(Menu.buildFromTemplate(template));
}
