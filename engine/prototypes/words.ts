import type { PrototypeEdit, PrototypeSource } from '../api/prototypes.ts';
import { partWith, type NetworkPart } from './parts.ts';

type Parts = readonly NetworkPart[];
type Kind = PrototypeEdit['kind'];
type EditOf<K extends Kind> = { [P in K]: Extract<PrototypeEdit, { kind: P }> }[K];
type SourceOf<K extends PrototypeSource['kind']> = { [P in K]: Extract<PrototypeSource, { kind: P }> }[K];

const edits: { readonly [K in Kind]: (parts: Parts, edit: EditOf<K>) => string } = {
  add: (parts, edit) =>
    `added ${sourceInWords(edit.vector)} to ${edit.class}${ofView(parts[edit.view ?? 0])}`,
  remove: (parts, { index }) => `removed ${prototypeInWords(parts, index)}`,
  move: (parts, { index, vector }) => `moved ${prototypeInWords(parts, index)} onto ${sourceInWords(vector)}`,
  merge: (parts, { indices }) =>
    `merged ${indices.map((index) => prototypeInWords(parts, index)).join(', ')}`,
  split: (parts, { index }) => `split ${prototypeInWords(parts, index)}`,
  rename: (parts, { index, name }) =>
    name === ''
      ? `took the name of ${prototypeInWords(parts, index)} away`
      : `called ${prototypeInWords(parts, index)} “${name}”`,
  freeze: (parts, { indices, frozen }) =>
    `${frozen ? 'froze' : 'unfroze'} ${indices.map((index) => prototypeInWords(parts, index)).join(', ')}`,
  reassign: (parts, edit) => `gave ${prototypeInWords(parts, edit.index)} to ${edit.class}`,
  weight: (parts, edit) =>
    `set the weight of ${prototypeInWords(parts, edit.index)} towards ${edit.class} to ${edit.value}`,
};

const sources: { readonly [K in PrototypeSource['kind']]: (source: SourceOf<K>) => string } = {
  track: () => 'the mean of a track',
  window: ({ windowIndex }) => `window ${windowIndex + 1} of a track`,
  prototype: ({ index }) => `prototype ${index + 1} of an experiment`,
  generated: ({ index }) => `prototype ${index + 1} of a reduction`,
  between: ({ from, to }) => `a point between prototypes ${from + 1} and ${to + 1} of an experiment`,
  mean: ({ trackIds }) => `the mean of ${trackIds.length} ${trackIds.length === 1 ? 'track' : 'tracks'}`,
};

/** What an edit does, as a person would say it was done. @throws EngineError `not-found` for a prototype that is not there */
export function editInWords<K extends Kind>(parts: Parts, edit: EditOf<K>): string {
  return edits[edit.kind](parts, edit);
}

function sourceInWords<K extends PrototypeSource['kind']>(source: SourceOf<K>): string {
  return sources[source.kind](source);
}

/** Counted from one, as people do. */
function prototypeInWords(parts: Parts, index: number): string {
  const part = partWith(parts, index);
  const { network, first } = part;
  const name = network.nameOf(index - first);
  const number = `${network.data.classes[network.classOf(index - first)] ?? ''} #${index + 1}${ofView(part)}`;
  return name === '' ? number : `${number} “${name}”`;
}

function ofView(part: NetworkPart | undefined): string {
  return part === undefined || part.view === null ? '' : ` in ${part.space.packId}`;
}
