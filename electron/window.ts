import { app, BrowserWindow, nativeTheme } from 'electron';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { paths } from './paths.ts';
import { appOrigin } from './security.ts';

const stateSchema = z.object({
  width: z.int().min(400),
  height: z.int().min(300),
  position: z.strictObject({ x: z.int(), y: z.int() }).nullable(),
  maximized: z.boolean(),
});

const stateFile = (): string => join(app.getPath('userData'), 'window.json');

function savedState(): z.infer<typeof stateSchema> {
  try {
    return stateSchema.parse(JSON.parse(readFileSync(stateFile(), 'utf8')));
  } catch {
    // First start, or a damaged file: neither is worth a word to the user.
    return { width: 1360, height: 860, position: null, maximized: false };
  }
}

/**
 * Opens the window where it was last time; it is shown once its page is drawn.
 * @param textSize of everything in it, in percent
 */
export function createWindow(textSize: number): BrowserWindow {
  const { maximized, position, width, height } = savedState();
  const window = new BrowserWindow({
    width,
    height,
    ...position,
    minWidth: 1024,
    minHeight: 640,
    show: false,
    title: 'Archetone',
    ...(process.platform === 'linux' && existsSync(paths.icon()) ? { icon: paths.icon() } : {}),
    backgroundColor: nativeTheme.shouldUseDarkColors ? '#15181c' : '#fafafa',
    webPreferences: {
      preload: paths.preload,
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      webSecurity: true,
      spellcheck: false,
      zoomFactor: textSize / 100,
      autoplayPolicy: 'no-user-gesture-required',
    },
  });
  if (maximized) window.maximize();
  window.once('ready-to-show', () => window.show());
  window.on('close', () => {
    const { x, y, ...size } = window.getNormalBounds();
    const state = { ...size, position: { x, y }, maximized: window.isMaximized() };
    try {
      writeFileSync(stateFile(), JSON.stringify(state));
    } catch (error) {
      console.error('Could not remember the window position:', error);
    }
  });
  void window.loadURL(`${appOrigin}/index.html`);
  return window;
}
