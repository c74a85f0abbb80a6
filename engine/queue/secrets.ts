import { randomUUID } from 'node:crypto';

/** Who keeps what lets one in, and asks whether one may go there: the desktop's shell. */
export interface SecretKeeper {
  /** @returns what the secret is found by again; not `lasting`: until the application ends */
  seal(secret: string): Promise<{ sealed: string; lasting: boolean }>;
  /** @returns null where it is no longer kept */
  unseal(sealed: string): Promise<string | null>;
  /** Whether audio may be sent to a server that was not connected to before. */
  mayConnect(server: string): Promise<boolean>;
}

/** Keeps secrets in the memory of this process. */
export function memoryKeeper(): SecretKeeper {
  const secrets = new Map<string, string>();
  return {
    seal: (secret) => {
      const sealed = `memory:${randomUUID()}`;
      secrets.set(sealed, secret);
      return Promise.resolve({ sealed, lasting: false });
    },
    unseal: (sealed) => Promise.resolve(secrets.get(sealed) ?? null),
    mayConnect: () => Promise.resolve(true),
  };
}
