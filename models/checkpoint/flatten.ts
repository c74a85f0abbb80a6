import { CheckpointError } from './errors.ts';
import { Opaque, TensorView, type PlainDict, type PlainValue } from './values.ts';

/** The tensors of a checkpoint by name, and the names under which it holds something else than asked for. */
export interface NamedTensors {
  tensors: Map<string, TensorView>;
  /** Names whose value only code could build. */
  opaque: Map<string, Opaque>;
}

const MAX_NAMES = 200_000;
const MAX_DEPTH = 32;

/**
 * Names every tensor: the keys of the state dict, with those of nested dicts joined by dots. The state dict is the
 * value of `state_dict` where there is one (hub files, Lightning), else the object itself.
 * @throws CheckpointError `unsafe` when the state dict itself could only be built by code, `malformed` when dicts
 * contain themselves, `not-a-checkpoint` when there is no dict.
 */
export function nameTensors(tree: PlainValue): NamedTensors {
  const root = tree instanceof Map ? (tree.get('state_dict') ?? tree) : tree;
  if (root instanceof Opaque) throw unsafe('its weights', root);
  if (!(root instanceof Map)) {
    throw new CheckpointError(
      'not-a-checkpoint',
      'the file is a PyTorch file without a dictionary of weights',
      'Choose the file that holds the weights of the model.',
    );
  }
  const named: NamedTensors = { tensors: new Map(), opaque: new Map() };
  collect(root, '', named, new Set());
  return named;
}

function collect(dict: PlainDict, prefix: string, named: NamedTensors, outer: Set<PlainDict>): void {
  if (outer.has(dict) || outer.size > MAX_DEPTH) {
    throw new CheckpointError(
      'malformed',
      `the checkpoint's dictionary ${prefix === '' ? '' : `${prefix} `}contains itself or is nested without end`,
      'The file was not written by PyTorch: get it again from its publisher.',
    );
  }
  outer.add(dict);
  for (const [key, value] of dict) {
    if (typeof key !== 'string') continue;
    const name = prefix === '' ? key : `${prefix}.${key}`;
    if (value instanceof TensorView) named.tensors.set(name, value);
    else if (value instanceof Opaque) named.opaque.set(name, value);
    else if (value instanceof Map) collect(value, name, named, outer);
    if (named.tensors.size + named.opaque.size > MAX_NAMES) {
      throw new CheckpointError(
        'malformed',
        `the checkpoint has more than ${MAX_NAMES} tensors`,
        'No model that Archetone knows has: check that you chose the right file.',
      );
    }
  }
  outer.delete(dict);
}

/** Refuses what only code could build. */
export function unsafe(what: string, { global, offset }: Opaque): CheckpointError {
  return new CheckpointError(
    'unsafe',
    `the checkpoint wants to build ${what} by calling ${global} (byte ${offset} of its index); nothing was run`,
    'Do not trust this file: get it from its publisher, or as safetensors.',
    { global, offset },
  );
}
