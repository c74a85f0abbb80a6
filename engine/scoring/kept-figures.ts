import * as z from 'zod';
import type { AccuracyTable, QualityCard } from '../api/quality.ts';

const spread = z.object({ mean: z.number(), sd: z.number() });
const table = z.record(
  z.string(),
  z.object({ embedding: spread, randomTwin: spread, logMel: spread, mfcc: spread }),
);
/** What of an earlier card can be kept. Cards of earlier forms have it in the same places. */
const earlierSchema = z.object({
  data: z.record(
    z.string(),
    z.object({ sounds: z.int(), windows: z.int(), classes: z.int(), sha256: z.string() }),
  ),
  seeds: z.array(z.int()),
  accuracy: z.object({
    instruments: table.optional(),
    rendered: table.optional(),
    renderedToInstruments: table.optional(),
    instrumentsToRendered: table.optional(),
    sharedClasses: z.array(z.string()).optional(),
    styles: table.optional(),
  }),
});

/** The tables of accuracy, and the collections that each is of. */
const TABLES = {
  instruments: ['instruments'],
  rendered: ['rendered'],
  renderedToInstruments: ['rendered', 'instruments'],
  instrumentsToRendered: ['rendered', 'instruments'],
  styles: ['styles'],
} as const;

/**
 * A new card of a pack with the accuracies that its run left out (classifiers by `--quick`, collections that were not named)
 * and the card before has, of the same sounds with the same seeds. They depend on the graphs of features, encoder and summary
 * alone, and a card goes with the graphs it was measured on; what depends on how sounds are drawn is never kept.
 */
export function withKeptFigures(card: QualityCard, before: unknown): QualityCard {
  const earlier = earlierSchema.safeParse(before);
  if (!earlier.success || earlier.data.seeds.join() !== card.seeds.join()) return card;
  const known = earlier.data;
  const data = { ...known.data, ...card.data };
  const accuracy = { ...card.accuracy };
  const used = new Set<string>(Object.keys(card.data));
  for (const [name, collections] of Object.entries(TABLES) as [keyof typeof TABLES, readonly string[]][]) {
    const kept: AccuracyTable | undefined = known.accuracy[name];
    const same = collections.every((of) => known.data[of] && known.data[of].sha256 === data[of]?.sha256);
    if (!kept || !same) continue;
    accuracy[name] = { ...kept, ...accuracy[name] };
    for (const of of collections) used.add(of);
    if (collections.length > 1 && known.accuracy.sharedClasses)
      accuracy.sharedClasses ??= known.accuracy.sharedClasses;
  }
  return {
    ...card,
    data: Object.fromEntries(Object.entries(data).filter(([name]) => used.has(name))),
    accuracy,
  };
}
