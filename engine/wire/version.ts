import { EngineError } from './errors.ts';

declare const __ARCHETONE_VERSION__: string | undefined;

/** Of Archetone, set by the build; null in code that was not built. */
const ownVersion = typeof __ARCHETONE_VERSION__ === 'undefined' ? null : __ARCHETONE_VERSION__;

/** The first message of both sides: files of two versions may lie beside each other after an update that was cut short. */
export const hello = { type: 'hello', version: ownVersion } as const;

/**
 * What speaks against talking to the other side.
 * @param version what it said first; undefined when it said something else first
 */
export function versionProblem(version: string | null | undefined): EngineError | null {
  if (version !== undefined && (version === null || ownVersion === null || version === ownVersion))
    return null;
  return new EngineError(
    'other-version',
    `Parts of two versions of Archetone met: ${ownVersion ?? 'one that was not built'}, and ${version ?? 'an older one'}.`,
    'Start Archetone again. If that does not help, install it again: your libraries are kept.',
  );
}
