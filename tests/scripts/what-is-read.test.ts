import { build, type Metafile } from 'esbuild';
import { resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const external = [
  'electron',
  'koffi',
  'libsql',
  'onnxruntime-node',
  '@wasm-audio-decoders/opus-ml',
  'pg-native',
];

/** What is read before a line of an entry runs: sources and modules that are not bundled, by name. */
function readAtOnce({ inputs }: Metafile, entry: string): Set<string> {
  const read = new Set<string>();
  const next = [entry];
  for (let path = next.pop(); path !== undefined; path = next.pop()) {
    if (read.has(path)) continue;
    read.add(path);
    for (const { path: imported, kind } of inputs[path]?.imports ?? [])
      if (kind !== 'dynamic-import') next.push(imported);
  }
  return read;
}

describe('what is read before a command does anything', () => {
  let metafile: Metafile;
  beforeAll(async () => {
    ({ metafile } = await build({
      ...{ absWorkingDir: root, entryPoints: ['cli/main.ts'], outdir: 'dist/node', external },
      ...{ bundle: true, splitting: true, format: 'esm', platform: 'node', metafile: true, write: false },
      logLevel: 'error',
    }));
  });

  it('is no engine, no database, no runtime of models and no client of a server', () => {
    const read = readAtOnce(metafile, 'cli/main.ts');
    expect(read).toContain('cli/program.ts');
    const heavy =
      /^(engine\/engine\.ts|libsql|onnxruntime-node|koffi|models\/audio\/decode\.ts)|node_modules\/(@nats-io|pg|protobufjs|hyparquet)/;
    expect([...read].filter((path) => heavy.test(path))).toEqual([]);
  });

  it('leaves out what is not used of the schema library, which `import { z }` brings as a whole', () => {
    const brought = Object.values(metafile.outputs).flatMap(({ inputs }) =>
      Object.entries(inputs)
        .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
        .map(([path]) => path),
    );
    expect(brought).toContain('node_modules/zod/v4/classic/schemas.js');
    expect(brought.filter((path) => /zod\/v4\/locales\/(?!en\.)/.test(path))).toEqual([]);
  });

  it('is no client of a server where a library is opened', () => {
    const read = readAtOnce(metafile, 'cli/session.ts');
    expect(read).toContain('engine/engine.ts');
    expect([...read].filter((path) => /node_modules\/(@nats-io|pg)\//.test(path))).toEqual([]);
  });
});
