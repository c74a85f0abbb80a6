const CHAR_0 = 48;
/** `|0x20` of x, o and b: what JavaScript takes for other radixes, and no data format does. */
const RADIX = new Set([120, 111, 98]);

/** A decimal number as data files write it; NaN for anything else: nothing, text, hexadecimal, an infinity. */
export function decimal(text: string): number {
  if (text === '') return NaN;
  const value = Number(text);
  if (!Number.isFinite(value)) return NaN;
  if (text.length > 2 && text.charCodeAt(0) === CHAR_0 && RADIX.has(text.charCodeAt(1) | 0x20)) return NaN;
  return value;
}
