import { QdrantStore } from './qdrant.ts';
import type { VectorStoreSettings } from './settings.ts';
import type { VectorStore } from './vector-store.ts';

/** The store of some settings; nothing is sent yet. */
export async function openStore(settings: VectorStoreSettings): Promise<VectorStore> {
  if (settings.kind === 'qdrant') return new QdrantStore(settings);
  // Few have one: its client is read when it is wanted.
  const { PgvectorStore } = await import('./pgvector.ts');
  return new PgvectorStore(settings);
}
