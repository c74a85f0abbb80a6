import type { WritableSet } from './types.ts';

/** Names that every reader takes without quotes. */
const PLAIN = /^[A-Za-z_][A-Za-z0-9_.-]*$/;
const ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * Mulan's form: an ARFF with the labels last, and the XML that names them. Both keep names exactly, whatever they hold.
 * Features that share a name with another column are numbered, because ARFF names must be unique. The ARFF comes line
 * by line: a large one would be too long for one string.
 */
export function writeMulan(set: WritableSet): { arff: Iterable<string>; xml: string } {
  return {
    arff: lines(set, quote(set.name), 'last'),
    xml: [
      '<?xml version="1.0" encoding="utf-8"?>',
      '<labels xmlns="http://mulan.sourceforge.net/labels">',
      ...set.labelNames.map((name) => `<label name="${xmlText(name)}"></label>`),
      '</labels>',
      '',
    ].join('\n'),
  };
}

/** MEKA's form, line by line: the labels first, and their number in the relation's name (`-C 6`). */
export function writeMeka(set: WritableSet): Iterable<string> {
  // What stands behind the first colon are options.
  return lines(set, quote(`${set.name.replaceAll(':', ' ')}: -C ${set.labelNames.length}`), 'first');
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

function* lines(set: WritableSet, relation: string, labelsCome: 'first' | 'last'): Generator<string> {
  const { features, labels, dim, count } = set;
  const L = set.labelNames.length;
  const order = <T>(ofFeatures: T, ofLabels: T): [T, T] =>
    labelsCome === 'first' ? [ofLabels, ofFeatures] : [ofFeatures, ofLabels];
  const attributes = order(
    uniqueFeatureNames(set).map((name) => `@attribute ${quote(name)} numeric\n`),
    set.labelNames.map((name) => `@attribute ${quote(name)} {0,1}\n`),
  );
  yield `@relation ${relation}\n\n`;
  yield* attributes.flat();
  yield '\n@data\n';
  for (let row = 0; row < count; row++) {
    const values = features.subarray(row * dim, (row + 1) * dim).join();
    const bits = labels.subarray(row * L, (row + 1) * L).join();
    yield `${order(values, bits).join()}\n`;
  }
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
