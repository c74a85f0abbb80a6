import * as z from 'zod';
import { EngineError } from '../api/errors.ts';

/** A collection of a Qdrant server, and how one gets in. */
export interface QdrantSettings {
  kind: 'qdrant';
  /** `http://host:6333` or `https://…`, without anything behind it. */
  origin: string;
  collection: string;
  /** Sent to the origin and nowhere else; in no message and no file. */
  key: string | null;
}

/** A table of a PostgreSQL database with pgvector, and how one gets in. */
export interface PostgresSettings {
  kind: 'postgres';
  host: string;
  port: number;
  /** null: who the system says one is. */
  user: string | null;
  /** null: none is known, or the user's own `.pgpass` has it. In no message and no file. */
  password: string | null;
  database: string;
  table: string;
  encrypted: boolean;
  /** File of the certificates that vouch for the server (PEM); null: those that this machine trusts. */
  tlsCa: string | null;
}

/** A store that somebody runs. */
export type VectorStoreSettings = QdrantSettings | PostgresSettings;

export interface StoreSecrets {
  /** A key, or the password of a PostgreSQL user. */
  key?: string | undefined;
  tlsCa?: string | undefined;
}

const collectionSchema = z.string().regex(/^[A-Za-z0-9._-]{1,128}$/);
/** Short enough that the names of its indexes fit into the 63 bytes of a PostgreSQL name. */
const tableSchema = z.string().regex(/^[A-Za-z0-9_-]{1,48}$/);
const nameSchema = z.string().regex(/^[^\x00-\x1f\x7f]{1,63}$/);
const passwordSchema = z.string().regex(/^[^\x00]{1,4000}$/);
/** What a header can carry. */
const keySchema = z.string().regex(/^[\x21-\x7e]{1,4000}$/);
const OWN = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/i;
const HOW =
  'Write qdrant://host:6333/collection or postgres://user@host:5432/database/table; another machine is reached over TLS.';

const wrong = (what: string, hint = HOW): EngineError => new EngineError('bad-input', what, hint);

/**
 * Reads the address of a store. Of another machine it is reached over TLS: audio cannot be had back from vectors, but who
 * sings can be.
 * @throws EngineError `bad-input`
 */
export function storeSettings(address: string, secrets: StoreSecrets = {}): VectorStoreSettings {
  if (!URL.canParse(address)) throw wrong('The address of the vector store cannot be read.');
  const url = new URL(address);
  if (url.hostname === '' || url.search !== '' || url.hash !== '')
    throw wrong('The address of a vector store is its host and what is in it, with nothing behind that.');
  if (url.protocol === 'qdrant:') return qdrant(url, secrets);
  if (url.protocol === 'postgres:' || url.protocol === 'postgresql:') return postgres(url, secrets);
  throw wrong(
    `“${url.protocol}//” is no vector store that Archetone knows: there are qdrant:// and postgres://.`,
  );
}

function qdrant(url: URL, { key, tlsCa }: StoreSecrets): QdrantSettings {
  if (url.username !== '' || url.password !== '')
    throw wrong(
      'The address of a Qdrant server takes no password.',
      'Other users of a machine see what programs were told: set ARCHETONE_STORE_KEY.',
    );
  if (tlsCa !== undefined)
    throw wrong(
      'A Qdrant server is not reached with --tls-ca.',
      'Set NODE_EXTRA_CA_CERTS to the file of the certificate, or have the system trust it.',
    );
  const collection = collectionSchema.safeParse(url.pathname.slice(1));
  if (!collection.success)
    throw wrong('The address of a Qdrant server is its host and the name of a collection.');
  const secret = key === undefined || key === '' ? null : keySchema.safeParse(key);
  if (secret?.success === false) throw wrong('The key of the vector store holds what no key can hold.');
  return {
    kind: 'qdrant',
    origin: `${OWN.test(url.hostname) ? 'http' : 'https'}://${url.hostname}:${url.port === '' ? '6333' : url.port}`,
    collection: collection.data,
    key: secret?.data ?? null,
  };
}

function postgres(url: URL, { key, tlsCa }: StoreSecrets): PostgresSettings {
  const [database, table, ...rest] = url.pathname.slice(1).split('/').map(plain);
  const names = z.tuple([nameSchema, tableSchema]).safeParse([database, table]);
  if (!names.success || rest.length > 0)
    throw wrong(
      'The address of a PostgreSQL store is its host, a database and the name of a table.',
      'Write postgres://user@host:5432/database/table; of a table’s name, letters, digits, _ and -, at most 48.',
    );
  const user = url.username === '' ? null : nameSchema.safeParse(plain(url.username));
  const said = url.password === '' ? (key ?? '') : plain(url.password);
  const password = said === '' ? null : passwordSchema.safeParse(said);
  if (user?.success === false || password?.success === false)
    throw wrong('The name or the password of the vector store holds what none can hold.');
  const encrypted = !OWN.test(url.hostname);
  return {
    kind: 'postgres',
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? 5432 : Number(url.port),
    user: user?.data ?? null,
    password: password?.data ?? null,
    database: names.data[0],
    table: names.data[1],
    // Where a certificate is named, the server of this machine has to show it as well.
    encrypted: encrypted || tlsCa !== undefined,
    tlsCa: tlsCa ?? null,
  };
}

function plain(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw wrong('The address of the vector store cannot be read.');
  }
}
