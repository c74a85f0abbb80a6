/**
 * At most `most` of the rows: those whose numbers, mixed by a fixed hash, come first. No seed is needed, the order of
 * the rows does not matter, and a part of the rows keeps in its sample what the sample of the whole held of it.
 * @returns the rows taken, ascending; all of them where there are no more than `most`.
 */
export function sampleRows(rows: Int32Array, most: number): Int32Array {
  if (rows.length <= most) return rows.slice().sort();
  const last = Uint32Array.from(rows, mixed).sort()[most - 1] ?? 0;
  return rows.filter((row) => mixed(row) <= last).sort();
}

/** Different numbers for different rows, without order: the finaliser of MurmurHash3. */
function mixed(row: number): number {
  let hash = row ^ 0x9e3779b9;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
