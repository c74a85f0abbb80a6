/** Engine side of the hidden decoder window: runs in the engine process. */
import type { MessagePortMain } from 'electron';
import type { EngineOptions } from '../engine/engine.ts';
import { decoderMessageSchema } from './engine-messages.ts';
import type { DecoderMessage, FromEngine } from './engine-messages.ts';

type ExternalDecoder = NonNullable<EngineOptions['externalDecoder']>;
type PcmStream = Awaited<ReturnType<ExternalDecoder>>;
type PcmChunk = PcmStream['chunks'] extends AsyncIterable<infer Chunk> ? Chunk : never;

const idleTimeoutMs = 30_000;

/** Messages of one decode, in order; `next` rejects when the decoder is lost, idle for too long, or aborted. */
class DecoderInbox {
  private readonly queue: DecoderMessage[] = [];
  private waiting: { resolve(message: DecoderMessage): void; reject(error: Error): void } | null = null;
  private failure: Error | null = null;

  push(message: DecoderMessage): void {
    if (this.waiting) {
      this.waiting.resolve(message);
      this.waiting = null;
    } else {
      this.queue.push(message);
    }
  }

  fail(error: Error): void {
    this.failure ??= error;
    this.waiting?.reject(this.failure);
    this.waiting = null;
  }

  next(): Promise<DecoderMessage> {
    const message = this.queue.shift();
    if (message) return Promise.resolve(message);
    if (this.failure) return Promise.reject(this.failure);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.fail(new Error('The decoder did not answer.')), idleTimeoutMs);
      this.waiting = {
        resolve: (value) => {
          clearTimeout(timer);
          resolve(value);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
    });
  }
}

/** Asks main for decodes and turns what comes back over the ports into PCM streams. */
export class ExternalDecoderBroker {
  private lastId = 0;
  private readonly inboxes = new Map<number, { inbox: DecoderInbox; port: MessagePortMain | null }>();

  constructor(
    private readonly post: (message: FromEngine) => void,
    private readonly tokenFor: (path: string) => string,
  ) {}

  readonly decode: ExternalDecoder = async (path, { signal }): Promise<PcmStream> => {
    signal.throwIfAborted();
    const id = ++this.lastId;
    const entry: { inbox: DecoderInbox; port: MessagePortMain | null } = {
      inbox: new DecoderInbox(),
      port: null,
    };
    this.inboxes.set(id, entry);
    const abort = (): void => entry.inbox.fail(new DOMException('Cancelled', 'AbortError'));
    signal.addEventListener('abort', abort, { once: true });
    const finish = (): void => {
      signal.removeEventListener('abort', abort);
      entry.port?.postMessage('stop');
      entry.port?.close();
      this.inboxes.delete(id);
      this.post({ type: 'decode-done', id });
    };
    this.post({ type: 'decode', id, token: this.tokenFor(path) });
    try {
      const first = await entry.inbox.next();
      if (first.type === 'error') throw new Error(first.message);
      if (first.type !== 'format') throw new Error('The file holds no audio.');
      return {
        sampleRate: first.sampleRate,
        channels: first.channels,
        chunks: chunks(entry, first.sampleRate, finish),
      };
    } catch (thrown) {
      finish();
      throw thrown;
    }
  };

  connected(id: number, port: MessagePortMain): void {
    const entry = this.inboxes.get(id);
    if (!entry) {
      port.close();
      return;
    }
    entry.port = port;
    port.on('message', (event) => {
      const parsed = decoderMessageSchema.safeParse(event.data);
      if (parsed.success) entry.inbox.push(parsed.data);
      else entry.inbox.fail(new Error('The decoder sent something unexpected.'));
    });
    port.on('close', () => entry.inbox.fail(new Error('The decoder went away.')));
    port.start();
  }

  lost(id: number, message: string): void {
    this.inboxes.get(id)?.inbox.fail(new Error(message));
  }
}

async function* chunks(
  entry: { inbox: DecoderInbox; port: MessagePortMain | null },
  firstRate: number,
  finish: () => void,
): AsyncGenerator<PcmChunk> {
  let sampleRate = firstRate;
  try {
    for (;;) {
      const message = await entry.inbox.next();
      if (message.type === 'end') return;
      if (message.type === 'error') throw new Error(message.message);
      // A file may change its rate on the way.
      if (message.type === 'format') sampleRate = message.sampleRate;
      if (message.type === 'samples') {
        yield { sampleRate, channelData: message.planes };
        entry.port?.postMessage('taken');
      }
    }
  } finally {
    finish();
  }
}
