import { fixed } from '../ui/format.ts';
/** “+12.0 dB” */
export function decibels(value: number): string {
  const rounded = Math.round(value * 10) / 10;
  return `${rounded > 0 ? '+' : ''}${fixed(rounded, 1)} dB`;
}
