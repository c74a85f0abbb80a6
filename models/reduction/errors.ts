import { NumericError } from '../numerics/errors.ts';

/** Why a reduction was refused: its method, its parameters, or data that this method cannot take. */
export class ReductionError extends NumericError {
  override readonly name = 'ReductionError';
}
