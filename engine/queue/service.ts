import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { ParsedInput } from '../api/contract.ts';
import { EngineError } from '../api/errors.ts';
import type { QueueConnection } from '../api/queue.ts';
import { writeWhole } from '../files/write-whole.ts';
import { storageError } from '../storage/errors.ts';
import { withoutLogin } from './nats/address.ts';
import type { SecretKeeper } from './secrets.ts';
import { queueSettingsSchema, type QueueSettings } from './settings.ts';

/** What stands in the file: nothing that lets anybody in. */
const keptSchema = z.object({
  server: z.string().min(1).max(2000),
  creds: z.string().max(4096).nullable(),
  tlsCa: z.string().max(4096).nullable(),
  // The key is a file of the user, as the credentials are: what stands here is where it is.
  tlsCert: z.string().max(4096).nullable().default(null),
  tlsKey: z.string().max(4096).nullable().default(null),
  /** What the keeper finds the secret by; null: there is none. */
  sealed: z.string().max(20_000).nullable(),
  lasting: z.boolean(),
});
type Kept = z.output<typeof keptSchema>;

/** The address with the name and password in it, and the token. */
const secretSchema = z.object({ server: z.string(), token: z.string().nullable() });

const HOW = 'Connect one in Preferences, under Helpers.';

/** The queue that a data folder is connected to, between starts. */
export class QueueService {
  readonly #path: string;
  readonly #keeper: SecretKeeper;
  readonly #given: QueueSettings | undefined;
  #kept: Kept | null;

  /** @param given the queue that this run was started with: it goes before the one that is kept */
  constructor(dataFolder: string, keeper: SecretKeeper, given?: QueueSettings) {
    this.#path = join(dataFolder, 'queue.json');
    this.#keeper = keeper;
    this.#given = given;
    this.#kept = readKept(this.#path);
  }

  get now(): QueueConnection | null {
    if (!this.#kept) return null;
    return shown(this.#kept);
  }

  /**
   * The queue that this run is to go over: the one that it was started with, or, where it is asked for, the one that is kept.
   * @returns null: none @throws EngineError `queue`
   */
  async settingsFor(wanted: boolean): Promise<QueueSettings | null> {
    return this.#given ?? (wanted ? this.settings() : null);
  }

  /** How one gets in. @throws EngineError `queue` when none is connected, or what lets one in is no longer kept */
  async settings(): Promise<QueueSettings> {
    if (this.#given) return this.#given;
    if (!this.#kept) throw new EngineError('queue', 'No queue is connected.', HOW);
    return this.#settingsOf(this.#kept);
  }

  /** Tries a queue and keeps it. @throws EngineError `queue`, `bad-input`, `not-found`, `not-permitted`, `disk-full` */
  async connect(input: ParsedInput<'queue.connect'>): Promise<QueueConnection> {
    const server = withoutLogin(input.server);
    // What was kept was meant for its server, not for whatever is named next.
    const before = this.#kept?.server === server ? this.#kept : null;
    if (!before && !(await this.#keeper.mayConnect(server)))
      throw new EngineError(
        'not-permitted',
        `Nobody allowed a connection to ${server}.`,
        'Connect again, and confirm it in the dialog that appears.',
      );
    const secret = await this.#secretFor(input, server, before);
    const fileOf = (name: 'creds' | 'tlsCa' | 'tlsCert' | 'tlsKey'): string | null =>
      input[name] === undefined ? (before?.[name] ?? null) : input[name];
    const kept: Kept = {
      server,
      creds: fileOf('creds'),
      tlsCa: fileOf('tlsCa'),
      tlsCert: fileOf('tlsCert'),
      tlsKey: fileOf('tlsKey'),
      ...(secret ?? { sealed: null, lasting: false }),
    };
    const { observeQueue } = await import('./nats/observe.ts');
    await observeQueue(await this.#settingsOf(kept));
    try {
      await writeWhole(this.#path, `${JSON.stringify(kept, null, 2)}\n`);
    } catch (thrown) {
      throw storageError(thrown, this.#path);
    }
    this.#kept = kept;
    return shown(kept);
  }

  /** @throws EngineError `unreadable` where the file cannot be removed: then it is still connected */
  async disconnect(): Promise<void> {
    try {
      await rm(this.#path, { force: true });
    } catch (thrown) {
      throw storageError(thrown, this.#path);
    }
    this.#kept = null;
  }

  async #secretFor(
    { server: told, token }: ParsedInput<'queue.connect'>,
    server: string,
    before: Kept | null,
  ): Promise<Pick<Kept, 'sealed' | 'lasting'> | null> {
    const login = told.trim() !== server && told.includes('@');
    if (token === undefined && !login) return before && { sealed: before.sealed, lasting: before.lasting };
    if (!login && (token === null || token === undefined)) return null;
    return this.#keeper.seal(JSON.stringify({ server: login ? told.trim() : server, token: token ?? null }));
  }

  async #settingsOf({ server, creds, tlsCa, tlsCert, tlsKey, sealed }: Kept): Promise<QueueSettings> {
    const secret = sealed === null ? { server, token: null } : await this.#secret(sealed, server);
    return queueSettingsSchema.parse({
      server: secret.server,
      ...(secret.token === null ? {} : { token: secret.token }),
      ...(creds === null ? {} : { creds }),
      ...(tlsCa === null ? {} : { tlsCa }),
      ...(tlsCert === null ? {} : { tlsCert }),
      ...(tlsKey === null ? {} : { tlsKey }),
    });
  }

  async #secret(sealed: string, server: string): Promise<z.output<typeof secretSchema>> {
    const text = await this.#keeper.unseal(sealed);
    if (text !== null) return secretSchema.parse(JSON.parse(text));
    throw new EngineError(
      'queue',
      `What lets this machine in at ${server} is no longer kept.`,
      'Disconnect in Preferences, under Helpers, and connect with the token again.',
    );
  }
}

function shown({ server, creds, tlsCa, tlsCert, tlsKey, sealed, lasting }: Kept): QueueConnection {
  return { server, creds, tlsCa, tlsCert, tlsKey, secret: sealed !== null, lasting };
}

/** Null for what is not there, or damaged: then one connects again. */
function readKept(path: string): Kept | null {
  try {
    return keptSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return null;
  }
}
