import { answer } from '../answer.ts';
import type { Handlers } from '../api/contract.ts';
import type { EngineContext } from '../context.ts';

type Part = Pick<Handlers, 'queue.get' | 'queue.connect' | 'queue.disconnect' | 'queue.watch'>;

/** The machines that help. */
export function queueHandlers({ queue }: EngineContext): Part {
  return {
    'queue.get': () => answer(() => queue.now),
    'queue.connect': (input) => queue.connect(input),
    'queue.disconnect': async () => {
      await queue.disconnect();
      return null;
    },
    'queue.watch': async function* (_, { signal }) {
      const { watchQueue } = await import('./nats/observe.ts');
      yield* watchQueue(await queue.settings(), signal);
    },
  };
}
