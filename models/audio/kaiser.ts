/** Modified Bessel function of the first kind, order 0 (power series; converges fast for x below 20). */
function bessel0(x: number): number {
  let sum = 1;
  let term = 1;
  for (let k = 1; term > sum * 1e-17; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

/** Kaiser window with shape `beta` at `u` in [−1, 1] (1 at the centre); 0 outside. */
export function kaiser(u: number, beta: number): number {
  const inside = 1 - u * u;
  return inside < 0 ? 0 : bessel0(beta * Math.sqrt(inside)) / bessel0(beta);
}
