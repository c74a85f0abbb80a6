import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { encodeWav } from '../../models/audio/encode-wav.ts';
import { keepModulation } from '../../models/modulation/keep.ts';
import { SAMPLE_RATE } from '../../models/modulation/spectra.ts';
import type {
  ModulationChoiceInput,
  ModulationFigures,
  ModulationSound,
  ParsedModulationSource,
} from '../api/modulation.ts';
import type { EngineContext } from '../context.ts';
import { writeWhole } from '../files/write-whole.ts';
import type { Library } from '../library/library.ts';
import { safeGainDb } from '../sonify/measures.ts';
import { storageError } from '../storage/errors.ts';

/**
 * The WAV file of a sound with some of its modulations: raised where too little is left to be heard, lowered where it would
 * clip.
 * @param samples mono, 16 kHz
 */
export async function keptWav(
  samples: Float32Array,
  { mode, carriers, rates }: ModulationChoiceInput,
  signal: AbortSignal,
): Promise<{ wav: Uint8Array; figures: ModulationFigures }> {
  const kept = await keepModulation(
    samples,
    { mode, carriers: [carriers.first, carriers.last], rates: [rates.first, rates.last] },
    signal,
  );
  const gainDb = safeGainDb(kept.samples);
  const wav = encodeWav(
    kept.samples.map((sample) => sample * 10 ** (gainDb / 20)),
    SAMPLE_RATE,
    'pcm16',
  );
  const { chosenDb, othersDb } = kept;
  return { wav, figures: { durationSeconds: samples.length / SAMPLE_RATE, gainDb, chosenDb, othersDb } };
}

/** A sound for the player, as a file that is not kept. @throws EngineError `disk-full` */
export async function hearable(
  context: EngineContext,
  library: Library,
  request: { of: ParsedModulationSource; choice: ModulationChoiceInput },
  { wav, figures }: { wav: Uint8Array; figures: ModulationFigures },
): Promise<ModulationSound> {
  const id = createHash('sha256').update(JSON.stringify(request)).digest('hex').slice(0, 32);
  const path = library.sonifications.firstPath(id);
  await library.sonifications.sweepFirst();
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeWhole(path, wav);
  } catch (thrown) {
    throw storageError(thrown, path);
  }
  return { id, url: context.media.urlFor(path, 'audio/wav'), ...figures };
}
