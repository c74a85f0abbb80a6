import type { Sonification } from '../../../engine/api/sonify.ts';
import type { Peaks } from '../../../engine/api/tracks.ts';
import { startOfSound } from '../session/listening.ts';

/** What can be played, and what to do where it cannot. */
export const sourceKinds = {
  track: { hint: 'Check that the file is still there, then rescan the library.' },
  sonification: { hint: 'Sonify it again.' },
  /** One that need not be in the library. */
  file: { hint: 'Check that the file is still there, then drop it again.' },
  /** What is left of a sound when modulations are taken away. */
  modulation: { hint: 'Hear it again from the view Modulation.' },
  melody: { hint: 'Play it again.' },
} as const;

export interface PlayerSource {
  /** Two sources with the same key are the same sound. */
  key: string;
  kind: keyof typeof sourceKinds;
  /** Only of a track. */
  trackId: string | null;
  /** Only of a sonification: of the sound that is being made, where this is its first draw. */
  soundId: string | null;
  /** Only of a prototype's sonification: which it is of the chosen experiment. */
  prototype: number | null;
  title: string;
  subtitle: string;
  url: string;
  peaks: Peaks | null;
  durationSeconds: number;
}

export interface TrackToPlay {
  id: string;
  title: string;
  path: string;
  durationSeconds?: number | null;
}

/** A file that need not be in the library. */
export interface FileToPlay {
  path: string;
  title: string;
  durationSeconds: number;
}

export type SoundToPlay = Pick<Sonification, 'id' | 'url' | 'durationSeconds' | 'from'>;

/** `firstOf`: the sound whose first draw this is; `prototype`: which prototype of the chosen experiment it is of. */
export interface Heard {
  firstOf?: string;
  prototype?: number | null;
}

/** A sound that belongs to no track. */
export type MadeSound = Pick<PlayerSource, 'key' | 'kind' | 'title' | 'subtitle' | 'url' | 'durationSeconds'>;

const nothingElse = { trackId: null, soundId: null, prototype: null, peaks: null };

export function trackKey({ id }: Pick<TrackToPlay, 'id'>): string {
  return `track:${id}`;
}

export function fileKey({ path }: Pick<FileToPlay, 'path'>): string {
  return `file:${path}`;
}

export function trackSource(track: TrackToPlay, url: string, peaks: Peaks | null): PlayerSource {
  return {
    ...nothingElse,
    key: trackKey(track),
    kind: 'track',
    trackId: track.id,
    title: track.title,
    subtitle: track.path,
    url,
    peaks,
    durationSeconds: peaks?.durationSeconds ?? track.durationSeconds ?? 0,
  };
}

export function fileSource(file: FileToPlay, url: string): PlayerSource {
  const { path, title, durationSeconds } = file;
  return { ...nothingElse, key: fileKey(file), kind: 'file', title, subtitle: path, url, durationSeconds };
}

export function madeSource(made: MadeSound): PlayerSource {
  return { ...nothingElse, ...made };
}

export function sonificationSource(
  sound: SoundToPlay,
  title: string,
  { firstOf, prototype = null }: Heard,
): PlayerSource {
  return {
    key: `sonification:${sound.id}`,
    kind: 'sonification',
    trackId: null,
    soundId: firstOf ?? sound.id,
    prototype,
    title,
    subtitle:
      firstOf === undefined
        ? `Sonified by the diffusion decoder, ${startOfSound(sound.from)}`
        : 'The first of several draws; the best one takes its place',
    url: sound.url,
    peaks: null,
    durationSeconds: sound.durationSeconds,
  };
}
