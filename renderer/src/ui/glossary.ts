import text from '../../../docs/glossary.md?raw';

export interface Term {
  name: string;
  meaning: string;
}

/** Plain text of a cell: the window shows words, not Markdown. */
const plain = (cell: string): string => cell.replaceAll(/[*`]/g, '').trim();

/** The glossary of the documentation: one source for the file, for explanations where a term stands, and for Help. */
export const glossary: readonly Term[] = text
  .split('\n')
  .filter((line) => line.startsWith('| **'))
  .map((line) => {
    const [, name = '', meaning = ''] = line.split('|');
    return { name: plain(name), meaning: plain(meaning) };
  });

const byName = new Map(glossary.map((term) => [term.name.replace(/ \(.*$/, ''), term]));

/** Terms that are explained where they stand. */
export const explained = [
  'λ',
  'τ',
  'two-sided loss',
  'channel weights',
  'pack',
  'taxonomy',
  'cycle cosine',
  'fidelity',
  'validation',
  'split',
  'grouping',
  'prototype',
  'threshold',
  'out-of-fold',
  'standardised',
] as const;
export type ExplainedTerm = (typeof explained)[number];

/** @throws Error for a term that the glossary lacks, which a test looks after */
export function meaningOf(name: ExplainedTerm): Term {
  const term = byName.get(name);
  if (!term) throw new Error(`the glossary has no ${name}`);
  return term;
}
