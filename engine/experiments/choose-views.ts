import type { TrainRequest } from '../api/experiments.ts';
import { EngineError } from '../api/errors.ts';
import type { SpaceInfo } from '../api/spaces.ts';
import type { Library } from '../library/library.ts';

type Asked = Pick<TrainRequest, 'views' | 'adaptor' | 'split'>;

/**
 * The spaces that a training of several views names.
 * @throws EngineError `not-found` for one that the library has not, `bad-input` where they cannot be looked at together, or
 * the training has no part left to tell what comes of it
 */
export function chooseViews(library: Library, { views, adaptor, split }: Asked): SpaceInfo[] {
  const spaces = (views?.spaces ?? []).map((name) => spaceNamed(library, name));
  const packs = spaces.map(({ packId }) => `“${packId}”`).join(', ');
  if (spaces.length < 2)
    throw new EngineError(
      'bad-input',
      `One view alone (${packs}) is an ordinary experiment.`,
      'Name two views or more, or train without naming views.',
    );
  const twice = spaces.find(({ key }, i) => spaces.findIndex((other) => other.key === key) < i);
  if (twice)
    throw new EngineError(
      'bad-input',
      `The view “${twice.packId}” is named twice.`,
      'Name every view once: the same numbers beside themselves add nothing.',
    );
  const [first] = spaces;
  const other = spaces.find(({ windows }) => windows !== first?.windows);
  if (first && other)
    throw new EngineError(
      'bad-input',
      `The views have other windows: “${first.packId}” ${windowsInWords(first)}, “${other.packId}” ${windowsInWords(other)}.`,
      'Import the library with the same choice of windows for both.',
    );
  const deformed = spaces.find(({ deformation }) => deformation !== null);
  if (deformed)
    throw new EngineError(
      'bad-input',
      `The view “${deformed.packId}” is of audio that was changed before (${deformed.deformation ?? ''}).`,
      'Name views of the audio as it is.',
    );
  if (adaptor !== 'none')
    throw new EngineError(
      'bad-input',
      'Prototypes of several views have no adaptor.',
      'Train without the transformer layer, or in one space.',
    );
  if (split.validation === 0 || split.test === 0)
    throw new EngineError(
      'bad-input',
      `A training of several views needs a validation and a test part; the ${split.validation === 0 ? 'validation' : 'test'} part has no share.`,
      'The weights of the views are chosen on the validation part, so that only a third part tells what they are worth: give both a share.',
    );
  return spaces;
}

function spaceNamed(library: Library, name: string): SpaceInfo {
  const known = library.spaces.list().filter(({ tracks }) => tracks > 0);
  const found = known.filter(({ key, packId }) => key === name || packId === name);
  const [space] = found;
  if (!space) {
    const names = known.map(({ packId }) => `“${packId}”`).join(', ');
    throw new EngineError(
      'not-found',
      `No track of this library is embedded in “${name}”; it has ${names === '' ? 'no embedding space yet' : names}.`,
      'Import the library with that pack first: what was embedded before is kept.',
    );
  }
  if (found.length > 1)
    throw new EngineError(
      'bad-input',
      `The library has ${found.length} spaces of “${name}”: ${found.map((one) => `${one.key} (${windowsInWords(one)}, ${one.tracks} tracks)`).join(', ')}.`,
      'Name the space by its key.',
    );
  return space;
}

function windowsInWords({ windows }: SpaceInfo): string {
  return windows === 'all' ? 'all windows' : windows === 1 ? 'one window' : `${windows} windows`;
}
