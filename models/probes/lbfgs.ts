/** Steps that are remembered. */
const MEMORY = 10;
const ARMIJO = 1e-4;

/**
 * Minimises a smooth function by L-BFGS with backtracking (Nocedal, Wright, algorithm 7.5).
 * @param evaluate value and gradient at a point
 * @param tolerance largest entry of the gradient at which it is done
 */
export async function minimise(
  start: Float64Array,
  evaluate: (at: Float64Array) => Promise<{ value: number; gradient: Float64Array }>,
  { iterations, tolerance }: { iterations: number; tolerance: number },
): Promise<Float64Array> {
  let at = start;
  let { value, gradient } = await evaluate(at);
  const steps: { s: Float64Array; y: Float64Array; rho: number }[] = [];
  for (let i = 0; i < iterations; i++) {
    if (largest(gradient) <= tolerance) break;
    const direction = descent(gradient, steps);
    const slope = dot(direction, gradient);
    if (!(slope < 0)) break;
    let length = i === 0 ? Math.min(1, 1 / Math.sqrt(dot(gradient, gradient))) : 1;
    let next: { at: Float64Array; value: number; gradient: Float64Array } | null = null;
    for (let tries = 0; tries < 30; tries++, length /= 2) {
      const there = at.map((v, d) => v + length * (direction[d] ?? 0));
      const found = await evaluate(there);
      if (found.value <= value + ARMIJO * length * slope) {
        next = { at: there, ...found };
        break;
      }
    }
    // Rounding is all that is left.
    if (!next) break;
    const from = at;
    const before = gradient;
    const s = next.at.map((v, d) => v - (from[d] ?? 0));
    const y = next.gradient.map((v, d) => v - (before[d] ?? 0));
    const curvature = dot(s, y);
    if (curvature > 1e-12) {
      steps.push({ s, y, rho: 1 / curvature });
      if (steps.length > MEMORY) steps.shift();
    }
    ({ at, value, gradient } = next);
  }
  return at;
}

function descent(
  gradient: Float64Array,
  steps: readonly { s: Float64Array; y: Float64Array; rho: number }[],
): Float64Array {
  const q = Float64Array.from(gradient);
  const alphas: number[] = [];
  for (const { s, y, rho } of [...steps].reverse()) {
    const alpha = rho * dot(s, q);
    alphas.push(alpha);
    for (let d = 0; d < q.length; d++) q[d] = (q[d] ?? 0) - alpha * (y[d] ?? 0);
  }
  const last = steps.at(-1);
  const scale = last ? 1 / (last.rho * dot(last.y, last.y)) : 1;
  for (let d = 0; d < q.length; d++) q[d] = (q[d] ?? 0) * scale;
  for (const { s, y, rho } of steps) {
    const beta = rho * dot(y, q);
    const alpha = alphas.pop() ?? 0;
    for (let d = 0; d < q.length; d++) q[d] = (q[d] ?? 0) + (alpha - beta) * (s[d] ?? 0);
  }
  return q.map((v) => -v);
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let d = 0; d < a.length; d++) sum += (a[d] ?? 0) * (b[d] ?? 0);
  return sum;
}

function largest(values: Float64Array): number {
  let most = 0;
  for (const value of values) most = Math.max(most, Math.abs(value));
  return most;
}
