/** Trimmed, composed (NFC), without empty and repeated ones, in order. */
export function distinct(labels: readonly string[]): string[] {
  if (labels.length === 1) {
    const label = labels[0]?.trim().normalize() ?? '';
    return label === '' ? [] : [label];
  }
  return [...new Set(labels.map((label) => label.trim().normalize()).filter((label) => label !== ''))];
}
