import { expect, it } from 'vitest';
import { runCli } from '../support/cli.ts';
import { testFolder } from '../support/music.ts';

it.each([
  { words: [], says: 'Neither files nor a library are named.' },
  { words: ['a.wav', '--library', 'L'], says: 'Files and a library are named.' },
  { words: ['a.wav', '--taxonomy', 'Heard'], says: 'A taxonomy is of a library.' },
  { words: ['--library', 'L', '--labels', 'x.csv'], says: 'A label file is of files.' },
  { words: ['--library', 'L', '--over-time'], says: 'What each patch is said to be is of files.' },
])('archetone tags says what does not go together: $words', async ({ words, says }) => {
  const { code, stderr } = await runCli(['tags', ...words, '--pack', 'p']);
  expect(code).not.toBe(0);
  expect(stderr).toContain(says);
});

it('archetone tracks sorts by a tag that is named', async () => {
  const { code, stderr } = await runCli(['tracks', '--library', testFolder(), '--sort', 'tag']);
  expect(code).not.toBe(0);
  expect(stderr).toContain('No tag to sort by was named.');
});
