import type { PrototypeInfo } from '../../../engine/api/prototypes.ts';
import { fixed } from '../ui/format.ts';

/**
 * From which cycle cosine on the sound of a prototype is called good or fair (glossary: fidelity). Chosen, not calibrated
 * on what people hear.
 */
const FAIR = 0.5;
const GOOD = 0.8;
/**
 * Prototypes that are nearer to each other than this share of the distance to the nearest real window are twins. Chosen,
 * not calibrated: the preview of a merge says what it costs.
 */
const TWIN_SHARE = 0.5;

export type Fidelity = 'good' | 'fair' | 'poor';

/** How true the sound of a prototype is to it, by the cosine of prototype and sound embedded again. */
export function fidelityOf(cycleCosine: number): Fidelity {
  if (cycleCosine >= GOOD) return 'good';
  return cycleCosine >= FAIR ? 'fair' : 'poor';
}

export interface Badge {
  text: string;
  /** Why it is there. */
  title: string;
}

/** What is odd about a prototype. */
export function badgesOf({ support, twin, nearest }: PrototypeInfo): Badge[] {
  const badges: Badge[] = [];
  if (support === 0)
    badges.push({
      text: 'dead',
      title: 'No training window is nearest to it: it decides little or nothing.',
    });
  if (support === 1) badges.push({ text: 'memorised', title: 'It stands for one training window alone.' });
  const [first] = nearest;
  if (twin && first && twin.distance < TWIN_SHARE * first.distance)
    badges.push({
      text: `twin of #${String(twin.index + 1)}`,
      title: `Both lie at ${fixed(twin.distance, 2)} of each other, less than half as far as the nearest real window: look at merging them.`,
    });
  return badges;
}

/** The largest weights in words: “oboe 1.20, clarinet −0.31”. */
export function topWeights(classes: readonly string[], weights: PrototypeInfo['weights'], most = 3): string {
  return weights
    .filter(({ weight }) => Math.abs(weight) >= 0.005)
    .slice(0, most)
    .map((of) => `${classes[of.class] ?? ''} ${fixed(of.weight, 2)}`)
    .join(', ');
}
