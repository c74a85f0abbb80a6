import { utilityProcess } from 'electron';
import { providerContract } from '../engine/packs/provider-contract.ts';
import { connect } from '../engine/wire/connect.ts';
import type { OutputOf, ParsedInputOf } from '../engine/wire/contract.ts';
import { paths } from './paths.ts';
import { utilityPort } from './ports.ts';

type ProviderContract = typeof providerContract;

/**
 * Measures an execution provider in a utility process of its own: a driver that hangs or crashes takes nothing with it.
 * Only main can start such a process, so the engine asks for it.
 * @throws EngineError of the measurement; Error when the process ended without a word
 */
export async function checkProvider(
  request: ParsedInputOf<ProviderContract, 'measure'>,
  signal: AbortSignal,
): Promise<OutputOf<ProviderContract, 'measure'>> {
  const child = utilityProcess.fork(paths.providerChild, [], { serviceName: 'Archetone provider check' });
  const connection = connect(utilityPort(child), providerContract, {
    lost: (reason) => new Error(`the check ${reason?.message ?? 'ended'}`),
  });
  try {
    await new Promise<void>((resolve) => {
      child.once('spawn', resolve);
      child.once('exit', () => resolve());
    });
    return await connection.call('measure', request, { signal });
  } finally {
    connection.close();
  }
}
