import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/temporary.ts';

const root = join(import.meta.dirname, '../..');

/** What the layer rules say about a tree of files. */
async function violations(files: Record<string, string>): Promise<string[]> {
  const folder = await temporaryFolder();
  for (const [path, text] of Object.entries({ 'tsconfig.json': '{}', ...files })) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs'),
      ...['--config', join(root, '.dependency-cruiser.mjs'), '--output-type', 'json', 'models'],
    ],
    { cwd: folder },
  ).catch((failed: unknown) => failed as { stdout: string });
  const { summary } = JSON.parse(stdout) as { summary: { violations: { rule: { name: string } }[] } };
  return summary.violations.map(({ rule }) => rule.name);
}

describe('the layer rules', () => {
  it('let a lower line use an upper one', async () => {
    const files = {
      'models/numerics/a.ts': 'export const a = 1;',
      'models/knn/b.ts': "export { a } from '../numerics/a.ts';",
    };
    expect(await violations(files)).toEqual([]);
  });

  it('refuse an arrow back up, of types too', async () => {
    const files = {
      'models/knn/b.ts': 'export type B = number;',
      'models/numerics/a.ts': "import type { B } from '../knn/b.ts';\nexport const a: B = 1;",
    };
    expect(await violations(files)).toEqual([expect.stringContaining('models-numerics')]);
  });

  it('refuse circles of files and of folders', async () => {
    const files = {
      'models/knn/a.ts': "import { b } from './b.ts';\nexport const a = () => b;",
      'models/knn/b.ts': "import { a } from './a.ts';\nexport const b = () => a;",
      'models/knn/c.ts': "export { d } from '../packs/d.ts';",
      'models/packs/d.ts': 'export const d = 1;',
      'models/packs/e.ts': "export { a } from '../knn/a.ts';",
    };
    expect(new Set(await violations(files))).toEqual(new Set(['no-circle-of-files', 'no-circle-of-folders']));
  });

  it('refuse a folder that was given no place', async () => {
    const files = {
      'models/misc/a.ts': "export { b } from '../numerics/b.ts';",
      'models/numerics/b.ts': 'export const b = 1;',
    };
    expect(await violations(files)).toEqual(['models-place']);
  });
});
