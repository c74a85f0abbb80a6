import { Pacer } from '../../numerics/pacer.ts';
import { Random } from '../../numerics/random.ts';

/** A figure with the interval that holds 95 % of what other draws of the tracks would give. */
export interface Interval {
  value: number;
  low: number;
  high: number;
}

/** Units of a {@link Pacer} that one track of one draw costs. */
const WORK_PER_TRACK = 16;

/**
 * Percentile bootstrap over tracks: how far a figure would move if other tracks of the same kind had been asked. It says
 * nothing of other trainings.
 * @param count tracks · @param figure of tracks by number, some of them several times · @param seed same seed, same interval
 * @throws the signal's reason
 */
export async function bootstrap(
  count: number,
  figure: (tracks: Int32Array) => number,
  { draws = 1000, seed = 1, signal }: { draws?: number; seed?: number; signal?: AbortSignal } = {},
): Promise<Interval> {
  const all = Int32Array.from({ length: count }, (_, i) => i);
  const value = figure(all);
  const random = new Random(seed);
  const values = new Float64Array(draws);
  const pacer = new Pacer(signal);
  for (let draw = 0; draw < draws; draw++) {
    values[draw] = figure(all.map(() => random.integer(count)));
    if (pacer.due(WORK_PER_TRACK * count)) await pacer.pause();
  }
  values.sort();
  const at = (share: number): number => values[Math.round(share * (draws - 1))] ?? value;
  return { value, low: at(0.025), high: at(0.975) };
}
