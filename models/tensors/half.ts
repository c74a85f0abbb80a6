/** Widens IEEE 754 half-precision numbers, given as their bits, to float32; exact. */
export function float16ToFloat32(bits: Uint16Array, into = new Float32Array(bits.length)): Float32Array {
  for (let i = 0; i < bits.length; i++) into[i] = halfTable()[bits[i] ?? 0] ?? 0;
  return into;
}

/** Widens bfloat16 numbers, given as their bits, to float32; exact: they are float32 without its lower half. */
export function bfloat16ToFloat32(bits: Uint16Array, into = new Float32Array(bits.length)): Float32Array {
  const words = new Uint32Array(into.buffer, into.byteOffset, bits.length);
  for (let i = 0; i < bits.length; i++) words[i] = (bits[i] ?? 0) << 16;
  return into;
}

/** Rounds float32 numbers to half precision, to nearest, ties to even; what is too large becomes infinite. */
export function float32ToFloat16(values: Float32Array): Uint16Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(values.length);
  for (let i = 0; i < words.length; i++) halves[i] = halfBits(words[i] ?? 0);
  return halves;
}

/** @param word the bits of a float32; tens of millions are converted at a time, so nothing is allocated here. */
function halfBits(word: number): number {
  const sign = (word >>> 16) & 0x8000;
  const exponent = (word >>> 23) & 0xff;
  const fraction = word & 0x7fffff;
  if (exponent === 0xff) return sign | 0x7c00 | (fraction === 0 ? 0 : 0x200);
  const shifted = exponent - 112;
  if (shifted >= 31) return sign | 0x7c00;
  // Numbers below 2⁻¹⁴ have no leading one and a fixed exponent.
  const isNormal = shifted > 0;
  const mantissa = isNormal ? fraction | (shifted << 23) : fraction | 0x800000;
  const drop = isNormal ? 13 : 14 - shifted;
  if (drop > 24) return sign;
  const kept = mantissa >>> drop;
  const rest = mantissa & ((1 << drop) - 1);
  const half = 1 << (drop - 1);
  // A carry out of the fraction rightly raises the exponent, up to infinity.
  return sign | (kept + (rest > half || (rest === half && (kept & 1) === 1) ? 1 : 0));
}

let table: Float32Array | undefined;

/** All 65 536 half-precision numbers. */
function halfTable(): Float32Array {
  table ??= Float32Array.from({ length: 65_536 }, (_, bits) => {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >>> 10) & 31;
    const fraction = bits & 0x3ff;
    if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
    return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
  });
  return table;
}
