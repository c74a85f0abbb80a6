/** A part of a sound, in seconds. */
export interface Span {
  start: number;
  end: number;
}

/** Zooming goes no closer than this. */
const LEAST_SECONDS = 0.02;

/** The span moved into 0…duration, as long as it fits. */
export function within({ start, end }: Span, duration: number): Span {
  const length = Math.min(Math.max(end - start, Math.min(LEAST_SECONDS, duration)), duration);
  const first = Math.min(Math.max(0, start), duration - length);
  return { start: first, end: first + length };
}

/** Zooms by a factor (2: twice as close) around a second that keeps its place in the drawing. */
export function zoomed(shown: Span, factor: number, around: number, duration: number): Span {
  const length = Math.max(LEAST_SECONDS, (shown.end - shown.start) / factor);
  const share = (around - shown.start) / (shown.end - shown.start || 1);
  const start = around - share * length;
  return within({ start, end: start + length }, duration);
}

export function moved({ start, end }: Span, seconds: number, duration: number): Span {
  return within({ start: start + seconds, end: end + seconds }, duration);
}

/** The span turned a page so that a second is in it: what plays stays in sight. */
export function following(shown: Span, time: number, duration: number): Span {
  if (time >= shown.start && time < shown.end) return shown;
  return within({ start: time, end: time + shown.end - shown.start }, duration);
}

/** Place of a second in the drawing, 0…1 where it is in sight. */
export function placeOf(seconds: number, { start, end }: Span): number {
  return end > start ? (seconds - start) / (end - start) : 0;
}

/** Seconds between marks: 1, 2 or 5 times a power of ten, or whole minutes; about `wanted` marks. */
function markEvery(seconds: number, wanted: number): number {
  const least = seconds / Math.max(1, wanted);
  if (least > 30) return Math.ceil(least / 60) * 60;
  if (least > 10) return least > 15 ? 30 : 15;
  const power = 10 ** Math.floor(Math.log10(least));
  // A length such as 1.1 − 1.02 is a little more than it should be.
  return ([1, 2, 5, 10].find((step) => step * power >= least * (1 - 1e-9)) ?? 10) * power;
}

/** Where marks of the time axis lie, and how many digits of a second tell them apart. */
export function timeMarks(shown: Span, wanted: number): { seconds: number[]; digits: number } {
  const every = markEvery(shown.end - shown.start, wanted);
  const first = Math.max(0, Math.ceil(shown.start / every - 1e-9));
  const seconds: number[] = [];
  for (let i = first; i * every <= shown.end + 1e-9; i += 1) seconds.push(i * every);
  return { seconds, digits: Math.max(0, -Math.floor(Math.log10(every) + 1e-9)) };
}

/** “1:02.5”: minutes, seconds and as many digits as tell neighbouring marks apart. */
export function markText(seconds: number, digits: number): string {
  const whole = Number(seconds.toFixed(digits));
  const minutes = Math.floor(whole / 60);
  const rest = (whole - 60 * minutes).toFixed(digits).padStart(digits > 0 ? digits + 3 : 2, '0');
  return `${String(minutes)}:${rest}`;
}
