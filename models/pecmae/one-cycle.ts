/** Learning rate and first Adam coefficient in force for one step. */
export interface Schedule {
  learningRate: number;
  beta1: number;
}

const RISE = 0.3;
const INITIAL_DIVISOR = 25;
const FINAL_DIVISOR = 1e4;
const BETA1_HIGH = 0.95;
const BETA1_LOW = 0.85;

/**
 * The one-cycle schedule with cosine annealing (Smith, Topin 2018; PyTorch's `OneCycleLR` with its defaults): the
 * learning rate rises from max/25 to max over the first 30 % of the steps and falls to max/250000; β1 mirrors it
 * between 0.95 and 0.85.
 * @param step from 0; @param steps how many there are in all; @param maximum highest learning rate.
 */
export function oneCycle(step: number, steps: number, maximum: number): Schedule {
  const top = RISE * steps - 1;
  const last = steps - 1;
  const initial = maximum / INITIAL_DIVISOR;
  if (step <= top) {
    const share = step / top;
    return {
      learningRate: anneal(initial, maximum, share),
      beta1: anneal(BETA1_HIGH, BETA1_LOW, share),
    };
  }
  const share = (step - top) / (last - top);
  return {
    learningRate: anneal(maximum, initial / FINAL_DIVISOR, share),
    beta1: anneal(BETA1_LOW, BETA1_HIGH, share),
  };
}

function anneal(from: number, to: number, share: number): number {
  return to + ((from - to) / 2) * (1 + Math.cos(Math.PI * share));
}
