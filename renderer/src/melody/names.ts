/** What continues melodies. */
export const modelNames = { markov: 'Markov chain', lstm: 'LSTM' } as const;

const names = ['C', 'C♯', 'D', 'D♯', 'E', 'F', 'F♯', 'G', 'G♯', 'A', 'A♯', 'B'] as const;
const black = new Set([1, 3, 6, 8, 10]);

/** “C4” is 60. */
export function pitchName(midiPitch: number): string {
  return `${names[midiPitch % 12] ?? ''}${String(Math.floor(midiPitch / 12) - 1)}`;
}

export function isBlack(midiPitch: number): boolean {
  return black.has(midiPitch % 12);
}

/** “2.3”: beat and step of the grid, from 1. */
export function beatName(seconds: number, beatsPerMinute: number, stepsPerBeat: number): string {
  const steps = Math.round((seconds * beatsPerMinute * stepsPerBeat) / 60);
  return `${String(Math.floor(steps / stepsPerBeat) + 1)}.${String((steps % stepsPerBeat) + 1)}`;
}
