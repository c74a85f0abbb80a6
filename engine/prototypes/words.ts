import type { PrototypeNetwork } from '../../models/pecmae/network.ts';
import { EngineError } from '../api/errors.ts';
import type { PrototypeEdit, PrototypeSource } from '../api/prototypes.ts';

type Kind = PrototypeEdit['kind'];
type EditOf<K extends Kind> = { [P in K]: Extract<PrototypeEdit, { kind: P }> }[K];
type SourceOf<K extends PrototypeSource['kind']> = { [P in K]: Extract<PrototypeSource, { kind: P }> }[K];

const edits: { readonly [K in Kind]: (network: PrototypeNetwork, edit: EditOf<K>) => string } = {
  add: (_network, edit) => `added ${sourceInWords(edit.vector)} to ${edit.class}`,
  remove: (network, { index }) => `removed ${prototypeInWords(network, index)}`,
  move: (network, { index, vector }) =>
    `moved ${prototypeInWords(network, index)} onto ${sourceInWords(vector)}`,
  merge: (network, { indices }) =>
    `merged ${indices.map((index) => prototypeInWords(network, index)).join(', ')}`,
  split: (network, { index }) => `split ${prototypeInWords(network, index)}`,
  rename: (network, { index, name }) =>
    name === ''
      ? `took the name of ${prototypeInWords(network, index)} away`
      : `called ${prototypeInWords(network, index)} “${name}”`,
  freeze: (network, { indices, frozen }) =>
    `${frozen ? 'froze' : 'unfroze'} ${indices.map((index) => prototypeInWords(network, index)).join(', ')}`,
  reassign: (network, edit) => `gave ${prototypeInWords(network, edit.index)} to ${edit.class}`,
  weight: (network, edit) =>
    `set the weight of ${prototypeInWords(network, edit.index)} towards ${edit.class} to ${edit.value}`,
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
export function editInWords<K extends Kind>(network: PrototypeNetwork, edit: EditOf<K>): string {
  return edits[edit.kind](network, edit);
}

function sourceInWords<K extends PrototypeSource['kind']>(source: SourceOf<K>): string {
  return sources[source.kind](source);
}

/** Counted from one, as people do. */
function prototypeInWords(network: PrototypeNetwork, index: number): string {
  requirePrototype(network, index);
  const name = network.nameOf(index);
  const number = `${network.data.classes[network.classOf(index)] ?? ''} #${index + 1}`;
  return name === '' ? number : `${number} “${name}”`;
}

/** @throws EngineError `not-found` */
function requirePrototype({ prototypeCount }: PrototypeNetwork, index: number): void {
  if (index < prototypeCount) return;
  throw new EngineError(
    'not-found',
    `The experiment has no prototype ${index}; it has ${prototypeCount}.`,
    'It may have been removed: list the prototypes again.',
  );
}
