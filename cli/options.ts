import { InvalidArgumentError } from 'commander';

/** Parsers of option values; what they throw is reported by the program as wrong usage. */

export function wholeNumber(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isInteger(value) || value < low || value > high)
      throw new InvalidArgumentError(`must be a whole number from ${low} to ${high}.`);
    return value;
  };
}

/** A number above `low` (or equal to it, with `inclusive`) and at most `high`. */
export function number(low: number, high: number, inclusive = true): (text: string) => number {
  return (text) => {
    const value = Number(text);
    const tooLow = inclusive ? value < low : value <= low;
    if (text.trim() === '' || !Number.isFinite(value) || tooLow || value > high)
      throw new InvalidArgumentError(`must be a number ${inclusive ? 'from' : 'above'} ${low} to ${high}.`);
    return value;
  };
}

export const seedNumber = wholeNumber(0, 0xffffffff);

export function windows(text: string): 'all' | number {
  return text === 'all' ? 'all' : wholeNumber(1, 10_000)(text);
}

export function list(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

const providers = ['cpu', 'cuda', 'webgpu', 'dml', 'coreml'] as const;

/** What computes. */
export function provider(text: string): (typeof providers)[number] {
  const found = providers.find((name) => name === text);
  if (found === undefined) throw new InvalidArgumentError(`must be one of ${providers.join(', ')}.`);
  return found;
}
