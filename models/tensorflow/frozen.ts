import { CheckpointError } from '../checkpoint/errors.ts';
import { damaged, type TfGraph } from './graph.ts';
import { decodeGraph, type GraphMessage } from './messages.ts';
import { MOST_PARTS, partsOf } from './parts.ts';
import { readGraph } from './read-graph.ts';

/**
 * Reads a frozen TensorFlow graph (`.pb`): nothing of it is run.
 * @throws CheckpointError `not-a-checkpoint`, `malformed`
 */
export function readFrozenGraph(bytes: Uint8Array): TfGraph {
  let message: GraphMessage | null = null;
  let cause: unknown;
  let parts = 0;
  try {
    parts = partsOf(bytes);
    if (parts <= MOST_PARTS) message = decodeGraph(bytes);
  } catch (thrown) {
    cause = thrown;
  }
  if (parts > MOST_PARTS) throw damaged('it has more parts than any network');
  if (message === null || message.node.length === 0)
    throw new CheckpointError(
      'not-a-checkpoint',
      'it is not a frozen TensorFlow graph',
      'Choose the .pb that is published as a frozen graph, not the saved_model.pb of a folder.',
      { cause },
    );
  return readGraph(message);
}
