import { z } from 'zod';
import { EngineError } from '../api/errors.ts';

/** A store that somebody runs, and how one gets in. */
export interface VectorStoreSettings {
  /** `http://host:6333` or `https://…`, without anything behind it. */
  origin: string;
  collection: string;
  /** Sent to the origin and nowhere else; in no message and no file. */
  key: string | null;
}

const collectionSchema = z.string().regex(/^[A-Za-z0-9._-]{1,128}$/);
/** What a header can carry. */
const keySchema = z.string().regex(/^[\x21-\x7e]{1,4000}$/);
const OWN = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/i;
const HOW = 'Write qdrant://host:6333/collection; on another machine it is reached over TLS.';

/**
 * Reads the address of a store. Of another machine it is reached over TLS: audio cannot be had back from vectors, but who
 * sings can be.
 * @param key what lets one in
 * @throws EngineError `bad-input`
 */
export function storeSettings(address: string, key: string | undefined): VectorStoreSettings {
  const wrong = (what: string): EngineError => new EngineError('bad-input', what, HOW);
  if (!URL.canParse(address)) throw wrong('The address of the vector store cannot be read.');
  const url = new URL(address);
  if (url.protocol !== 'qdrant:')
    throw wrong(`“${url.protocol}//” is no vector store that Archetone knows: there is qdrant://.`);
  if (url.username !== '' || url.password !== '')
    throw new EngineError(
      'bad-input',
      'The address of a vector store takes no password.',
      'Other users of a machine see what programs were told: set ARCHETONE_STORE_KEY.',
    );
  const collection = collectionSchema.safeParse(url.pathname.slice(1));
  if (!collection.success || url.hostname === '' || url.search !== '' || url.hash !== '')
    throw wrong('The address of a vector store is its host and the name of a collection.');
  const secret = key === undefined || key === '' ? null : keySchema.safeParse(key);
  if (secret?.success === false) throw wrong('The key of the vector store holds what no key can hold.');
  const scheme = OWN.test(url.hostname) ? 'http' : 'https';
  return {
    origin: `${scheme}://${url.hostname}:${url.port === '' ? '6333' : url.port}`,
    collection: collection.data,
    key: secret?.data ?? null,
  };
}
