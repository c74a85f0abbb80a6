import type { Msg, NatsConnection } from '@nats-io/transport-node';
import type { LeasedTask } from '../transport.ts';

/** What a worker says to the server of a message that it was handed, in the protocol of JetStream. */
const says = { done: '+ACK', working: '+WPI', handBack: '-NAK' };
const ACK_MS = 5000;

/** A message of a stream that was pulled. */
export function leasedTask(connection: NatsConnection, message: Msg, libraryId: string): LeasedTask {
  const { reply = '', subject, data } = message;
  const say = (text: string): void => {
    if (!connection.isClosed()) connection.publish(reply, text);
  };
  return {
    libraryId,
    key: subject.split('.').at(-1) ?? '',
    bytes: data,
    deliveries: deliveriesOf(reply),
    working: () => say(says.working),
    done: async () => {
      // One that is lost only means that somebody does the task again.
      await connection.request(reply, says.done, { timeout: ACK_MS }).catch(() => undefined);
    },
    handBack: (afterMs) =>
      say(afterMs === undefined ? says.handBack : `${says.handBack} {"delay": ${Math.round(afterMs * 1e6)}}`),
  };
}

/**
 * `$JS.ACK.<stream>.<consumer>.<deliveries>.…`, of later servers `$JS.ACK.<domain>.<account>.<stream>.<consumer>.<deliveries>.…`
 */
function deliveriesOf(reply: string): number {
  const tokens = reply.split('.');
  return Number(tokens.length >= 11 ? tokens[6] : tokens[4]);
}
