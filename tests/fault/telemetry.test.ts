import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bundled } from '../support/bundles.ts';
import { testFolder, tinyPacks } from '../support/music.ts';

const root = resolve(import.meta.dirname, '../..');

describe('ONNX Runtime', () => {
  it('writes nothing about the machine or its use into the home folder', async () => {
    const home = testFolder();
    const script = await bundled('tests/support/session-child.ts');
    const graph = join(await tinyPacks(), 'compact', 'features.onnx');
    const env: NodeJS.ProcessEnv = { ...process.env, HOME: home, USERPROFILE: home };
    for (const name of ['ORT_DISABLE_TELEMETRY', 'XDG_CACHE_HOME']) Reflect.deleteProperty(env, name);
    execFileSync(process.execPath, [script, graph], { env });
    expect(readdirSync(home)).toEqual([]);
  });

  it('is reached through one door, which tells it so', () => {
    const importing = ['models', 'engine', 'cli', 'electron'].flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts'))
        .map((name) => join(folder, name).replaceAll('\\', '/'))
        .filter((path) => /from 'onnxruntime-(node|common)'/.test(readFileSync(join(root, path), 'utf8'))),
    );
    expect(importing).toEqual(['models/onnx/runtime.ts']);
  });
});
