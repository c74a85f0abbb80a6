import type { ShellApi } from '../../engine/api/shell.ts';

declare global {
  // Chromium 110; not in TypeScript's list yet.
  interface AudioContextOptions {
    sinkId?: string;
  }
  interface AudioContext {
    readonly sinkId: string;
    setSinkId(device: string): Promise<void>;
  }
  interface Window {
    /** Given by the preload script of the desktop shell. */
    readonly archetone: ShellApi;
  }
}
