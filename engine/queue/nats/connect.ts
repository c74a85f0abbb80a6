import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkServerIdentity, createSecureContext, type PeerCertificate } from 'node:tls';
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
import { address, notAnAddress, withoutLogin, type Address } from './address.ts';

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
    throw connectError(thrown, servers.map(({ host }) => host).join(', '), knownBy(settings, first));
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

interface Encryption {
  ca?: string;
  cert?: string;
  key?: string;
  checkServerIdentity: typeof checkServerIdentity;
}

function encryption(
  { tlsCa, tlsCert, tlsKey }: QueueSettings,
  servers: readonly Address[],
): { tls?: Encryption } {
  const own = ownCertificate(tlsCert, tlsKey);
  if (tlsCa === undefined && own === null && !servers.some(({ encrypted }) => encrypted)) return {};
  const nameless = servers
    .map(({ host }) => host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1'))
    .filter((host) => isIP(host) !== 0 || host === 'localhost');
  return {
    tls: {
      ...(tlsCa === undefined ? {} : { ca: readPem(tlsCa, 'certificate').toString('utf8') }),
      ...own,
      checkServerIdentity: (name, certificate) => identityError(name, certificate, nameless),
    },
  };
}

/**
 * Of an IP address the client tells TLS no name, which then takes “localhost” for it. The certificate has to bear one of those that
 * were asked for.
 * @param nameless IP addresses, and “localhost” where it was asked for itself
 */
function identityError(
  name: string,
  certificate: PeerCertificate,
  nameless: readonly string[],
): Error | undefined {
  const [first, ...others] = nameless;
  if (name !== 'localhost' || first === undefined) return checkServerIdentity(name, certificate);
  if (others.some((address) => checkServerIdentity(address, certificate) === undefined)) return undefined;
  return checkServerIdentity(first, certificate);
}

/** This machine's own certificate with its key. @throws EngineError `bad-input` for one without the other, or that do not fit */
function ownCertificate(
  certificate: string | undefined,
  itsKey: string | undefined,
): { cert: string; key: string } | null {
  if (certificate === undefined && itsKey === undefined) return null;
  if (certificate === undefined || itsKey === undefined)
    throw new EngineError(
      'bad-input',
      itsKey === undefined
        ? 'The certificate of this machine needs its key beside it.'
        : 'The key of this machine needs its certificate beside it.',
      'Choose both files, or none.',
    );
  const cert = readPem(certificate, 'certificate').toString('utf8');
  const key = readPem(itsKey, 'key').toString('utf8');
  try {
    createSecureContext({ cert, key });
  } catch (cause) {
    throw new EngineError(
      'bad-input',
      `The certificate ${certificate} cannot be shown with the key ${itsKey}.`,
      'Both must be PEM files that were made together, and the key one without a passphrase.',
      { cause },
    );
  }
  return { cert, key };
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

/** What one comes with; null: nothing. */
function knownBy({ creds, token }: QueueSettings, { user }: Address): string | null {
  if (creds !== undefined) return 'these credentials';
  if (token !== undefined) return 'this token';
  return user === null ? null : 'this name and password';
}

function connectError(thrown: unknown, servers: string, known: string | null): EngineError {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (thrown instanceof AuthorizationError || /authorization|authentication/i.test(message)) {
    return new EngineError(
      'queue',
      `The queue at ${servers} does not let ${known === null ? 'anybody in without a token' : `${known} in`}.`,
      'Ask whoever runs it. The window takes a token or credentials in Preferences, under Helpers; commands take --creds or ARCHETONE_QUEUE_TOKEN.',
      { cause: thrown },
    );
  }
  if (/altnames/i.test(message))
    return new EngineError(
      'queue',
      `The queue at ${servers} shows a certificate for another address: ${message}.`,
      'Reach it by a name or an address that its certificate bears.',
      { cause: thrown },
    );
  if (/certificate|tls|ssl|self.signed/i.test(message))
    return new EngineError(
      'queue',
      `The queue at ${servers} cannot be trusted: ${message}.`,
      'Name the certificate that vouches for it: in Preferences, under Helpers, or by --tls-ca.',
      { cause: thrown },
    );
  return new EngineError(
    'queue',
    `There is no queue at ${servers} (${message}).`,
    'Start a server (nats-server -js) or check the address; the guide tells how: Many machines, one library.',
    { cause: thrown },
  );
}

/** What a server that is there but holds no queue said. */
export function unprepared(thrown: unknown, { server }: QueueSettings): unknown {
  if (thrown instanceof EngineError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new EngineError(
    'queue',
    `The server at ${withoutLogin(server)} has no place for a queue: ${message}.`,
    'It has to be started with JetStream (nats-server -js), and this user must be allowed to make streams.',
    { cause: thrown },
  );
}
