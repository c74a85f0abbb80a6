import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decoderContract } from '../../../electron/decoder-contract.ts';
import { decodePcm } from '../../../models/audio/index.ts';
import { audioLimits, isPossible } from '../../../models/audio/limits.ts';
import { never } from '../../fixtures/audio/signal.ts';
import { wav } from '../../support/odd-audio.ts';

let folder = '';
let files = 0;
beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), 'archetone-limits-'))));
afterAll(() => rm(folder, { recursive: true, force: true }));

const { min, max } = audioLimits.sampleRate;
const edges = [
  { sampleRate: min, channels: 1, possible: true },
  { sampleRate: max, channels: 1, possible: true },
  { sampleRate: min - 1, channels: 1, possible: false },
  { sampleRate: max + 1, channels: 1, possible: false },
  { sampleRate: 8000, channels: audioLimits.channels, possible: true },
  { sampleRate: 8000, channels: audioLimits.channels + 1, possible: false },
];

/** A Sun/NeXT file of silence. */
function au(sampleRate: number, channels: number): Buffer {
  const head = Buffer.alloc(28);
  const data = Buffer.alloc(200 * channels);
  [0x2e736e64, 28, data.length, 3, sampleRate, channels].forEach((value, i) =>
    head.writeUInt32BE(value, 4 * i),
  );
  return Buffer.concat([head, data]);
}

/** An AIFF of silence; its rate is a float of 80 bits. */
function aiff(sampleRate: number, channels: number): Buffer {
  const chunk = (id: string, content: Buffer): Buffer => {
    const head = Buffer.from(`${id}....`, 'latin1');
    head.writeUInt32BE(content.length, 4);
    return Buffer.concat([head, content]);
  };
  const common = Buffer.alloc(18);
  common.writeUInt16BE(channels, 0);
  common.writeUInt32BE(100, 2);
  common.writeUInt16BE(16, 6);
  const exponent = Math.floor(Math.log2(sampleRate));
  common.writeUInt16BE(16_383 + exponent, 8);
  common.writeBigUInt64BE(BigInt(sampleRate) << BigInt(63 - exponent), 10);
  const sound = chunk('SSND', Buffer.alloc(8 + 200 * channels));
  return chunk('FORM', Buffer.concat([Buffer.from('AIFF'), chunk('COMM', common), sound]));
}

const formats: Record<string, (sampleRate: number, channels: number) => Buffer> = {
  wav: (sampleRate, channels) => wav({ sampleRate, channels, samples: new Float32Array(100 * channels) }),
  au,
  aiff,
};

describe.each(Object.entries(formats))('limits on what is in a file: %s', (format, make) => {
  it.each(edges)(
    '$channels channels at $sampleRate Hz: $possible',
    async ({ sampleRate, channels, possible }) => {
      const path = join(folder, `${files++}.${format}`);
      await writeFile(path, make(sampleRate, channels));
      const opened = decodePcm(path, { signal: never });
      if (!possible) {
        await expect(opened).rejects.toMatchObject({ code: 'corrupt' });
        return;
      }
      const stream = await opened;
      expect(stream).toMatchObject({ sampleRate, channels });
      for await (const { channelData } of stream.chunks) expect(channelData).toHaveLength(channels);
    },
  );
});

describe('limits on what another decoder gives', () => {
  it.each(edges)('$channels channels at $sampleRate Hz: $possible', ({ sampleRate, channels, possible }) => {
    const planes = Array.from({ length: channels }, () => new Float32Array(10));
    expect(decoderContract.decode.output?.safeParse({ sampleRate, planes }).success).toBe(possible);
    expect(isPossible({ sampleRate, channels })).toBe(possible);
  });

  it('are none that can be compared with what is no number', () => {
    expect(isPossible({ sampleRate: NaN, channels: 1 })).toBe(false);
    expect(isPossible({ sampleRate: 8000, channels: NaN })).toBe(false);
    expect(isPossible({ sampleRate: Infinity, channels: 1 })).toBe(false);
  });
});
