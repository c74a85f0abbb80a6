import type { Dataset } from './types.ts';

/**
 * A second part of a data set with the labels of the first, where files give each row its class: a part may lack some of the
 * classes, and where only the numbers 0 and 1 are left its column looks like a label.
 * @returns the part as it is when its labels are of another kind, or it holds a class that the first part lacks
 */
export function alignClasses(first: Pick<Dataset, 'labelNames' | 'classPerRow'>, part: Dataset): Dataset {
  if (!first.classPerRow) return part;
  const isLabel = !part.classPerRow && part.labelNames.length === 1;
  if (!part.classPerRow && !isLabel) return part;
  const names = isLabel ? ['class1'] : part.labelNames;
  const to = names.map((name) => first.labelNames.indexOf(name));
  const absent = isLabel ? first.labelNames.indexOf('class0') : -1;
  if (to.includes(-1) || (isLabel && absent < 0)) return part;
  const L = first.labelNames.length;
  const labels = new Uint8Array(part.count * L);
  for (let row = 0; row < part.count; row++) {
    const own = part.labels.subarray(row * names.length, (row + 1) * names.length);
    to.forEach((label, i) => (labels[row * L + label] = own[i] ?? 0));
    if (isLabel && own[0] === 0) labels[row * L + absent] = 1;
  }
  return { ...part, labels, labelNames: [...first.labelNames], classPerRow: true };
}
