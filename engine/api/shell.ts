/** A command of the window as the application menu shows it. */
export interface MenuCommand {
  id: string;
  title: string;
  menu: 'File' | 'Edit' | 'View' | 'Playback' | 'Help';
  /** As Electron writes it; null for none. Shown only: the window handles the key itself. */
  accelerator: string | null;
}

/** Kinds of files that the system may be asked to open with Archetone. */
export const openedFileKinds = ['library', 'checkpoint'] as const;
/** By the ends of their names: a library written for another computer, and a checkpoint of a model that becomes a pack. */
export const openedFiles = {
  library: ['archetone'],
  checkpoint: ['pt', 'pth', 'th', 'ckpt', 'safetensors'],
} as const satisfies Record<(typeof openedFileKinds)[number], readonly string[]>;
/** A folder is music. */
export const openedKinds = ['folder', ...openedFileKinds] as const;
export type OpenedKind = (typeof openedKinds)[number];

/** Named verbs that the desktop shell gives the window through its preload script; nothing else reaches the window. */
export interface ShellApi {
  readonly platform: 'linux' | 'darwin' | 'win32' | 'other';
  /** What the window runs on. */
  readonly versions: { electron: string; chromium: string; node: string };
  /** Asks for a folder; null when the person cancelled. */
  chooseFolder(title: string): Promise<string | null>;
  chooseFile(title: string, extensions: string[]): Promise<string | null>;
  /** Asks for one or several audio files; none when the person cancelled. */
  chooseAudio(title: string): Promise<string[]>;
  /** Shows a file or folder in the system's file manager. */
  reveal(path: string): Promise<void>;
  /** Lets the pointer drag files of a library out to another program; called while a drag begins in the window. */
  startDrag(paths: string[]): Promise<void>;
  /** Absolute path of a file or folder dropped on the window, which the window may name from then on; empty when it has none. */
  pathOf(file: File): Promise<string>;
  /**
   * Asks the person, in a dialog that no page can press, whether the window may record from the microphone; once for as
   * long as the application runs. Until then the system's microphone is refused.
   */
  allowRecording(): Promise<'allowed' | 'refused' | 'refused-by-system'>;
  /** Light or dark by hand, or as the system says. */
  setTheme(theme: 'system' | 'light' | 'dark'): Promise<void>;
  /** Size of everything in the window, in percent. */
  setTextSize(percent: number): Promise<void>;
  /** The window's registry of commands is the one source of the application menu. */
  setMenu(commands: MenuCommand[]): Promise<void>;
  /** Commands chosen in the application menu, by id. */
  onMenuCommand(handler: (command: string) => void): () => void;
  /** What the person asked the system to open with Archetone; the window may name it from then on. */
  onOpen(handler: (kind: OpenedKind, path: string) => void): () => void;
}

/** Sent to the window with a MessagePort each time the engine process starts. */
export const enginePortMessage = 'archetone:engine-port';
