import { AudioError } from '../../models/audio/errors.ts';
import { CheckpointError } from '../../models/checkpoint/errors.ts';
import { DatasetError } from '../../models/datasets/errors.ts';
import { MelodyError } from '../../models/melody/errors.ts';
import { ReductionError } from '../../models/reduction/errors.ts';
import { NumericError } from '../../models/numerics/errors.ts';
import { PackError } from '../../models/packs/errors.ts';
import { GraphBuildError } from '../../models/onnx/errors.ts';
import { PrototypeError } from '../../models/pecmae/errors.ts';
import { EngineError } from '../api/errors.ts';
import { isDiskFull } from '../storage/errors.ts';

/**
 * Gives what the models and the system throw the engine's typed form, keeping message and hint. An EngineError and an
 * abort keep their meaning; anything unknown becomes `internal`. For the ends of the engine: the wire, the job queue, and
 * the command line where it works without one. What lies between throws what it throws.
 */
export function asEngineError(thrown: unknown): EngineError {
  if (thrown instanceof EngineError) return thrown;
  if (thrown instanceof PackError)
    return new EngineError('pack', sentence(thrown.message), thrown.hint, { cause: thrown });
  if (thrown instanceof CheckpointError)
    // Most of these begin with the name of a file.
    return new EngineError('pack', `${thrown.message}.`, thrown.hint, {
      cause: thrown,
      detail: { code: thrown.code },
    });
  if (thrown instanceof GraphBuildError)
    return new EngineError(
      'pack',
      `The model is not built as expected: ${thrown.message}.`,
      'Use a file of the published model, complete and unchanged.',
      { cause: thrown },
    );
  if (thrown instanceof AudioError)
    return new EngineError('audio', thrown.message, thrown.hint, { cause: thrown });
  if (thrown instanceof ReductionError)
    return new EngineError('reduction', thrown.message, thrown.hint, { cause: thrown });
  if (thrown instanceof NumericError)
    return new EngineError('bad-input', thrown.message, thrown.hint, { cause: thrown });
  if (thrown instanceof MelodyError)
    return new EngineError('bad-input', thrown.message, thrown.hint, { cause: thrown });
  if (thrown instanceof DatasetError)
    return new EngineError(
      thrown.code === 'missing' ? 'not-found' : 'bad-input',
      thrown.message,
      thrown.hint,
      {
        cause: thrown,
      },
    );
  if (thrown instanceof PrototypeError) {
    // These two begin with the name of a class or of a parameter.
    const input = thrown.code === 'last-prototype' || thrown.code === 'parameters';
    const message = input ? `${thrown.message}.` : sentence(thrown.message);
    return new EngineError(input ? 'bad-input' : 'training', message, thrown.hint, { cause: thrown });
  }
  if (isDiskFull(thrown))
    return new EngineError(
      'disk-full',
      'There is no space left on the disk.',
      'Free some space, or choose another folder, and try again. Nothing that was finished is lost.',
      { cause: thrown },
    );
  return EngineError.from(thrown);
}

/** Messages of the models begin in lower case and have no full stop. */
function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith('.') ? '' : '.'}`;
}
