import { basename } from 'node:path';
import { readNetworkFiles } from './network-files.ts';
import { planNetwork } from './network-plan.ts';
import { openFiles } from './open-files.ts';
import { planConversion, type ConversionPlan } from './plan.ts';
import type { ConversionChoices } from './settings.ts';

/** What a set of files would become; the files stay open, since building graphs reads the weights. */
export interface PlannedFiles {
  plan: ConversionPlan;
  /** Each with what it was recognised as. */
  files: { name: string; model: string }[];
  /** Files that were found beside those that were named, and go into the pack with them. */
  beside: { path: string }[];
  close: () => Promise<void>;
}

/**
 * Recognises files and decides what pack they make: checkpoints, or a published network with its JSON.
 * @param signal stops every later read of a tensor
 * @throws CheckpointError naming the file at fault
 */
export async function planFiles(
  paths: readonly string[],
  choices: ConversionChoices,
  signal?: AbortSignal,
): Promise<PlannedFiles> {
  const network = await readNetworkFiles(paths, choices);
  if (network !== null) {
    const { model, card, files } = network;
    return {
      plan: planNetwork(model, card, choices),
      files: files.map(({ path, what }) => ({ name: basename(path), model: what })),
      beside: files.filter(({ path }) => !paths.includes(path)).map(({ path }) => ({ path })),
      close: () => Promise.resolve(),
    };
  }
  const { models, config, notes, close } = await openFiles(paths, signal);
  try {
    const plan = planConversion(models, config, choices);
    return {
      plan: { ...plan, notes: [...notes, ...plan.notes] },
      files: models.map(({ name, backbone }) => ({ name, model: backbone.title })),
      beside: [],
      close,
    };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}
