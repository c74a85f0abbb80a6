import { InvalidArgumentError } from 'commander';
import { EngineError } from '../engine/api/errors.ts';
import type { MethodInfo } from '../engine/api/studies.ts';
import { methodNamed } from '../engine/reductions/study/methods.ts';

/** One parameter as typed: `name=value`, or a bare size. */
export interface ParameterText {
  /** null for a bare size. */
  name: string | null;
  value: string;
}

/** Collects `--param 10` and `--param p=10,variant=reference`; what it throws is reported as wrong usage. */
export function parameterTexts(text: string, before: readonly ParameterText[]): ParameterText[] {
  const typed = text.split(',').map((part): ParameterText => {
    const equals = part.indexOf('=');
    if (equals > 0) return { name: part.slice(0, equals).trim(), value: part.slice(equals + 1).trim() };
    const percent = Number(part);
    if (part.trim() === '' || !(percent > 0 && percent <= 100))
      throw new InvalidArgumentError(
        'a size must be a number above 0 to 100; other parameters are name=value.',
      );
    return { name: null, value: part.trim() };
  });
  return [...before, ...typed];
}

/**
 * Parameters for a method, by what its registry entry says they are. A bare size is ignored by methods that choose the
 * size themselves.
 * @throws EngineError `bad-input` for an unknown method or parameter, or a number that is none
 */
export function parametersOf(
  methodName: string,
  typed: readonly ParameterText[],
): Record<string, number | string> {
  const { id: method, parameters }: MethodInfo = methodNamed(methodName);
  const filled: Record<string, number | string> = {};
  for (const { name, value } of typed) {
    const parameter = parameters.find((known) => known.name === (name ?? 'p'));
    if (!parameter) {
      if (name === null) continue;
      const known = parameters.map((each) => each.name).join(', ');
      throw new EngineError(
        'bad-input',
        `${method} takes no parameter “${name}”.`,
        known === '' ? 'It takes none.' : `It takes ${known}.`,
      );
    }
    const number = Number(value);
    if (parameter.kind === 'number' && (value === '' || !Number.isFinite(number)))
      throw new EngineError(
        'bad-input',
        `${parameter.name} is a number, not “${value}”.`,
        `Try ${parameter.default}.`,
      );
    filled[parameter.name] = parameter.kind === 'number' ? number : value;
  }
  return filled;
}
