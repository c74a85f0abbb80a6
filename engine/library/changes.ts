import type { EngineEvent } from '../api/domain.ts';

/** What of a library is shown again when it was written. */
export type Change = Extract<EngineEvent, { type: 'library-changed' }>['what'];

/** Tells shells of a change: repositories call it once what they wrote is stored, and nobody else has to. */
export type Announce = (what: Change) => void;
