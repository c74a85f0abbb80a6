/** Every channel between the window and main in one typed map; the sender is checked in the one wrapper below. */
import { BrowserWindow, dialog, ipcMain, nativeImage, nativeTheme, shell } from 'electron';
import type { WebContents } from 'electron';
import * as z from 'zod';
import { AUDIO_EXTENSIONS } from '../engine/media.ts';
import type { MenuCommand } from '../engine/api/shell.ts';
import { showMenu } from './menu.ts';
import { allowRecording } from './microphone.ts';
import { appOrigin, isOurFrame } from './security.ts';

const menuCommandSchema = z.strictObject({
  id: z.string().max(60),
  title: z.string().max(100),
  menu: z.enum(['File', 'Edit', 'View', 'Playback', 'Help']),
  accelerator: z.string().max(40).nullable(),
}) satisfies z.ZodType<MenuCommand>;

export const channels = {
  chooseFolder: z.tuple([z.string().max(200)]),
  chooseFile: z.tuple([z.string().max(200), z.array(z.string().regex(/^[a-z0-9]{1,16}$/)).max(20)]),
  chooseAudio: z.tuple([z.string().max(200)]),
  /** From the preload script alone, for a file that the system says was dropped. */
  dropped: z.tuple([z.string().min(1).max(4096)]),
  reveal: z.tuple([z.string().min(1).max(4096)]),
  startDrag: z.tuple([z.array(z.string().min(1).max(4096)).min(1).max(1000)]),
  allowRecording: z.tuple([]),
  setTheme: z.tuple([z.enum(['system', 'light', 'dark'])]),
  setTextSize: z.tuple([z.int().min(75).max(200)]),
  setMenu: z.tuple([z.array(menuCommandSchema).max(200)]),
} as const;

export type Channel = keyof typeof channels;
const channelName = (channel: Channel): string => `archetone:${channel}`;

type Handler<C extends Channel> = (
  sender: WebContents,
  ...input: z.output<(typeof channels)[C]>
) => Promise<unknown>;

function handle<C extends Channel>(channel: C, handler: Handler<C>): void {
  ipcMain.handle(channelName(channel), async (event, ...input: unknown[]) => {
    if (!isOurFrame(event.senderFrame, appOrigin)) throw new Error('Refused: not our window.');
    const parsed = channels[channel].parse(input) as z.output<(typeof channels)[C]>;
    return handler(event.sender, ...parsed);
  });
}

/** What hangs at the pointer: three rows of a table. Drawn here, so that no file has to be found. */
function dragIcon(): Electron.NativeImage {
  const [width, height] = [32, 32];
  const pixels = Buffer.alloc(width * height * 4);
  for (let y = 6; y < 26; y++)
    if ((y - 6) % 8 < 4) for (let x = 4; x < 28; x++) pixels.writeUInt32LE(0xffa56800, (y * width + x) * 4);
  return nativeImage.createFromBitmap(pixels, { width, height });
}

/** Decides what a window may name. */
export interface Grants {
  grant(path: string): Promise<void>;
  mayShow(path: string): Promise<boolean>;
}

export function setupIpc(grants: Grants): void {
  const openAll = async (sender: WebContents, options: Electron.OpenDialogOptions): Promise<string[]> => {
    const window = BrowserWindow.fromWebContents(sender);
    const answer = window
      ? await dialog.showOpenDialog(window, options)
      : await dialog.showOpenDialog(options);
    const chosen = answer.canceled ? [] : answer.filePaths;
    // The page may name them as soon as it has them.
    for (const path of chosen) await grants.grant(path);
    return chosen;
  };
  const open = async (sender: WebContents, options: Electron.OpenDialogOptions): Promise<string | null> =>
    (await openAll(sender, options))[0] ?? null;
  handle('chooseFolder', (sender, title) =>
    open(sender, { title, properties: ['openDirectory', 'createDirectory'] }),
  );
  handle('chooseFile', (sender, title, extensions) =>
    open(sender, { title, properties: ['openFile'], filters: [{ name: title, extensions }] }),
  );
  handle('chooseAudio', (sender, title) =>
    openAll(sender, {
      title,
      properties: ['openFile', 'multiSelections'],
      filters: [
        { name: 'Audio', extensions: AUDIO_EXTENSIONS.map((ending) => ending.slice(1)) },
        { name: 'All files', extensions: ['*'] },
      ],
    }),
  );
  handle('dropped', async (_sender, path) => {
    await grants.grant(path);
    return path;
  });
  handle('reveal', async (_sender, path) => {
    if (!(await grants.mayShow(path))) throw new Error('Refused: nobody chose that.');
    shell.showItemInFolder(path);
    return null;
  });
  handle('startDrag', async (sender, files) => {
    for (const file of files)
      if (!(await grants.mayShow(file))) throw new Error('Refused: nobody chose that.');
    const [file = ''] = files;
    sender.startDrag({ file, files, icon: dragIcon() });
    return null;
  });
  handle('allowRecording', (sender) => allowRecording(sender));
  handle('setTheme', (_sender, theme) => {
    nativeTheme.themeSource = theme;
    return Promise.resolve(null);
  });
  handle('setTextSize', (sender, percent) => {
    sender.setZoomFactor(percent / 100);
    return Promise.resolve(null);
  });
  handle('setMenu', (_sender, commands) => {
    showMenu(commands);
    return Promise.resolve(null);
  });
}
