/* oxlint-disable typescript/no-deprecated -- The asynchronous calls are not in every Electron that this runs on. */
/** Secrets, in the keychain of the system where it has one. Only main can reach it. */
import { BrowserWindow, dialog, safeStorage } from 'electron';
import { memoryKeeper, type SecretKeeper } from '../engine/queue/secrets.ts';

/** On Linux without a keyring Chromium would “encrypt” with a password that everybody knows. */
function available(): boolean {
  const plain = process.platform === 'linux' && safeStorage.getSelectedStorageBackend() === 'basic_text';
  return !plain && safeStorage.isEncryptionAvailable();
}

const KEYCHAIN = 'keychain:';

export function keychain(): SecretKeeper {
  const memory = memoryKeeper();
  return {
    seal: (secret) => {
      if (!available()) return memory.seal(secret);
      try {
        const sealed = KEYCHAIN + safeStorage.encryptString(secret).toString('base64');
        return Promise.resolve({ sealed, lasting: true });
      } catch {
        // A keychain that is locked, or that the person does not let us into.
        return memory.seal(secret);
      }
    },
    unseal: (sealed) => {
      if (!sealed.startsWith(KEYCHAIN)) return memory.unseal(sealed);
      try {
        const secret = safeStorage.decryptString(Buffer.from(sealed.slice(KEYCHAIN.length), 'base64'));
        return Promise.resolve(secret);
      } catch {
        // Another user's, or of a keychain that was emptied.
        return Promise.resolve(null);
      }
    },
    // Asked here and not in the page: one that is taken over has no other way to the network.
    mayConnect: async (server) => {
      const question: Electron.MessageBoxOptions = {
        type: 'question',
        message: `Connect to ${server}?`,
        detail:
          'An import that goes over this queue sends audio and its embeddings to whoever runs the server and its workers.',
        buttons: ['Connect', 'Cancel'],
        // Whoever is typing when a page asks for this must not have agreed.
        defaultId: 1,
        cancelId: 1,
      };
      const window = BrowserWindow.getFocusedWindow();
      const { response } = await (window
        ? dialog.showMessageBox(window, question)
        : dialog.showMessageBox(question));
      return response === 0;
    },
  };
}
