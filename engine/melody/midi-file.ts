import { open } from 'node:fs/promises';
import { MOST_MIDI_BYTES, readMidi } from '../../models/melody/midi.ts';
import { EngineError } from '../api/errors.ts';
import type { MidiMelody } from '../api/melody.ts';
import { limits } from './play.ts';

/**
 * Reads the notes of a MIDI file, of which no more is taken into memory than one may have.
 * @throws EngineError `unreadable`; MelodyError
 */
export async function readMidiFile(path: string): Promise<MidiMelody> {
  const bytes = await beginning(path).catch((thrown: unknown) => {
    throw new EngineError('unreadable', `${path} cannot be read.`, 'Check that the file is still there.', {
      cause: thrown,
    });
  });
  return readMidi(bytes, limits);
}

async function beginning(path: string): Promise<Uint8Array> {
  const file = await open(path);
  try {
    const bytes = new Uint8Array(MOST_MIDI_BYTES + 1);
    let filled = 0;
    while (filled < bytes.length) {
      const { bytesRead } = await file.read(bytes, filled, bytes.length - filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return bytes.slice(0, filled);
  } finally {
    await file.close();
  }
}
