/** Engine side of the provider checks: runs in the engine process. */
import type { EngineOptions } from '../engine/engine.ts';
import { z } from 'zod';
import type { FromEngine } from './engine-messages.ts';

type ProviderRunner = NonNullable<EngineOptions['providerRunner']>;
type Measurement = Awaited<ReturnType<ProviderRunner>>;

const replySchema = z.union([
  z.object({ error: z.string() }),
  z.object({ measurement: z.custom<Measurement>((value) => typeof value === 'object' && value !== null) }),
]);

/** Asks main to measure a provider in a process of its own. */
export class ProviderRunnerBroker {
  private lastId = 0;
  private readonly waiting = new Map<number, (reply: unknown) => void>();

  constructor(private readonly post: (message: FromEngine) => void) {}

  readonly run: ProviderRunner = (request, signal) =>
    new Promise((resolve, reject) => {
      const id = ++this.lastId;
      const cancel = (): void => {
        this.waiting.delete(id);
        this.post({ type: 'cancel-provider', id });
        reject(new DOMException('Cancelled', 'AbortError'));
      };
      this.waiting.set(id, (reply) => {
        signal.removeEventListener('abort', cancel);
        const parsed = replySchema.safeParse(reply);
        if (!parsed.success) reject(new Error('The check answered something unexpected.'));
        else if ('error' in parsed.data) reject(new Error(parsed.data.error));
        else resolve(parsed.data.measurement);
      });
      signal.addEventListener('abort', cancel, { once: true });
      this.post({ type: 'check-provider', id, request });
    });

  answered(id: number, reply: unknown): void {
    this.waiting.get(id)?.(reply);
    this.waiting.delete(id);
  }
}
