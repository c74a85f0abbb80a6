/** What things are called on a NATS server. Subjects say whose they are, so that rights can be given by library and worker. */
import { PROTOCOL } from '../protocol.ts';

const prefix = (protocol = PROTOCOL): string => `archetone-${protocol}`;

/** Streams. */
export const tasksStream = (libraryId: string): string => `${prefix()}-tasks-${libraryId}`;
export const answersStream = (libraryId: string): string => `${prefix()}-answers-${libraryId}`;

export type Urgency = 'first' | 'later';

/** Subjects. */
export const taskSubject = (libraryId: string, urgency: Urgency, key: string): string =>
  `archetone.${PROTOCOL}.tasks.${libraryId}.${urgency}.${key}`;
export const answerSubject = (libraryId: string, worker: string, key: string): string =>
  `archetone.${PROTOCOL}.answers.${libraryId}.${worker}.${key}`;
/** Who answers which task, by the subject of the answer. */
export function answerOf(subject: string): { worker: string; key: string } {
  const [worker = '', key = ''] = subject.split('.').slice(4);
  return { worker, key };
}

/** Whoever works answers here who it is. */
export const whoSubject = `archetone.${PROTOCOL}.who`;
/** A library's machine is asked for audio here. */
export const audioSubject = (libraryId: string): string => `archetone.${PROTOCOL}.audio.${libraryId}`;
/** A worker is told here that a library does not want its answers. */
export const asideSubject = (libraryId: string, worker: string): string =>
  `archetone.${PROTOCOL}.aside.${libraryId}.${worker}`;
export const libraryOfAside = (subject: string): string => subject.split('.')[3] ?? '';

/** Object stores. */
export const audioBucket = (libraryId: string): string => `${prefix()}-audio-${libraryId}`;
export const filesBucket = `${prefix()}-files`;
export const answersBucket = `${prefix()}-large-answers`;

/** @returns protocol and library of a stream of tasks; null for any other stream */
export function tasksOf(stream: string): { protocol: number; libraryId: string } | null {
  const [, protocol, libraryId] = /^archetone-(\d+)-tasks-([A-Za-z0-9_-]+)$/.exec(stream) ?? [];
  return protocol === undefined || libraryId === undefined ? null : { protocol: Number(protocol), libraryId };
}

/** Names the object that holds an answer which is too large for a message. */
export const objectHeader = 'Archetone-Object';
