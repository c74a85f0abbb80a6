import type { WritableSet } from './types.ts';

/** Names that every reader takes without quotes. */
const PLAIN = /^[A-Za-z_][A-Za-z0-9_.-]*$/;
const ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * Mulan's form: an ARFF with the labels last, and the XML that names them. Both keep names exactly, whatever they hold.
 * Features that share a name with another column are numbered, because ARFF names must be unique.
 */
export function writeMulan(set: WritableSet): { arff: string; xml: string } {
  const relation = `@relation ${quote(set.name)}`;
  const labels = set.labelNames.map((name) => `@attribute ${quote(name)} {0,1}`);
  const rows = rowsOf(set, (features, bits) => `${features},${bits}`);
  return {
    arff: [relation, '', ...featureLines(set), ...labels, '', '@data', ...rows, ''].join('\n'),
    xml: [
      '<?xml version="1.0" encoding="utf-8"?>',
      '<labels xmlns="http://mulan.sourceforge.net/labels">',
      ...set.labelNames.map((name) => `<label name="${xmlText(name)}"></label>`),
      '</labels>',
      '',
    ].join('\n'),
  };
}

/** MEKA's form: the labels first, and their number in the relation's name (`-C 6`). */
export function writeMeka(set: WritableSet): string {
  // What stands behind the first colon are options.
  const relation = `@relation ${quote(`${set.name.replaceAll(':', ' ')}: -C ${set.labelNames.length}`)}`;
  const labels = set.labelNames.map((name) => `@attribute ${quote(name)} {0,1}`);
  const rows = rowsOf(set, (features, bits) => `${bits},${features}`);
  return [relation, '', ...labels, ...featureLines(set), '', '@data', ...rows, ''].join('\n');
}

/** Names of the features, made unique among themselves and against the labels: `x`, `x (2)` … */
export function uniqueFeatureNames({ featureNames, labelNames }: WritableSet): string[] {
  const taken = new Set(labelNames);
  return featureNames.map((name) => {
    let unique = name;
    for (let i = 2; taken.has(unique); i++) unique = `${name} (${i})`;
    taken.add(unique);
    return unique;
  });
}

function featureLines(set: WritableSet): string[] {
  return uniqueFeatureNames(set).map((name) => `@attribute ${quote(name)} numeric`);
}

function rowsOf(set: WritableSet, row: (features: string, bits: string) => string): string[] {
  const { features, labels, dim, count } = set;
  const L = set.labelNames.length;
  return Array.from({ length: count }, (_, i) =>
    row(features.subarray(i * dim, (i + 1) * dim).join(), labels.subarray(i * L, (i + 1) * L).join()),
  );
}

function quote(name: string): string {
  if (PLAIN.test(name)) return name;
  const escaped = name
    .replace(/['"\\%]/g, '\\$&')
    .replace(/[\n\r\t]/g, (control) => ESCAPES[control] ?? control);
  return `'${escaped}'`;
}

/** XML attributes cannot hold most control characters; names of labels have no use for them. */
function xmlText(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replace(/[\t\n\r]/g, (control) => `&#${control.charCodeAt(0)};`);
}
