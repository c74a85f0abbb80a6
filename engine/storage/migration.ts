import type { Database } from './database.ts';

/** One step of a schema: SQL, or what SQL alone cannot do. It runs in a transaction of its own. */
export type Migration = string | ((db: Database) => void);
