/**
 * The microphone (ADR 40): the one permission that a page can have. The person gives it in a dialog of main, which no page
 * can press; it holds for that window while the application runs, for sound alone, and for our own page alone.
 */
import { BrowserWindow, dialog, systemPreferences } from 'electron';
import type { MessageBoxOptions, Session, WebContents } from 'electron';
import type { ShellApi } from '../engine/api/shell.ts';
import { appOrigin } from './security.ts';

const allowed = new WeakSet<WebContents>();
/** Dialogs that are open: a page that asks meanwhile waits for the same answer, and lays none over it. */
const asking = new WeakMap<WebContents, Promise<boolean>>();

type Asked = Parameters<NonNullable<Parameters<Session['setPermissionRequestHandler']>[0]>>;
export type MayRecord = (contents: Asked[0], permission: Asked[1], details: Asked[3]) => boolean;

/** Whether a page that asks Chromium for something is our window asking for the sound of a microphone, as a person allowed. */
export const mayRecord: MayRecord = (contents, permission, details) =>
  permission === 'media' &&
  allowed.has(contents) &&
  details.isMainFrame &&
  details.requestingUrl.startsWith(`${appOrigin}/`) &&
  'mediaTypes' in details &&
  details.mediaTypes.length === 1 &&
  details.mediaTypes[0] === 'audio';

const CANCEL = 0;
const ALLOW = 1;

/** Asks the person unless they allowed it before, then the system where that has a say. */
export async function allowRecording(contents: WebContents): ReturnType<ShellApi['allowRecording']> {
  if (!allowed.has(contents)) {
    const asked = asking.get(contents) ?? askPerson(contents).finally(() => asking.delete(contents));
    asking.set(contents, asked);
    if (!(await asked)) return 'refused';
  }
  // Windows has a switch in its settings, which shows when the microphone is opened.
  if (process.platform === 'darwin' && !(await systemPreferences.askForMediaAccess('microphone')))
    return 'refused-by-system';
  allowed.add(contents);
  return 'allowed';
}

async function askPerson(contents: WebContents): Promise<boolean> {
  const question: MessageBoxOptions = {
    type: 'question',
    message: 'Record from the microphone?',
    detail:
      'Archetone listens only while a recording runs, which the window shows. What is recorded stays on this machine until you delete it. It asks once for as long as it is open.',
    buttons: ['Cancel', 'Allow'],
    // Whoever types on while it comes has allowed nothing.
    defaultId: CANCEL,
    cancelId: CANCEL,
  };
  const window = BrowserWindow.fromWebContents(contents);
  const { response } = window
    ? await dialog.showMessageBox(window, question)
    : await dialog.showMessageBox(question);
  return response === ALLOW;
}
