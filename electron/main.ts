import { app, BrowserWindow, dialog, nativeTheme } from 'electron';
import type { WebContents } from 'electron';
import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { DecoderWindow } from './decoder-window.ts';
import { EngineSupervisor } from './engine-supervisor.ts';
import { HelperProcesses } from './helper-processes.ts';
import { setupIpc } from './ipc.ts';
import { showMenu } from './menu.ts';
import { paths } from './paths.ts';
import { checkProvider } from './provider-processes.ts';
import { registerScheme, setupProtocol } from './protocol.ts';
import { closeNetwork, setupSecurity } from './security.ts';
import { readPreferences } from '../engine/preferences/file.ts';
import { createWindow } from './window.ts';

const stopTimeoutMs = 5000;

/** A folder given on the command line, or dropped on the application's icon. Chromium reorders what a second start sends. */
function folderArgument(argv: readonly string[], workingFolder: string): string | null {
  const isFolder = (path: string): boolean => existsSync(path) && statSync(path).isDirectory();
  const paths = argv
    .slice(1)
    .filter((argument) => !argument.startsWith('-'))
    .map((argument) => resolve(workingFolder, argument));
  return paths.find((path) => path !== app.getAppPath() && isFolder(path)) ?? null;
}

function startApplication(): void {
  const dataFolder = app.getPath('userData');
  // Before the window is drawn: it must not flash in another theme first.
  nativeTheme.themeSource = readPreferences(dataFolder).preferences.theme;
  const decoder = new DecoderWindow();
  const helpers = new HelperProcesses();
  const supervisor = new EngineSupervisor(
    {
      dataFolder,
      packFolders: [paths.packs(), paths.userPacks()],
      decodeWorker: paths.decodeWorker,
      datasetWorker: paths.datasetWorker,
      labelWorker: paths.labelWorker,
      demoFolder: existsSync(paths.demo()) ? paths.demo() : null,
      version: app.getVersion(),
    },
    {
      onFailed: ({ message, hint }) => {
        dialog.showErrorBox('Archetone cannot start', `${message}\n\n${hint}`);
        app.quit();
      },
      handlers: {
        decode: ({ id }, { signal }) =>
          decoder.lend((port) => supervisor.handOver('decoder', id, port), signal),
        checkProvider: (request, { signal }) => checkProvider(request, signal),
        helper: ({ id, kind, memoryLimit }, { signal }) =>
          helpers.run(id, kind, memoryLimit, (port) => supervisor.handOver('helper', id, port), signal),
        endHelper: ({ id }) => {
          helpers.end(id);
          return Promise.resolve(null);
        },
      },
    },
  );

  setupSecurity();
  setupProtocol((token) => supervisor.resolveMedia(token));
  setupIpc(supervisor);
  showMenu([]);
  supervisor.start();

  const showFolder = (contents: WebContents, folder: string): void => {
    void supervisor.grant(folder).then(() => {
      // The window may have been closed meanwhile.
      if (!contents.isDestroyed()) contents.send('archetone:open-folder', folder);
    });
  };
  const openWindow = (folder: string | null): void => {
    const window = createWindow(readPreferences(dataFolder).preferences.textSize);
    window.webContents.on('did-finish-load', () => {
      supervisor.attach(window.webContents);
      if (folder) showFolder(window.webContents, folder);
    });
    // The hidden decoder must not keep the application alive; on macOS that goes on, and so does an import.
    window.on('closed', () => {
      if (process.platform !== 'darwin') decoder.close();
    });
  };
  openWindow(folderArgument(process.argv, process.cwd()));

  // A second start opens its folder in the window that is already there.
  app.on('second-instance', (_event, argv, workingFolder) => {
    const window = BrowserWindow.getAllWindows().find((candidate) => candidate.isVisible());
    const folder = folderArgument(argv, workingFolder);
    if (!window) {
      openWindow(folder);
      return;
    }
    if (window.isMinimized()) window.restore();
    window.focus();
    if (folder) showFolder(window.webContents, folder);
  });
  app.on('activate', () => {
    if (!BrowserWindow.getAllWindows().some((window) => window.isVisible())) openWindow(null);
  });
  app.on('window-all-closed', () => {
    if (process.platform !== 'darwin') app.quit();
  });

  let engineStopped = false;
  app.on('will-quit', (event) => {
    if (engineStopped) return;
    event.preventDefault();
    decoder.close();
    void supervisor.stop(stopTimeoutMs).then(() => {
      engineStopped = true;
      app.quit();
    });
  });
}

if (app.requestSingleInstanceLock()) {
  registerScheme();
  closeNetwork();
  // Not awaited at the top level: an ESM main must have loaded before Electron becomes ready.
  void app.whenReady().then(startApplication);
} else {
  console.error('Archetone is already running; its window is brought to the front.');
  app.quit();
}
