/** 97.5 % quantile of the standard normal distribution: intervals of 95 %. */
const Z = 1.959963984540054;

/**
 * Wilson's score interval of a share, 95 % (E. B. Wilson, JASA 22, 1927): unlike the usual one it stays inside 0…1 and says
 * something where all or none were right.
 * @returns 0…1; 0 and 1 where nothing was tried
 */
export function wilsonInterval(right: number, tried: number): { low: number; high: number } {
  if (tried === 0) return { low: 0, high: 1 };
  const share = right / tried;
  const z2 = Z * Z;
  const centre = share + z2 / (2 * tried);
  const half = Z * Math.sqrt((share * (1 - share)) / tried + z2 / (4 * tried * tried));
  return {
    low: Math.max(0, (centre - half) / (1 + z2 / tried)),
    high: Math.min(1, (centre + half) / (1 + z2 / tried)),
  };
}
