import { contextBridge, ipcRenderer, webUtils } from 'electron';
import { enginePortMessage, openedKinds } from '../engine/api/shell.ts';
import type { ShellApi } from '../engine/api/shell.ts';

const platforms = ['linux', 'darwin', 'win32'] as const;

const listen = (channel: string, handler: (...sent: unknown[]) => void): (() => void) => {
  const listener = (_event: unknown, ...sent: unknown[]): void => handler(...sent);
  ipcRenderer.on(channel, listener);
  return () => ipcRenderer.removeListener(channel, listener);
};

const invoke = async <T>(channel: string, ...input: unknown[]): Promise<T> =>
  (await ipcRenderer.invoke(`archetone:${channel}`, ...input)) as T;

const api: ShellApi = {
  platform: platforms.find((platform) => platform === process.platform) ?? 'other',
  versions: {
    electron: process.versions.electron,
    chromium: process.versions.chrome,
    node: process.versions.node,
  },
  chooseFolder: (title) => invoke('chooseFolder', title),
  chooseFile: (title, extensions) => invoke('chooseFile', title, extensions),
  chooseAudio: (title) => invoke('chooseAudio', title),
  reveal: (path) => invoke('reveal', path),
  startDrag: (paths) => invoke('startDrag', paths),
  pathOf: async (file) => {
    // Empty for a file that a script made up: only one that a person dropped or chose has a path.
    const path = webUtils.getPathForFile(file);
    return path === '' ? '' : invoke('dropped', path);
  },
  allowRecording: () => invoke('allowRecording'),
  setTheme: (theme) => invoke('setTheme', theme),
  setTextSize: (percent) => invoke('setTextSize', percent),
  setMenu: (commands) => invoke('setMenu', commands),
  onMenuCommand: (handler) =>
    listen('archetone:command', (id) => {
      if (typeof id === 'string') handler(id);
    }),
  onOpen: (handler) =>
    listen('archetone:open', (kind, path) => {
      const known = openedKinds.find((each) => each === kind);
      if (known !== undefined && typeof path === 'string') handler(known, path);
    }),
};

contextBridge.exposeInMainWorld('archetone', api);

// Ports cannot cross the context bridge; they are handed to the page as a message of its own window.
ipcRenderer.on(enginePortMessage, (event) => {
  window.postMessage(enginePortMessage, window.location.origin, event.ports);
});
