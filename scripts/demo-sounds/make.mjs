/**
 * Makes the demo library again: `node scripts/demo-sounds/make.mjs [folder]`, by default demo/. Needs ffmpeg with libvorbis.
 * The sounds are the same wherever this runs; their bytes are those of the encoder that is there.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from '../lib.mjs';
import { plan, rendered, tagsOf } from './plan.mjs';
import { RATE } from './synth.mjs';

const out = process.argv[2] ?? join(root, 'demo');
const sounds = join(out, 'sounds');

function encode(sound, path, tags) {
  mkdirSync(dirname(path), { recursive: true });
  const pcm = Int16Array.from(sound, (value) => Math.round(32767 * Math.max(-1, Math.min(1, value))));
  const exact = ['-fflags', '+bitexact', '-flags:a', '+bitexact', '-map_metadata', '-1'];
  const metadata = Object.entries(tags).flatMap(([key, value]) => ['-metadata', `${key}=${value}`]);
  const made = spawnSync(
    'ffmpeg',
    [
      ...['-v', 'error', '-y', '-f', 's16le', '-ar', String(RATE), '-ac', '1', '-i', 'pipe:0'],
      ...[...exact, ...metadata, '-c:a', 'libvorbis', '-q:a', '3', path],
    ],
    { input: new Uint8Array(pcm.buffer) },
  );
  if (made.status !== 0) throw new Error(made.error?.message ?? String(made.stderr));
}

const { files, wrong, copies, phrases, playlists } = plan();
rmSync(sounds, { recursive: true, force: true });
const encoded = new Map();
for (const { sound, path } of files) {
  const file = join(sounds, path);
  const first = encoded.get(sound);
  mkdirSync(dirname(file), { recursive: true });
  if (first) copyFileSync(first, file);
  else {
    const samples = rendered(sound);
    encode(samples, file, tagsOf(sound, samples));
  }
  encoded.set(sound, file);
}
for (const { path, tags, sound } of phrases) encode(sound(), join(sounds, path), tags);
mkdirSync(join(sounds, 'Playlists'), { recursive: true });
for (const { name, paths } of playlists) {
  const lines = ['#EXTM3U', ...paths.map((path) => `../${path}`)];
  writeFileSync(join(sounds, 'Playlists', `${name}.m3u8`), `${lines.join('\n')}\n`);
}
const madeAs = new Map(files.map(({ path, sound }) => [path, sound.kind]));
writeFileSync(
  join(out, 'planted.json'),
  `${JSON.stringify({ wrong: wrong.map((path) => ({ path, madeAs: madeAs.get(path) })), copies }, null, 2)}\n`,
);
console.log(
  `${files.length + phrases.length} sounds, ${wrong.length} in a wrong folder, ${playlists.length} playlists: ${out}`,
);
