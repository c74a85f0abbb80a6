import type { GraphName, Pack } from './manifest.ts';
import { GraphSession } from './session.ts';

/** What {@link verifyPack} checked. */
export interface VerificationReport {
  packId: string;
  version: string;
  /** Of `pack.json`. */
  sha256: string;
  graphs: { name: GraphName; file: string; bytes: number; sha256: string }[];
  milliseconds: number;
}

/**
 * Checks every graph of a pack: regular files of the promised size and SHA-256, no external data, and inputs and
 * outputs of the promised names, types and shapes, read through an ONNX Runtime session on the CPU.
 * @throws PackError on the first fault; the signal's reason
 */
export async function verifyPack(pack: Pack, signal?: AbortSignal): Promise<VerificationReport> {
  const started = performance.now();
  const graphs: VerificationReport['graphs'] = [];
  for (const name of Object.keys(pack.manifest.graphs) as GraphName[]) {
    const entry = pack.manifest.graphs[name];
    if (!entry) continue;
    signal?.throwIfAborted();
    const session = await GraphSession.open(pack, name, { provider: 'cpu', threads: 1 }, signal);
    await session.close();
    graphs.push({ name, ...entry });
  }
  return {
    packId: pack.manifest.id,
    version: pack.manifest.version,
    sha256: pack.sha256,
    graphs,
    milliseconds: performance.now() - started,
  };
}
