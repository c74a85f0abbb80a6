import { connect, EngineError } from '../wire/index.ts';
import type { Connection, Port } from '../wire/index.ts';
import { contract } from './contract.ts';
import type { Contract } from './contract.ts';

/** The engine at the other end of a port. When the port closes, everything pending fails with `engine-restarted`. */
export function connectEngine(port: Port): Connection<Contract> {
  return connect(port, contract, {
    lost: () => new EngineError('engine-restarted', 'The engine was restarted.', 'Try again in a moment.'),
  });
}
