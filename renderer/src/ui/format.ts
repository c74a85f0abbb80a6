/** Numbers for people: one place for units, so that they are the same everywhere. */

const none = '–';
const integer = new Intl.NumberFormat('en', { maximumFractionDigits: 0, signDisplay: 'negative' });

/** A number as text, with the true minus sign, which is as wide as a plus, in the place of the hyphen. */
function withMinus(text: string): string {
  return text.replaceAll('-', '−');
}

/** 1234567 → “1,234,567”. */
export function count(value: number): string {
  return withMinus(integer.format(value));
}

/** The first of many names, and how many more there are. */
export function someOf(names: readonly string[], most = 12): string {
  const rest = names.length - most;
  return [...names.slice(0, most), ...(rest > 0 ? [`… ${count(rest)} more`] : [])].join(', ');
}

/** “1 track”, “2 tracks”. */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** Seconds as “0:04.2” (with tenths), “3:05” or “1:02:03”. */
export function clock(seconds: number | null, tenths = false): string {
  if (seconds === null || !Number.isFinite(seconds)) return none;
  const total = tenths ? Math.round(seconds * 10) / 10 : Math.round(seconds);
  const h = Math.floor(total / 3600);
  const m = Math.floor((total % 3600) / 60);
  const rest = total - h * 3600 - m * 60;
  const s = tenths ? rest.toFixed(1).padStart(4, '0') : String(rest).padStart(2, '0');
  return h > 0 ? `${String(h)}:${String(m).padStart(2, '0')}:${s}` : `${String(m)}:${s}`;
}

/** Length of a sound: “0.42 s”, “4.2 s”, else as a clock. One-shots are not 0:00. */
export function length(seconds: number | null): string {
  if (seconds === null || !Number.isFinite(seconds)) return none;
  if (seconds < 1) return `${seconds.toFixed(2)} s`;
  return seconds < 10 ? `${seconds.toFixed(1)} s` : clock(seconds);
}

/** Time that is left, in steps that an estimate can keep: “about 2 min”. */
export function timeLeft(seconds: number): string {
  const step = seconds < 20 ? 5 : seconds < 120 ? 10 : seconds < 900 ? 60 : 300;
  return `about ${duration(Math.max(step, Math.ceil(seconds / step) * step))}`;
}

/** A length of time in words: “12 s”, “4 min 10 s”, “2 h 5 min”. */
export function duration(seconds: number | null): string {
  if (seconds === null || !Number.isFinite(seconds)) return none;
  if (seconds < 10) return `${Number.isInteger(seconds) ? String(seconds) : seconds.toFixed(1)} s`;
  const total = Math.round(seconds);
  if (total < 60) return `${String(total)} s`;
  const m = Math.floor(total / 60);
  if (m < 60) return total % 60 === 0 ? `${String(m)} min` : `${String(m)} min ${String(total % 60)} s`;
  return `${String(Math.floor(m / 60))} h ${String(m % 60)} min`;
}

/** 0.8312 → “83.1 %”; below zero with a true minus sign, as `fixed` has it. */
export function percent(share: number | null | undefined, digits = 1): string {
  return share === null || share === undefined || !Number.isFinite(share)
    ? none
    : `${fixed(share * 100, digits)} %`;
}

/** Fixed digits with a true minus sign, so that columns align. */
export function fixed(value: number | null | undefined, digits = 3): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return none;
  const text = value.toFixed(digits);
  return withMinus(Number(text) === 0 ? text.replace('-', '') : text);
}

/** At most so many significant digits, without zeros at the end: 0.1234 → “0.123”, 440 → “440”. */
export function significant(value: number, digits = 3): string {
  return withMinus(String(Number(value.toPrecision(digits))));
}

/** Like `fixed`, always with a sign. */
export function signed(value: number, digits = 3): string {
  const text = fixed(value, digits);
  return text.startsWith('−') || text === none ? text : `+${text}`;
}

/** Significant digits for values that span orders of magnitude, e.g. 3.2e−6. */
export function scientific(value: number | null): string {
  if (value === null) return none;
  if (value === 0) return '0';
  const apart = Math.abs(value) < 1e-3 || Math.abs(value) >= 1e5;
  return withMinus(apart ? value.toExponential(1) : value.toPrecision(3));
}

export function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let scaled = value;
  let unit = 0;
  while (scaled >= 1000 && unit < units.length - 1) {
    scaled /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? String(scaled) : scaled.toFixed(1)} ${units[unit] ?? ''}`;
}

/** “today 14:02”, “yesterday 9:30”, else “3 Nov 2026”. */
export function when(iso: string, now = new Date()): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return none;
  const day = (d: Date): number => new Date(d.getFullYear(), d.getMonth(), d.getDate()).getTime();
  const days = Math.round((day(now) - day(date)) / 86_400_000);
  const time = date.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
  if (days === 0) return `today ${time}`;
  if (days === 1) return `yesterday ${time}`;
  return date.toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });
}
