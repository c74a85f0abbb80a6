import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeWav } from '../../models/audio/encode-wav.ts';
import { Random } from '../../models/numerics/random.ts';
import { testFolder } from './music.ts';
import { TINY } from './tiny-pack.ts';

/** Classes as decaying tones of their own register, one window each; another seed gives another collection. */
export function toneClasses(seed: number, perClass = 6): string {
  const folder = testFolder();
  const random = new Random(seed);
  for (const [name, hertz] of [
    ['low', 200],
    ['high', 1800],
  ] as const) {
    mkdirSync(join(folder, name), { recursive: true });
    for (let i = 0; i < perClass; i++) {
      const pitch = hertz * (1 + 0.2 * random.uniform());
      const samples = Float32Array.from(
        { length: TINY.S },
        (_, n) => 0.5 * Math.exp(-n / 3000) * Math.sin((2 * Math.PI * pitch * n) / TINY.sampleRate),
      );
      writeFileSync(join(folder, name, `${i}.wav`), encodeWav(samples, TINY.sampleRate, 'pcm16'));
    }
  }
  return folder;
}
