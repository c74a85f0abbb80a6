import { Option, type Command } from 'commander';
import { DEFAULT_SHARE, LEAST_SHARE, MOST_SHARE, type SoundOrigin } from '../engine/api/sonify.ts';
import { EngineError } from '../engine/api/errors.ts';
import { number } from './options.ts';

/** What {@link addSoundOrigin} adds. */
export interface SoundOriginOptions {
  from: 'noise' | 'recording';
  share?: number;
}

/** Lets a verb that makes sounds be told what they begin with. */
export function addSoundOrigin(command: Command): Command {
  return command
    .addOption(
      new Option('--from <origin>', 'what sounds begin with: noise, or the nearest recording of the class')
        .choices(['noise', 'recording'])
        .default('noise'),
    )
    .option(
      '--share <s>',
      `share of noise over the recording, ${LEAST_SHARE} to ${MOST_SHARE}; default: ${DEFAULT_SHARE}`,
      number(LEAST_SHARE, MOST_SHARE),
    );
}

/** @throws EngineError `bad-input` for a share without a recording */
export function soundOrigin({ from, share }: SoundOriginOptions): SoundOrigin {
  if (from === 'recording') return { origin: 'recording', share: share ?? DEFAULT_SHARE };
  if (share !== undefined)
    throw new EngineError(
      'bad-input',
      'Noise has no share of noise.',
      'Add --from recording, or leave --share out.',
    );
  return { origin: 'noise' };
}
