/** All published models listen at 24 kHz; no file says so. */
export const SAMPLE_RATE = 24_000;
