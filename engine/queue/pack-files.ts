import { join } from 'node:path';
import { encoderGraphs, type Pack } from '../../models/packs/index.ts';
import type { TaskBoard } from './transport.ts';

/** The graphs of a pack that make vectors: what travels of it beside its manifest. */
export function encoderFiles(manifest: Pack['manifest']): { file: string; sha256: string }[] {
  const parts = encoderGraphs(manifest).map((name) => manifest.graphs[name]);
  return parts.flatMap((graph) => (graph ? [{ file: graph.file, sha256: graph.sha256 }] : []));
}

/** Puts into the queue what a worker needs of a pack that it has not; what is there already stays. */
export async function offerPack(board: TaskBoard, { folder, manifest, sha256 }: Pack): Promise<void> {
  for (const { file, sha256: own } of encoderFiles(manifest)) await board.putFile(own, join(folder, file));
  // Last: whoever finds it finds the rest.
  await board.putFile(sha256, join(folder, 'pack.json'));
}
