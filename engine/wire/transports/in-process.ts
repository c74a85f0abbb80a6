import { PortListeners } from '../port.ts';
import type { Port } from '../port.ts';

/** Two ends in one process. Messages are handed over as they are, not copied, always in a later turn. */
export function portPair(): [Port, Port] {
  const a = new PortListeners();
  const b = new PortListeners();
  const close = (): void => {
    a.close();
    b.close();
  };
  const end = (own: PortListeners, other: PortListeners): Port => ({
    post: (message) => {
      if (!other.closed) queueMicrotask(() => other.message(message));
    },
    onMessage: own.onMessage,
    onUnreadable: own.onUnreadable,
    onClose: own.onClose,
    close,
  });
  return [end(a, b), end(b, a)];
}
