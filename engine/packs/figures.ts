import * as z from 'zod';
import type { PackInfo } from '../api/packs.ts';

type Figures = PackInfo['quality'];

const mean = z.object({ mean: z.number() });
const table = z.record(
  z.string(),
  z.object({ embedding: mean, randomTwin: mean, logMel: mean, mfcc: mean }).partial(),
);
const distances = z.object({ logSpectralDb: z.number(), multiResolution: z.number() });

const fidelity = z.array(z.object({ classRetention: z.number(), mfccRetention: z.number().optional() }));

/** The part of a card made by `archetone packs score` that fits on a page; the rest is for the report. */
const cardSchema = z.object({
  schema: z.enum(['archetone.quality/1', 'archetone.quality/2']),
  accuracy: z
    .object({
      instruments: table,
      renderedToInstruments: table,
      instrumentsToRendered: table,
      styles: table,
    })
    .partial(),
  precisionAt10: mean.optional(),
  roundTrip: z.object({ pack: distances, griffinLim: distances }).optional(),
  cycle: z.object({ cycleCosine: z.number() }).optional(),
  fidelity: fidelity.optional(),
  /** What version 1 called it. */
  sharpness: fidelity.optional(),
  speed: z.object({ windowsPerSecond: z.number(), secondsPerSonification: z.number().nullable() }),
});

/**
 * Figures of a quality card for people. Of a card by `archetone packs score` those that tell most; any other card is its
 * maker's to shape: every number and text in it, named by its path.
 */
export function figuresOf(quality: Readonly<Record<string, unknown>>): Figures {
  const parsed = cardSchema.safeParse(quality);
  if (!parsed.success) return flatten(quality);
  const {
    accuracy,
    precisionAt10,
    roundTrip,
    cycle,
    speed,
    sharpness,
    fidelity: heard = sharpness,
  } = parsed.data;
  const figures: Figures = [];
  const add = (name: string, value: number | null | undefined): void => {
    if (value !== null && value !== undefined) figures.push({ name, value });
  };
  const knn = accuracy.instruments?.['knn5'];
  add('Instruments, kNN (k = 5), %', knn?.embedding?.mean);
  add('… without training, %', knn?.randomTwin?.mean);
  add('… on MFCC+Δ, %', knn?.mfcc?.mean);
  add('… on log-mel bands, %', knn?.logMel?.mean);
  add('Instruments, 5 prototypes per class, %', accuracy.instruments?.['pecmae5']?.embedding?.mean);
  add('Rendered → real, kNN, %', accuracy.renderedToInstruments?.['knn5']?.embedding?.mean);
  add('Real → rendered, kNN, %', accuracy.instrumentsToRendered?.['knn5']?.embedding?.mean);
  const styles = accuracy.styles?.['knn5'];
  add('Styles, kNN, %', styles?.embedding?.mean);
  add('… styles on MFCC+Δ, %', styles?.mfcc?.mean);
  add('Neighbours of the same class, %', precisionAt10?.mean);
  add('Round trip, log-spectral, dB', roundTrip?.pack.logSpectralDb);
  add('… by Griffin-Lim, dB', roundTrip?.griffinLim.logSpectralDb);
  add('Round trip, multi-resolution', roundTrip?.pack.multiResolution);
  add('… by Griffin-Lim', roundTrip?.griffinLim.multiResolution);
  add('Cycle cosine', cycle?.cycleCosine);
  const share = (value: number | undefined): number | null => (value === undefined ? null : 100 * value);
  add('Prototypes that sound like their class, %', share(heard?.[0]?.classRetention));
  add('… judged by MFCC+Δ, %', share(heard?.[0]?.mfccRetention));
  add('Windows per second', speed.windowsPerSecond);
  add('Seconds per sonification', speed.secondsPerSonification);
  return figures;
}

function flatten(value: unknown, path = ''): Figures {
  if (typeof value === 'number' || typeof value === 'string') return [{ name: path, value }];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    flatten(inner, path === '' ? key : `${path}.${key}`),
  );
}
