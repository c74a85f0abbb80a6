import { ReductionError } from './errors.ts';

/** Parameters of a reduction; which of them a method takes is stated by its registry entry. */
export type ReductionParameters = Readonly<Record<string, number | string | boolean>>;

/** One number a method takes. */
export interface NumberParameter {
  kind: 'number';
  name: string;
  title: string;
  /** Exclusive lower and inclusive upper end. */
  above: number;
  atMost: number;
  default: number;
  unit: string;
}

/** One choice a method offers. */
export interface ChoiceParameter {
  kind: 'choice';
  name: string;
  title: string;
  /** In the order they are offered; the default is among them. */
  options: readonly { value: string; title: string }[];
  default: string;
}

export type ReductionParameter = NumberParameter | ChoiceParameter;

/** The percentage `p`: with MChen the size itself, with MRSP1 and MRSP2 the number of cells. */
export const percentage: NumberParameter = {
  kind: 'number',
  name: 'p',
  title: 'Size',
  above: 0,
  atMost: 100,
  default: 10,
  unit: '%',
};

/**
 * Fills in defaults.
 * @throws ReductionError `bad-parameter` for a parameter the method does not take, or a value it cannot take.
 */
export function fillParameters(
  method: string,
  known: readonly ReductionParameter[],
  given: ReductionParameters,
): Record<string, number | string> {
  for (const name of Object.keys(given))
    if (!known.some((parameter) => parameter.name === name))
      throw new ReductionError('bad-parameter', `${method} takes no parameter “${name}”.`, 'Leave it out.');
  return Object.fromEntries(
    known.map((parameter) => [parameter.name, valueOf(method, parameter, given[parameter.name])]),
  );
}

function valueOf(
  method: string,
  parameter: ReductionParameter,
  given: number | string | boolean | undefined,
): number | string {
  const value = given ?? parameter.default;
  if (parameter.kind === 'choice') {
    if (parameter.options.some((option) => option.value === value)) return String(value);
    throw new ReductionError(
      'bad-parameter',
      `${method}: ${parameter.name} cannot be “${String(value)}”.`,
      `Choose one of ${parameter.options.map((option) => option.value).join(', ')}.`,
    );
  }
  const { name, above, atMost, default: standard } = parameter;
  if (typeof value === 'number' && value > above && value <= atMost) return value;
  throw new ReductionError(
    'bad-parameter',
    `${method}: ${name} must be above ${above} and at most ${atMost}, not ${String(value)}.`,
    `Try ${name} = ${standard}.`,
  );
}

/** A filled-in number. */
export function numberOf(parameters: ReductionParameters, name: string): number {
  const value = parameters[name];
  return typeof value === 'number' ? value : NaN;
}
