import { stat } from 'node:fs/promises';
import type { JetStreamClient } from '@nats-io/jetstream';
import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';
import { EngineError } from '../../wire/errors.ts';
import { ServerFiles } from './files.ts';
import * as names from './names.ts';

/** What a library's machine answers when it is asked for audio. */
export const audioAnswers = { ready: 'ready', later: 'later', none: 'none' } as const;

/** Audio of one library on the server at once. */
const MOST_BYTES = 2 * 2 ** 30;
/** What nobody took away is gone after so long. */
const AUDIO_DAYS = 2;

/** Originals for workers that do not see the library's folder: put onto the server when one is asked for, removed once it was answered. */
export class NatsAudio {
  readonly #connection: NatsConnection;
  readonly #subject: string;
  readonly #files: ServerFiles;
  readonly #sizes = new Map<string, number>();
  readonly #putting = new Map<string, Promise<string>>();
  #served: Subscription | null = null;

  constructor(connection: NatsConnection, js: JetStreamClient, libraryId: string) {
    this.#connection = connection;
    this.#subject = names.audioSubject(libraryId);
    this.#files = new ServerFiles(js, names.audioBucket(libraryId));
  }

  /** In the place of what was served before. @param find where the audio of a content lies; null: it is not asked for any more */
  serve(find: (contentHash: string) => string | null): void {
    const callback = (error: Error | null, message: Msg): void => {
      if (error) return;
      const contentHash = message.string();
      const path = find(contentHash);
      if (path === null) message.respond(audioAnswers.none);
      else
        this.#put(contentHash, path)
          .then((answer) => message.respond(answer))
          // The connection was closed meanwhile.
          .catch(() => undefined);
    };
    this.#served?.unsubscribe();
    this.#served = this.#connection.subscribe(this.#subject, { callback });
  }

  drop(contentHash: string): void {
    if (!this.#sizes.delete(contentHash)) return;
    void this.#files.remove(contentHash).catch(() => undefined);
  }

  destroy(): Promise<void> {
    return this.#files.destroy();
  }

  /** Two that ask for one file are given one. */
  #put(contentHash: string, path: string): Promise<string> {
    const under = this.#putting.get(contentHash);
    if (under) return under;
    const put = this.#fit(contentHash, path)
      .catch((thrown: unknown) => {
        // A file that is gone, changed or cannot be read is said by the worker's refusal; a server that is away is asked again.
        if (thrown instanceof EngineError) return audioAnswers.none;
        const code = thrown instanceof Error && 'code' in thrown ? thrown.code : '';
        return code === 'ENOENT' || code === 'EACCES' ? audioAnswers.none : audioAnswers.later;
      })
      .finally(() => this.#putting.delete(contentHash));
    this.#putting.set(contentHash, put);
    return put;
  }

  async #fit(contentHash: string, path: string): Promise<string> {
    const { size } = await stat(path);
    if (this.#sizes.has(contentHash)) return audioAnswers.ready;
    const held = [...this.#sizes.values()].reduce((sum, each) => sum + each, 0);
    if (held > 0 && held + size > MOST_BYTES) return audioAnswers.later;
    this.#sizes.set(contentHash, size);
    try {
      await this.#files.create(AUDIO_DAYS);
      await this.#files.put(contentHash, path);
    } catch (thrown) {
      this.#sizes.delete(contentHash);
      throw thrown;
    }
    if (this.#sizes.has(contentHash)) return audioAnswers.ready;
    // It was answered meanwhile.
    await this.#files.remove(contentHash);
    return audioAnswers.none;
  }
}
