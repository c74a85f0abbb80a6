import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  connect,
  AuthorizationError,
  credsAuthenticator,
  nkeyAuthenticator,
  type Authenticator,
  type NatsConnection,
} from '@nats-io/transport-node';
import { EngineError } from '../../wire/errors.ts';
import type { QueueSettings } from '../settings.ts';

const CONNECT_MS = 5000;
/** For the last words. */
const LEAVE_MS = 2000;
/** Between two attempts to find a server again that was there. */
const RECONNECT_MS = 500;

/**
 * Connects to a NATS server with JetStream. A server that goes away later is waited for without an end.
 * @param name what the connection is called in the server's lists
 * @throws EngineError `queue` with a sentence for each of: no address, no server, wrong token, certificates; `not-found`
 * for a file of credentials that is not there
 */
export async function connectNats(settings: QueueSettings, name: string): Promise<NatsConnection> {
  const servers = settings.server.split(',').map((each) => address(each.trim()));
  const [first] = servers;
  if (first === undefined) throw notAnAddress(settings.server);
  try {
    return await connect({
      servers: servers.map(({ host }) => host),
      name,
      timeout: CONNECT_MS,
      maxReconnectAttempts: -1,
      reconnectTimeWait: RECONNECT_MS,
      // Signals are the caller's.
      noAsyncTraces: true,
      ...login(settings, first),
      ...encryption(settings, servers),
    });
  } catch (thrown) {
    if (thrown instanceof EngineError) throw thrown;
    throw connectError(thrown, servers.map(({ host }) => host).join(', '), settings);
  }
}

/** Leaves once what was said has arrived; a server that is away, and may be for hours, is not waited for. */
export async function disconnect(connection: NatsConnection): Promise<void> {
  const over = new AbortController();
  const drained = connection
    .drain()
    .catch(() => undefined)
    .finally(() => over.abort());
  await Promise.race([drained, sleep(LEAVE_MS, undefined, { signal: over.signal }).catch(() => undefined)]);
  await connection.close();
}

interface Address {
  /** `host:port` */
  host: string;
  encrypted: boolean;
  user: string | null;
  password: string | null;
}

function address(text: string): Address {
  const withScheme = /^[a-z]+:\/\//i.test(text) ? text : `nats://${text}`;
  const url = URL.canParse(withScheme) ? new URL(withScheme) : null;
  if (url === null || !['nats:', 'tls:'].includes(url.protocol) || url.hostname === '')
    throw notAnAddress(text);
  const plain = (part: string): string | null => {
    try {
      return part === '' ? null : decodeURIComponent(part);
    } catch {
      throw notAnAddress(text);
    }
  };
  return {
    host: `${url.hostname}:${url.port === '' ? '4222' : url.port}`,
    encrypted: url.protocol === 'tls:',
    user: plain(url.username),
    password: plain(url.password),
  };
}

function login(
  { token, creds }: QueueSettings,
  { user, password }: Address,
): { token?: string; user?: string; pass?: string; authenticator?: Authenticator } {
  if (creds !== undefined) {
    const seed = readPem(creds, 'credentials');
    const isSeed = /^\s*SU[A-Z0-9]{56}\s*$/.test(seed.toString('utf8'));
    const authenticator = isSeed
      ? nkeyAuthenticator(Buffer.from(seed.toString('utf8').trim()))
      : credsAuthenticator(seed);
    return { authenticator };
  }
  if (token !== undefined) return { token };
  if (user !== null && password !== null) return { user, pass: password };
  return user === null ? {} : { token: user };
}

function encryption(
  { tlsCa, tlsCert, tlsKey }: QueueSettings,
  servers: readonly Address[],
): { tls?: { ca?: string; cert?: string; key?: string } } {
  if (tlsCa === undefined && tlsCert === undefined && !servers.some(({ encrypted }) => encrypted)) return {};
  const read = (path: string): string => readPem(path, 'certificate').toString('utf8');
  return {
    tls: {
      ...(tlsCa === undefined ? {} : { ca: read(tlsCa) }),
      ...(tlsCert === undefined ? {} : { cert: read(tlsCert) }),
      ...(tlsKey === undefined ? {} : { key: read(tlsKey) }),
    },
  };
}

function readPem(path: string, what: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new EngineError('not-found', `The ${what} in ${path} cannot be read.`, 'Check the path.', {
      cause,
    });
  }
}

function notAnAddress(text: string): EngineError {
  return new EngineError(
    'bad-input',
    `“${text}” is no address of a queue.`,
    'It looks like this: nats://host:4222, or tls://host:4222.',
  );
}

function connectError(thrown: unknown, servers: string, { creds, token }: QueueSettings): EngineError {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (thrown instanceof AuthorizationError || /authorization|authentication/i.test(message)) {
    const known = creds !== undefined ? 'these credentials' : token !== undefined ? 'this token' : 'nobody';
    return new EngineError(
      'queue',
      `The queue at ${servers} does not let ${known === 'nobody' ? 'anybody in without a token' : `${known} in`}.`,
      'Ask whoever runs it, and give it with --creds or in ARCHETONE_QUEUE_TOKEN.',
      { cause: thrown },
    );
  }
  if (/certificate|tls|ssl|self.signed|altnames/i.test(message))
    return new EngineError(
      'queue',
      `The queue at ${servers} cannot be trusted: ${message}.`,
      'Name the certificate that vouches for it with --tls-ca.',
      { cause: thrown },
    );
  return new EngineError(
    'queue',
    `There is no queue at ${servers} (${message}).`,
    'Start a server (nats-server -js) or check the address; docs/many-machines.md shows how.',
    { cause: thrown },
  );
}
