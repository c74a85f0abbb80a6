import { basename, resolve } from 'node:path';
import { writeMidiFile } from '../../models/melody/midi.ts';
import { answer } from '../answer.ts';
import type { Handlers } from '../api/contract.ts';
import type { melodyMethods } from '../api/melody.ts';
import { writeNew } from '../bundles/write-new.ts';
import type { EngineContext } from '../context.ts';
import { jobKind } from '../jobs/kind.ts';
import { nameOfVectors } from '../neighbours/vector-ref.ts';
import { readMidiFile } from './midi-file.ts';
import { playMelody, playSpecSchema } from './play.ts';
import { transcribeSpecSchema, transcribeTrack } from './transcribe.ts';

/** Melodies on prototypes. */
export function melodyHandlers(context: EngineContext): Pick<Handlers, keyof typeof melodyMethods> {
  const { jobs, libraries } = context;
  jobs.register(
    jobKind({
      kind: 'melody',
      // Somebody waits to hear it; what goes into a file may be long.
      lane: ({ file }) => (file === undefined ? 'listen' : 'compute'),
      spec: playSpecSchema,
      title: ({ libraryId, experimentId, index, file }) => {
        const target = { kind: 'prototype', experimentId, index } as const;
        const name = nameOfVectors(libraries.get(libraryId), [target]);
        return file === undefined ? `Melody on ${name}` : `Melody on ${name} to ${basename(file)}`;
      },
      run: async ({ libraryId, ...request }, job) => ({
        kind: 'melody',
        melody: await playMelody(context, libraries.get(libraryId), request, job),
      }),
    }),
  );
  jobs.register(
    jobKind({
      kind: 'transcribe',
      lane: 'listen',
      spec: transcribeSpecSchema,
      title: ({ libraryId, trackId }) =>
        `Notes of ${nameOfVectors(libraries.get(libraryId), [{ kind: 'track', trackId }])}`,
      run: async ({ libraryId, ...request }, job) => ({
        kind: 'transcribe',
        ...(await transcribeTrack(context, libraries.get(libraryId), request, job)),
      }),
    }),
  );
  return {
    'melody.transcribe': (spec) =>
      answer(() => ({ jobId: jobs.start('transcribe', { libraryId: spec.libraryId, spec }) })),
    'melody.play': (spec) =>
      answer(() => ({ jobId: jobs.start('melody', { libraryId: spec.libraryId, spec }) })),
    'melody.readMidi': ({ file }) => readMidiFile(resolve(file)),
    'melody.writeMidi': async ({ libraryId, notes, beatsPerMinute, file }) => {
      // Only who works on a library writes files.
      libraries.get(libraryId);
      const bytes = writeMidiFile(notes, beatsPerMinute);
      await writeNew(resolve(file), bytes);
      return { bytes: bytes.length };
    },
  };
}
