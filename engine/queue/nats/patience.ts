import { setTimeout as sleep } from 'node:timers/promises';
import {
  ClosedConnectionError,
  NoRespondersError,
  TimeoutError,
  type NatsConnection,
} from '@nats-io/transport-node';
import { JetStreamApiError } from '@nats-io/jetstream';
import { EngineError } from '../../wire/errors.ts';

const LONGEST_WAIT_MS = 5000;

/**
 * Repeats what a server that is away, or begins anew, did not answer, until it is there again. What is asked must do no harm
 * twice.
 * @throws EngineError `queue` once the connection is closed; the signal's reason; every other error of `work`
 */
export async function patiently<T>(
  connection: NatsConnection,
  work: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  for (let wait = 100; ; wait = Math.min(2 * wait, LONGEST_WAIT_MS)) {
    signal?.throwIfAborted();
    if (connection.isClosed()) throw closed();
    try {
      return await work();
    } catch (thrown) {
      if (connection.isClosed() || thrown instanceof ClosedConnectionError) throw closed(thrown);
      if (!isAway(thrown)) throw thrown;
    }
    await sleep(wait, undefined, { signal }).catch(() => undefined);
  }
}

/** The server did not answer; not: it answered no. */
export function isAway(thrown: unknown): boolean {
  // It is there and has no room, or is not ready yet.
  if (thrown instanceof JetStreamApiError) return thrown.status === 503 && !hangsOut(thrown);
  if (thrown instanceof TimeoutError || thrown instanceof NoRespondersError) return true;
  // What JetStream asks for and nobody answers is wrapped in an error of its own.
  return thrown instanceof Error && thrown.cause !== undefined && isAway(thrown.cause);
}

/** The server kept what was there under this subject: it holds one of each. */
export function hangsOut(thrown: unknown): boolean {
  return thrown instanceof JetStreamApiError && thrown.message.includes('per subject');
}

function closed(cause?: unknown): EngineError {
  return new EngineError(
    'queue',
    'The connection to the queue was closed.',
    'Check that the server lets this machine in, and start again.',
    { cause },
  );
}
