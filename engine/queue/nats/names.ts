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
/** The fifth of an answer's subject. */
export const workerOf = (subject: string): string => subject.split('.')[4] ?? '';

/** Object stores. */
export const filesBucket = `${prefix()}-files`;
export const answersBucket = `${prefix()}-large-answers`;

/** @returns protocol and library of a stream of tasks; null for any other stream */
export function tasksOf(stream: string): { protocol: number; libraryId: string } | null {
  const [, protocol, libraryId] = /^archetone-(\d+)-tasks-([A-Za-z0-9_-]+)$/.exec(stream) ?? [];
  return protocol === undefined || libraryId === undefined ? null : { protocol: Number(protocol), libraryId };
}

/** Names the object that holds an answer which is too large for a message. */
export const objectHeader = 'Archetone-Object';
