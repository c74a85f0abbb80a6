import { CheckpointError, type TensorSource } from '../checkpoint/index.ts';
import type { Backbone, BackbonePart } from './backbone.ts';
import { diffusion } from './diffusion.ts';
import { encodec } from './encodec.ts';
import { encodecmae } from './encodecmae.ts';
import type { Terms } from './publishers.ts';
import { regressor } from './regressor.ts';

/** Every published model that can become a pack. What holds another one stands before it: the first that is found counts. */
export const backbones: readonly Backbone[] = [diffusion, regressor, encodecmae, encodec];

/** All terms that a pack may come under, each once. */
export const allTerms: readonly Terms[] = [...new Set(backbones.flatMap(({ terms }) => terms))];

/** A checkpoint's model. */
export interface DetectedModel {
  backbone: Backbone;
  part: BackbonePart;
}

/**
 * Tells which of the published models a checkpoint is.
 * @param name of the file, for messages
 * @throws CheckpointError `unknown-model`, saying what the file has instead.
 */
export function detectModel(source: TensorSource, name: string): DetectedModel {
  for (const backbone of backbones) {
    const part = backbone.detect(source);
    if (part !== null) return { backbone, part };
  }
  throw unknownModel(source, name);
}

function unknownModel(source: TensorSource, name: string): CheckpointError {
  const names = source.names();
  const what = foreign.find(({ mark }) => names.some((n) => mark.test(n)))?.what;
  const some = names.slice(0, 3).join(', ');
  const found =
    names.length === 0
      ? 'has no tensors'
      : what === undefined
        ? `is a model that Archetone does not know (${names.length} tensors: ${some}${names.length > 3 ? ', …' : ''})`
        : `is ${what}`;
  const expected = backbones.map((backbone) => backbone.expected);
  return new CheckpointError(
    'unknown-model',
    `${name} ${found}; expected is ${expected.slice(0, -1).join(', ')}, or ${expected.at(-1) ?? ''}`,
    'Choose one of the files that “Bringing the official models” lists.',
  );
}

/** Files that lie about on the disks of people who work with these models. */
const foreign: readonly { mark: RegExp; what: string }[] = [
  { mark: /^protos$/, what: 'a trained prototype network, not an encoder' },
  {
    mark: /^encoder\.layers\.0\.conv\.(weight_g|parametrizations)/,
    what: 'EnCodec as Transformers stores it',
  },
  { mark: /visible_encoder\./, what: 'a part of an EnCodecMAE, without its first layers' },
];
