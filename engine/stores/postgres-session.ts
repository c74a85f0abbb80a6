import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, DatabaseError, type QueryConfig } from 'pg';
import * as z from 'zod';
import { EngineError } from '../api/errors.ts';
import { saidWithout } from './said.ts';
import type { PostgresSettings } from './settings.ts';

/** A server that does not let one in for so long is gone. */
const CONNECT_MS = 20_000;
/** One that answers a statement for so long is gone; making an index may take as long as it likes. */
const ANSWER_MS = 120_000;
/** A server that begins, or has no place left, is asked so often. */
const ATTEMPTS = 4;
const PAUSE_MS = 250;
const BUSY = new Set(['57P03', '53300']);
/** Of the disk, or of shared memory. */
export const NO_ROOM = '53100';

export interface Statement<T> {
  text: string;
  /** In the places of `$1`, `$2` …: nothing of others is ever part of the text. */
  values?: unknown[];
  /** What each row must be. */
  row: z.ZodType<T>;
  /** May take as long as it likes. */
  long?: boolean;
}

/**
 * One connection to a PostgreSQL server, made when it is first asked something, and made anew after it broke. Statements
 * are sent one after the other.
 */
export class PostgresSession {
  /** `host:port` as people may be shown it. */
  readonly server: string;
  readonly #settings: PostgresSettings;
  #client: Promise<Client> | null = null;

  constructor(settings: PostgresSettings) {
    this.#settings = settings;
    this.server = `${settings.host}:${settings.port}`;
  }

  /** @throws EngineError `store`; the signal's reason */
  async ask<T>({ text, values = [], row, long = false }: Statement<T>, signal: AbortSignal): Promise<T[]> {
    signal.throwIfAborted();
    const client = await this.#connected(signal);
    // The server notices that nobody is there any more and ends what it does.
    const leave = (): void => void this.close();
    signal.addEventListener('abort', leave, { once: true });
    let rows: unknown;
    try {
      const query: QueryConfig & { query_timeout: number } = {
        ...{ text, values, query_timeout: long ? 0 : ANSWER_MS },
      };
      rows = (await client.query(query)).rows;
    } catch (thrown) {
      if (signal.aborted || !(thrown instanceof DatabaseError)) await this.close();
      signal.throwIfAborted();
      throw this.#meaning(thrown);
    } finally {
      signal.removeEventListener('abort', leave);
    }
    const parsed = z.array(row).safeParse(rows);
    if (parsed.success) return parsed.data;
    throw new EngineError(
      'store',
      `The vector store at ${this.server} answered what it should not.`,
      'Check that its table was filled by Archetone.',
      { cause: parsed.error },
    );
  }

  /** All statements of the work, or none. @throws as {@link ask} and the work */
  async atOnce<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    await this.ask({ text: 'BEGIN', row: z.unknown() }, signal);
    try {
      const done = await work();
      await this.ask({ text: 'COMMIT', row: z.unknown() }, signal);
      return done;
    } catch (thrown) {
      // Where the connection is gone, the server has taken everything back by itself.
      if (this.#client !== null)
        await this.ask({ text: 'ROLLBACK', row: z.unknown() }, signal).catch(() => this.close());
      throw thrown;
    }
  }

  async close(): Promise<void> {
    const client = await this.#client?.catch(() => null);
    this.#client = null;
    await client?.end().catch(() => {});
  }

  async #connected(signal: AbortSignal): Promise<Client> {
    this.#client ??= this.#connect(signal);
    try {
      return await this.#client;
    } catch (thrown) {
      this.#client = null;
      throw thrown;
    }
  }

  async #connect(signal: AbortSignal): Promise<Client> {
    for (let attempt = 1; ; attempt++) {
      const client = this.#newClient();
      client.on('error', () => {
        this.#client = null;
      });
      const leave = (): void => void client.end().catch(() => {});
      signal.addEventListener('abort', leave, { once: true });
      try {
        await client.connect();
        await noticeLeaving(client);
        signal.throwIfAborted();
        return client;
      } catch (thrown) {
        leave();
        signal.throwIfAborted();
        const busy = thrown instanceof DatabaseError && BUSY.has(thrown.code ?? '');
        if (!busy || attempt === ATTEMPTS) throw this.#meaning(thrown);
      } finally {
        signal.removeEventListener('abort', leave);
      }
      await sleep(PAUSE_MS * 2 ** attempt, undefined, { signal });
    }
  }

  #newClient(): Client {
    const { host, port, user, password, database, encrypted, tlsCa } = this.#settings;
    return new Client({
      ...{ host, port, database, keepAlive: true, connectionTimeoutMillis: CONNECT_MS },
      ...(user === null ? {} : { user }),
      ...(password === null ? {} : { password }),
      application_name: 'archetone',
      // The name that its certificate must have; an address has no name that would be sent.
      ssl: encrypted ? { host, ...(tlsCa === null ? {} : { ca: certificates(tlsCa) }) } : false,
    });
  }

  #meaning(thrown: unknown): EngineError {
    const at = `The vector store at ${this.server}`;
    const error = (message: string, hint?: string): EngineError =>
      new EngineError('store', message, hint, { cause: thrown });
    if (thrown instanceof EngineError) return thrown;
    const text = thrown instanceof Error ? thrown.message : '';
    const code = codeOf(thrown);
    if (!(thrown instanceof DatabaseError)) {
      if (text.includes('password must be'))
        return error(`${at} lets nobody in without a password.`, 'Set ARCHETONE_STORE_KEY to it.');
      if (text.includes('does not support SSL'))
        return error(
          `${at} does not speak TLS.`,
          'Another machine is reached over TLS only: switch it on there.',
        );
      if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME/.test(code))
        return error(
          `${at} shows a certificate that this machine does not trust (${code}).`,
          'Name the certificate that vouches for it: --tls-ca.',
        );
      if (/timeout/i.test(text))
        return error(`${at} does not answer.`, 'It may be too busy: try again later.');
      return error(`${at} cannot be reached.`, 'Check its address, and that it runs.');
    }
    if (code === '28P01' || code === '28000')
      return error(
        `${at} does not let this user in.`,
        'Check the name, and the password in ARCHETONE_STORE_KEY.',
      );
    if (code === '3D000')
      return error(`${at} has no database ${this.#settings.database}.`, 'Make it there: createdb --help');
    if (code === NO_ROOM)
      return error(`The disk of the vector store at ${this.server} is full.`, 'Make room there, then go on.');
    const words = saidWithout(this.#settings.password, text);
    return error(`${at} refused what it was asked (${code}): ${words}.`, 'Its log may say more.');
  }
}

/** Has the server look now and then whether its client is still there. One that cannot goes on for nothing after a Ctrl-C. */
async function noticeLeaving(client: Client): Promise<void> {
  await client.query("SELECT set_config('client_connection_check_interval', '5s', false)").catch(() => {});
}

function certificates(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (thrown) {
    throw new EngineError('unreadable', `The certificate ${file} cannot be read.`, 'Check --tls-ca.', {
      cause: thrown,
    });
  }
}

/** Of an error of the server or the system; '': it has none. */
export const codeOf = (thrown: unknown): string => {
  const code = z.object({ code: z.string() }).safeParse(thrown);
  return code.success ? code.data.code : '';
};
