import type { TrainRequest } from '../../../engine/api/experiments.ts';
import { trainDefaults } from './defaults.ts';

type Preset = Pick<TrainRequest, 'steps' | 'prototypesPerClass'>;
export type PresetName = 'quick' | 'standard' | 'thorough';

/** How much a training takes upon itself; everything else is set by hand, or as always. */
export const presets: Record<PresetName, Preset & { title: string; meaning: string }> = {
  quick: {
    title: 'Quick',
    meaning: 'Three prototypes per class, 800 steps: to hear something within seconds.',
    steps: 800,
    prototypesPerClass: 3,
  },
  standard: {
    title: 'Standard',
    meaning: 'Five prototypes per class, 1,500 steps: what the command line does by itself.',
    steps: trainDefaults.steps,
    prototypesPerClass: trainDefaults.prototypesPerClass,
  },
  thorough: {
    title: 'Thorough',
    meaning: 'Eight prototypes per class, 5,000 steps: for many tracks in classes of many kinds.',
    steps: 5000,
    prototypesPerClass: 8,
  },
};

/** The preset that parameters are of, or null where they were set by hand. */
export function presetOf({ steps, prototypesPerClass }: Preset): PresetName | null {
  const names = ['quick', 'standard', 'thorough'] as const;
  return (
    names.find(
      (name) => presets[name].steps === steps && presets[name].prototypesPerClass === prototypesPerClass,
    ) ?? null
  );
}
