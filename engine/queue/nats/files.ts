import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { JetStreamClient } from '@nats-io/jetstream';
import { StorageType } from '@nats-io/jetstream';
import { Objm, type ObjectStore } from '@nats-io/obj';
import { EngineError } from '../../wire/errors.ts';

const DAY_NS = 24 * 3600 * 1e9;

/** Files on the server that are found by their hash: whatever arrives is checked against the name it was asked for by. */
export class ServerFiles {
  readonly #manager: Objm;
  readonly #bucket: string;
  #store: Promise<ObjectStore> | null = null;

  constructor(js: JetStreamClient, bucket: string) {
    this.#manager = new Objm(js);
    this.#bucket = bucket;
  }

  /** Makes the store; whoever only reads has no right to. @param days after which what nobody removed is gone */
  async create(days: number): Promise<void> {
    const made = this.#manager.create(this.#bucket, { storage: StorageType.File, ttl: days * DAY_NS });
    this.#store = made;
    made.catch(() => (this.#store = null));
    await made;
  }

  async has(sha256: string): Promise<boolean> {
    const info = await (await this.#opened())?.info(sha256);
    return info !== null && info !== undefined && !info.deleted;
  }

  /** @throws EngineError `queue` when the file has another hash by now; a system error when it cannot be read */
  async put(sha256: string, path: string): Promise<void> {
    if (await this.has(sha256)) return;
    const { size } = await stat(path);
    const store = await this.#opened();
    if (size === 0 || !store) throw new EngineError('queue', `${path} cannot be put into the queue.`);
    const hash = createHash('sha256');
    const read = async function* (): AsyncGenerator<Buffer, void> {
      for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
        hash.update(chunk);
        yield chunk;
      }
    };
    // Node's stream of the web is the standard's, under another type.
    const stream = Readable.toWeb(Readable.from(read())) as ReadableStream<Uint8Array>;
    await store.put({ name: sha256 }, stream);
    if (hash.digest('hex') === sha256) return;
    await store.delete(sha256);
    throw new EngineError('queue', `${path} changed before it could be put into the queue.`);
  }

  /** @returns false when there is none @throws EngineError `queue` when it is another one */
  async fetch(sha256: string, path: string, limit = Infinity): Promise<boolean> {
    const found = await (await this.#opened())?.get(sha256);
    if (!found) return false;
    const part = `${path}.${process.pid}.part`;
    const hash = createHash('sha256');
    const file = await open(part, 'w');
    const reader = found.data.getReader();
    let bytes = 0;
    try {
      for (let next = await reader.read(); !next.done; next = await reader.read()) {
        bytes += next.value.length;
        if (bytes > limit) throw new EngineError('queue', `A file of the queue is larger than it may be.`);
        hash.update(next.value);
        await file.write(next.value);
      }
      const broken = await found.error;
      if (broken) throw broken;
      await file.close();
      if (hash.digest('hex') !== sha256)
        throw new EngineError('queue', 'The queue gave another file than the one asked for.');
      await rename(part, path);
      return true;
    } catch (thrown) {
      await reader.cancel().catch(() => undefined);
      await file.close().catch(() => undefined);
      await rm(part, { force: true });
      throw thrown;
    }
  }

  /** Bytes that lie there now. */
  async size(): Promise<number> {
    const store = await this.#opened();
    return store ? (await store.status()).size : 0;
  }

  /** Removes the store and all that is in it. */
  async destroy(): Promise<void> {
    await (await this.#opened())?.destroy();
    this.#store = null;
  }

  /** @returns the hash that it is found by */
  async putBytes(bytes: Uint8Array): Promise<string> {
    const sha256 = sha256Of(bytes);
    const store = await this.#opened();
    if (!store) throw new EngineError('queue', 'The queue has no place for large answers.');
    if (!(await this.has(sha256))) await store.putBlob({ name: sha256 }, bytes);
    return sha256;
  }

  /** @returns null when there is none, it is larger than `limit`, or another one */
  async fetchBytes(sha256: string, limit: number): Promise<Uint8Array | null> {
    const store = await this.#opened();
    const info = await store?.info(sha256);
    if (!store || !info || info.deleted || info.size > limit) return null;
    const bytes = await store.getBlob(sha256);
    return bytes !== null && sha256Of(bytes) === sha256 ? bytes : null;
  }

  async remove(sha256: string): Promise<void> {
    await (await this.#opened())?.delete(sha256);
  }

  /** Null while nobody made it. */
  async #opened(): Promise<ObjectStore | null> {
    if (this.#store) return this.#store;
    const opened = this.#manager.open(this.#bucket);
    this.#store = opened;
    try {
      return await opened;
    } catch {
      this.#store = null;
      return null;
    }
  }
}

const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
