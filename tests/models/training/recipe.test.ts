import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const recipe = join(import.meta.dirname, '../../../models/training');
const python = process.env['ARCHETONE_PYTHON'] ?? 'python3';
const missing = spawnSync(python, ['--version']).status !== 0;

describe.skipIf(missing)(`the training recipe${missing ? ` (skipped: no ${python})` : ''}`, () => {
  it('passes its own tests; those that need PyTorch or NumPy skip themselves without it', () => {
    const { status, stderr } = spawnSync(python, ['-m', 'unittest', 'discover', '-s', 'tests'], {
      cwd: recipe,
      env: { ...process.env, PYTHONPATH: recipe, PYTHONDONTWRITEBYTECODE: '1', OMP_NUM_THREADS: '1' },
      encoding: 'utf8',
    });
    expect(stderr).toMatch(/OK( \(skipped=\d+\))?\s*$/);
    expect(stderr).toMatch(/Ran [1-9]\d* tests/);
    expect(status).toBe(0);
  }, 120_000);
});
