import { app, BrowserWindow, Menu } from 'electron';
import type { MenuItemConstructorOptions } from 'electron';

/** A command of the window, by the id it has in the window's own registry (renderer/src/command-list.ts). */
export interface MenuCommand {
  id: string;
  label: string;
  /** Shown only: the window handles the key itself, so that it works in text fields as it should. */
  accelerator?: string;
}

export const menuCommands: Record<
  'file' | 'edit' | 'view' | 'playback' | 'help',
  readonly (MenuCommand | null)[]
> = {
  file: [],
  edit: [],
  view: [],
  playback: [],
  help: [],
};

function send(command: string): void {
  const window =
    BrowserWindow.getFocusedWindow() ?? BrowserWindow.getAllWindows().find((open) => open.isVisible());
  window?.webContents.send('archetone:command', command);
}

function items(commands: readonly (MenuCommand | null)[]): MenuItemConstructorOptions[] {
  return commands.map((command) =>
    command === null
      ? { type: 'separator' }
      : {
          label: command.label,
          click: () => send(command.id),
          ...(command.accelerator ? { accelerator: command.accelerator, registerAccelerator: false } : {}),
        },
  );
}

export function setupMenu(): void {
  const isMac = process.platform === 'darwin';
  const template: MenuItemConstructorOptions[] = [
    ...(isMac ? [{ role: 'appMenu' as const }] : []),
    {
      label: 'File',
      submenu: [...items(menuCommands.file), { type: 'separator' }, { role: isMac ? 'close' : 'quit' }],
    },
    {
      label: 'Edit',
      submenu: [
        ...items(menuCommands.edit),
        { type: 'separator' },
        { role: 'cut' },
        { role: 'copy' },
        { role: 'paste' },
        { role: 'selectAll' },
      ],
    },
    {
      label: 'View',
      submenu: [
        ...items(menuCommands.view),
        { type: 'separator' },
        { role: 'resetZoom' },
        { role: 'zoomIn' },
        { role: 'zoomOut' },
        { role: 'togglefullscreen' },
        ...(app.isPackaged ? [] : [{ role: 'toggleDevTools' as const }]),
      ],
    },
    { label: 'Playback', submenu: items(menuCommands.playback) },
    ...(isMac ? [{ role: 'windowMenu' as const }] : []),
    { role: 'help', submenu: items(menuCommands.help) },
  ];
  Menu.setApplicationMenu(Menu.buildFromTemplate(template));
}
