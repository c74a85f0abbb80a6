import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { someOf } from '../../cli/text.ts';

const root = resolve(import.meta.dirname, '../..');

it('of a thousand names the first are told, and how many more there are', () => {
  const names = Array.from({ length: 1000 }, (_, i) => `c${String(i)}`);
  expect(someOf(names, '; ', 3)).toBe('c0; c1; c2; … 997 more');
  expect(someOf(names.slice(0, 3), '; ', 3)).toBe('c0; c1; c2');
  expect(someOf([])).toBe('');
});

it('counts things in right grammar: no number of them stands beside a plural that is fixed', () => {
  const sources = readdirSync(join(root, 'cli'), { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  expect(sources.length).toBeGreaterThan(40);
  const things =
    'classes|experiments|files|labels|libraries|melodies|notes|playlists|prototypes|rows|sets|sounds|spaces|tracks|windows';
  const fixed = new RegExp(`\\} (${things})\\b(?! a second)`);
  const found = sources.flatMap((file) =>
    readFileSync(join(root, 'cli', file), 'utf8')
      .split('\n')
      .filter((line) => fixed.test(line))
      .map((line) => `${file}: ${line.trim()}`),
  );
  expect(found, 'counted() of engine/counted.ts says “1 track” and “2 tracks”').toEqual([]);
});
