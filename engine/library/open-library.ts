import { join } from 'node:path';
import type { LibrarySummary, TrackState } from '../api/domain.ts';
import { EngineError } from '../api/errors.ts';
import type { OpenLibrary } from '../context.ts';
import type { Database } from '../storage/database.ts';

interface SettingsRow {
  id: string;
  name: string;
  folder: string;
  pack_id: string;
  windows: string;
  is_demo: number;
  created_at: string;
  opened_at: string;
}

export interface LibrarySettings {
  folder: string;
  packId: string;
  windows: 'all' | number;
}

/** As text: `all` or the number. */
export function windowsToText(windows: 'all' | number): string {
  return String(windows);
}

function windowsFromText(text: string): 'all' | number {
  return text === 'all' ? 'all' : Number(text);
}

/** A library with its databases open. Settings live in the database, so every reader sees a change at once. */
export class LibraryHandle implements OpenLibrary {
  readonly id: string;
  readonly dataFolder: string;
  readonly db: Database;

  constructor(id: string, dataFolder: string, db: Database) {
    this.id = id;
    this.dataFolder = dataFolder;
    this.db = db;
  }

  folder(): string {
    return this.#settings().folder;
  }

  packId(): string {
    return this.#settings().pack_id;
  }

  windows(): 'all' | number {
    return windowsFromText(this.#settings().windows);
  }

  absolutePath(trackPath: string): string {
    return join(this.folder(), ...trackPath.split('/'));
  }

  differs({ folder, packId, windows }: Partial<LibrarySettings>): boolean {
    return (
      (folder ?? this.folder()) !== this.folder() ||
      (packId ?? this.packId()) !== this.packId() ||
      (windows ?? this.windows()) !== this.windows()
    );
  }

  /** Changes settings; tracks whose embeddings no longer fit wait for the next import. */
  change(settings: Partial<LibrarySettings>): void {
    const before = this.#settings();
    const next = {
      folder: settings.folder ?? before.folder,
      packId: settings.packId ?? before.pack_id,
      windows: windowsToText(settings.windows ?? windowsFromText(before.windows)),
    };
    this.db.transaction(() => {
      this.db
        .prepare('UPDATE library SET folder = ?, pack_id = ?, windows = ?')
        .run([next.folder, next.packId, next.windows]);
      if (next.packId !== before.pack_id || next.windows !== before.windows) {
        this.db.prepare(`UPDATE tracks SET state = 'pending' WHERE state = 'ready'`).run();
      }
    })();
  }

  touch(): void {
    this.db.prepare('UPDATE library SET opened_at = ?').run([new Date().toISOString()]);
  }

  summary(): LibrarySummary {
    const settings = this.#settings();
    const tracks = { total: 0, ready: 0, failed: 0, pending: 0, missing: 0 };
    let windowCount = 0;
    let durationSeconds = 0;
    const rows = this.db
      .prepare<{ state: TrackState; tracks: number; windows: number; seconds: number }>(
        `SELECT state, COUNT(*) AS tracks, TOTAL(window_count) AS windows, TOTAL(duration_seconds) AS seconds
           FROM tracks GROUP BY state`,
      )
      .all();
    for (const row of rows) {
      tracks[row.state] = row.tracks;
      tracks.total += row.tracks;
      if (row.state === 'ready') windowCount = row.windows;
      if (row.state !== 'missing') durationSeconds += row.seconds;
    }
    return {
      id: settings.id,
      name: settings.name,
      folders: [settings.folder],
      dataFolder: this.dataFolder,
      packId: settings.pack_id,
      windows: windowsFromText(settings.windows),
      tracks,
      windowCount,
      durationSeconds,
      isDemo: settings.is_demo === 1,
      createdAt: settings.created_at,
      openedAt: settings.opened_at,
    };
  }

  #settings(): SettingsRow {
    const row = this.db.prepare<SettingsRow>('SELECT * FROM library').get();
    if (row) return row;
    throw new EngineError(
      'database',
      `The database ${this.db.path} holds no library.`,
      'Put a copy from the backups folder beside it in its place, or remove the library and import it again.',
    );
  }
}
