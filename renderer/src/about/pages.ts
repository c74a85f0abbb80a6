import audioFormats from '../../../docs/audio-formats.md?raw';
import choosing from '../../../docs/choosing-an-embedding.md?raw';
import glossary from '../../../docs/glossary.md?raw';
import officialModels from '../../../docs/official-models.md?raw';
import editing from '../../../docs/editing-prototypes.md?raw';
import playing from '../../../docs/playing-a-prototype.md?raw';
import reducing from '../../../docs/reducing.md?raw';
import modulation from '../../../docs/modulation.md?raw';
import coversAndWords from '../../../docs/covers-and-words.md?raw';
import learnSimilarity from '../../../docs/learn-similarity.md?raw';
import manyMachines from '../../../docs/many-machines.md?raw';
import severalViews from '../../../docs/several-views.md?raw';
import scoringPacks from '../../../docs/scoring-packs.md?raw';
import userGuide from '../../../docs/user-guide.md?raw';
import { sectionsOf, type Section } from './markdown.ts';

export interface Page {
  /** Name of its file: what links between pages say. */
  file: string;
  title: string;
  text: string;
}

/** The documentation that is read in the window; it is part of the package, so that it is there offline. */
export const pages = [
  { file: 'user-guide.md', title: 'User guide', text: userGuide },
  { file: 'glossary.md', title: 'Glossary', text: glossary },
  { file: 'editing-prototypes.md', title: 'Editing prototypes', text: editing },
  { file: 'playing-a-prototype.md', title: 'Playing a prototype', text: playing },
  { file: 'reducing.md', title: 'Reducing', text: reducing },
  { file: 'choosing-an-embedding.md', title: 'Choosing an embedding', text: choosing },
  { file: 'modulation.md', title: 'Modulation', text: modulation },
  { file: 'learn-similarity.md', title: 'Learning your own similarity', text: learnSimilarity },
  { file: 'covers-and-words.md', title: 'Covers and words', text: coversAndWords },
  { file: 'several-views.md', title: 'Several views', text: severalViews },
  { file: 'audio-formats.md', title: 'Audio formats', text: audioFormats },
  { file: 'official-models.md', title: 'Official models', text: officialModels },
  { file: 'many-machines.md', title: 'Many machines', text: manyMachines },
  { file: 'scoring-packs.md', title: 'Scoring packs', text: scoringPacks },
] as const satisfies readonly Page[];

const files: Record<string, string> = import.meta.glob('../../../docs/images/*.{png,webp}', {
  eager: true,
  query: '?url',
  import: 'default',
});

/** Where the pictures of the documentation are, by the name of their file. */
export const pictures: ReadonlyMap<string, string> = new Map(
  Object.entries(files).map(([path, url]) => [path.split('/').at(-1) ?? '', url]),
);

export interface Found {
  page: Page;
  section: Section;
  /** What stands around the first hit. */
  excerpt: string;
}

const AROUND = 60;

/** Sections that hold all words, those with a word in their title first. */
export function searchPages(words: string): Found[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  if (wanted.length === 0) return [];
  const found = pages.flatMap((page) =>
    sectionsOf(page.text).flatMap((section) => {
      const all = `${section.title} ${section.text}`.toLowerCase();
      if (!wanted.every((word) => all.includes(word))) return [];
      const at = Math.max(0, section.text.toLowerCase().indexOf(wanted[0] ?? ''));
      const from = Math.max(0, at - AROUND);
      const excerpt = `${from > 0 ? '…' : ''}${section.text.slice(from, at + 2 * AROUND).trim()}…`;
      return [{ page, section, excerpt }];
    }),
  );
  const inTitle = ({ section }: Found): number =>
    wanted.some((word) => section.title.toLowerCase().includes(word)) ? 0 : 1;
  return found.sort((a, b) => inTitle(a) - inTitle(b));
}
