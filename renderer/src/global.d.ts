import type { ShellApi } from '../../engine/api/shell.ts';

declare global {
  interface Window {
    /** Given by the preload script of the desktop shell. */
    readonly archetone: ShellApi;
  }
}
