import { app, BrowserWindow, dialog, nativeTheme } from 'electron';
import type { WebContents } from 'electron';
import { existsSync } from 'node:fs';
import { DecoderWindow } from './decoder-window.ts';
import { EngineSupervisor } from './engine-supervisor.ts';
import { HelperProcesses } from './helper-processes.ts';
import { setupIpc } from './ipc.ts';
import { keychain } from './keychain.ts';
import { showMenu } from './menu.ts';
import { mayRecord } from './microphone.ts';
import { openedAt, openedBy, type Opened } from './opening.ts';
import { paths } from './paths.ts';
import { checkProvider } from './provider-processes.ts';
import { registerScheme, setupProtocol } from './protocol.ts';
import { closeNetwork, setupSecurity } from './security.ts';
import { readPreferences } from '../engine/preferences/file.ts';
import { servedInstaller } from './squirrel.ts';
import { createWindow } from './window.ts';

const stopTimeoutMs = 5000;

/** What macOS asked to open before there was a window. */
let early: Opened | null = null;

function startApplication(): void {
  const dataFolder = app.getPath('userData');
  // Before the window is drawn: it must not flash in another theme first.
  nativeTheme.themeSource = readPreferences(dataFolder).preferences.theme;
  const decoder = new DecoderWindow();
  const helpers = new HelperProcesses();
  const secrets = keychain();
  const supervisor = new EngineSupervisor(
    {
      dataFolder,
      packFolders: [paths.packs(), paths.userPacks()],
      decodeWorker: paths.decodeWorker,
      datasetWorker: paths.datasetWorker,
      labelWorker: paths.labelWorker,
      demoFolder: existsSync(paths.demo()) ? paths.demo() : null,
      labelledDemoFolder: existsSync(paths.labelledDemo()) ? paths.labelledDemo() : null,
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
        seal: ({ secret }) => secrets.seal(secret),
        unseal: ({ sealed }) => secrets.unseal(sealed),
        mayConnect: ({ server }) => secrets.mayConnect(server),
      },
    },
  );

  setupSecurity(mayRecord);
  setupProtocol((token) => supervisor.resolveMedia(token));
  setupIpc(supervisor);
  showMenu([]);
  supervisor.start();

  const show = (contents: WebContents, { kind, path }: Opened): void => {
    void supervisor.grant(path).then(() => {
      // The window may have been closed meanwhile.
      if (!contents.isDestroyed()) contents.send('archetone:open', kind, path);
    });
  };
  const openWindow = (opened: Opened | null): void => {
    const window = createWindow(readPreferences(dataFolder).preferences.textSize);
    window.webContents.on('did-finish-load', () => {
      supervisor.attach(window.webContents);
      if (opened) show(window.webContents, opened);
    });
    // The hidden decoder must not keep the application alive; on macOS that goes on, and so does an import.
    window.on('closed', () => {
      if (process.platform !== 'darwin') decoder.close();
    });
  };
  openWindow(early ?? openedBy(process.argv, process.cwd(), app.getAppPath()));

  /** In the window that is already there. */
  const openInWindow = (opened: Opened | null): void => {
    const window = BrowserWindow.getAllWindows().find((candidate) => candidate.isVisible());
    if (!window) {
      openWindow(opened);
      return;
    }
    if (window.isMinimized()) window.restore();
    window.focus();
    if (opened) show(window.webContents, opened);
  };
  app.on('second-instance', (_event, argv, workingFolder) => {
    openInWindow(openedBy(argv, workingFolder, app.getAppPath()));
  });
  app.removeListener('open-file', openEarly);
  app.on('open-file', (event, path) => {
    event.preventDefault();
    openInWindow(openedAt(path));
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

/** macOS tells of files by an event, which may come before the application is ready. */
function openEarly(event: { preventDefault: () => void }, path: string): void {
  event.preventDefault();
  early = openedAt(path);
}

if (servedInstaller()) {
  app.quit();
} else if (app.requestSingleInstanceLock()) {
  app.on('open-file', openEarly);
  registerScheme();
  closeNetwork();
  // Not awaited at the top level: an ESM main must have loaded before Electron becomes ready.
  void app.whenReady().then(startApplication);
} else {
  console.error('Archetone is already running; its window is brought to the front.');
  app.quit();
}
