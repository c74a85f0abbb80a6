import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { storeSettings, type PostgresSettings } from '../../engine/stores/settings.ts';

export interface TestPostgres {
  /** Of a table; over TLS where a certificate that vouches for it is asked for. */
  settings(table: string, options?: { tls?: string }): PostgresSettings;
  /** The certificate it shows over TLS. */
  certificate: string;
  /** Of its process; null where it is the server of `ARCHETONE_POSTGRES`. */
  pid: number | null;
  stop: () => void;
}

/**
 * A PostgreSQL with pgvector: the server of `ARCHETONE_POSTGRES` (`postgres://user:password@localhost:5432/database`, its
 * certificate in `ARCHETONE_POSTGRES_CA`), else the same code as WebAssembly, in a process of its own.
 */
export async function startPostgres(): Promise<TestPostgres> {
  const real = process.env['ARCHETONE_POSTGRES'];
  if (real !== undefined)
    return {
      settings: (table, { tls } = {}) => of(`${real}/${table}`, tls),
      certificate: process.env['ARCHETONE_POSTGRES_CA'] ?? '',
      pid: null,
      stop: () => undefined,
    };
  const folder = mkdtempSync(join(tmpdir(), 'archetone-pglite-'));
  const certificate = join(folder, 'server.pem');
  const key = join(folder, 'server.key');
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  execFileSync(
    'openssl',
    ['req', '-x509', ...curve, '-nodes', ...subject, '-keyout', key, '-out', certificate],
    {
      stdio: 'ignore',
    },
  );
  // Benchmarks are bundled as of a folder beside this one.
  const script = join(import.meta.dirname, '../support/pglite-server.mjs');
  const server = spawn(process.execPath, [script, certificate, key], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface(server.stdout)[Symbol.asyncIterator]();
  const first: IteratorResult<string, undefined> = await lines.next();
  const [plain, encrypted] = (first.value ?? '').split(' ');
  return {
    settings: (table, { tls } = {}) =>
      of(`postgres://anna@localhost:${tls === undefined ? plain : encrypted}/postgres/${table}`, tls),
    certificate,
    pid: server.pid ?? null,
    stop: () => {
      server.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function of(address: string, tlsCa?: string): PostgresSettings {
  const settings = storeSettings(address, { tlsCa });
  if (settings.kind === 'postgres') return settings;
  throw new Error(`${address} is no PostgreSQL`);
}
