import { PgvectorStore } from './pgvector.ts';
import { QdrantStore } from './qdrant.ts';
import type { VectorStoreSettings } from './settings.ts';
import type { VectorStore } from './vector-store.ts';

/** The store of some settings; nothing is sent yet. */
export function openStore(settings: VectorStoreSettings): VectorStore {
  return settings.kind === 'qdrant' ? new QdrantStore(settings) : new PgvectorStore(settings);
}
