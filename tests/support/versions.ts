import { execFileSync, spawnSync } from 'node:child_process';

/** What may be done to a recording that stays the same recording. */
export interface Version {
  name: string;
  /** Ending of the file. */
  format: string;
  /** What ffmpeg is told between its input and its output. */
  steps: readonly string[];
}

const gain = (db: number): Version => ({
  ...{ name: `${db > 0 ? '+' : '−'}${String(Math.abs(db))} dB`, format: 'wav' },
  // In floats: what is louder than full scale is cut where the file is written, as an editor would.
  steps: ['-af', `volume=${String(db)}dB:precision=float`, '-c:a', 'pcm_s16le'],
});

/** One recording at other rates, codecs and gains. */
export const versions: readonly Version[] = [
  { name: 'MP3 128 kbit/s', format: 'mp3', steps: ['-c:a', 'libmp3lame', '-b:a', '128k'] },
  { name: 'Ogg Vorbis', format: 'ogg', steps: ['-c:a', 'libvorbis', '-q:a', '4'] },
  { name: '22.05 kHz', format: 'wav', steps: ['-ar', '22050', '-c:a', 'pcm_s16le'] },
  { name: '48 kHz', format: 'wav', steps: ['-ar', '48000', '-c:a', 'pcm_s16le'] },
  gain(-6),
  gain(-12),
  gain(3),
  {
    ...{ name: 'MP3, −12 dB, 44.1 kHz', format: 'mp3' },
    steps: ['-af', 'volume=-12dB:precision=float', '-ar', '44100', '-c:a', 'libmp3lame', '-b:a', '128k'],
  },
];

/** Whether this machine can make versions. */
export const noFfmpeg = spawnSync('ffmpeg', ['-version']).error !== undefined;

/** Writes versions of a sound file, the same bytes for the same file and ffmpeg: all at once, since starting it takes longest. */
export function writeVersions(from: string, made: readonly { version: Version; to: string }[]): void {
  const exact = ['-map_metadata', '-1', '-fflags', '+bitexact', '-flags:a', '+bitexact'];
  execFileSync('ffmpeg', [
    ...['-v', 'error', '-y', '-i', from],
    ...made.flatMap(({ version, to }) => ['-map', '0:a:0', ...exact, ...version.steps, to]),
  ]);
}
