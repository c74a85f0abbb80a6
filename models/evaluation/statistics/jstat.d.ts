/** The few distribution functions used of jstat, which ships no types. */
declare module 'jstat' {
  interface Jstat {
    chisquare: { cdf(x: number, degrees: number): number };
    normal: { cdf(x: number, mean: number, deviation: number): number };
    studentt: { inv(p: number, degrees: number): number; cdf(t: number, degrees: number): number };
    /** Studentized range of `groups` means; `Infinity` degrees of freedom for known variance. */
    tukey: {
      cdf(q: number, groups: number, degrees: number): number;
      inv(p: number, groups: number, degrees: number): number;
    };
    /** Regularised incomplete beta function I_x(a, b). */
    ibeta(x: number, a: number, b: number): number;
  }
  const jstat: Jstat;
  export default jstat;
}
