import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  queueLimits,
  readAnswer,
  readTask,
  writeAnswer,
  writeTask,
  type QueueAnswer,
  type QueueTask,
} from '../../../engine/queue/protocol.ts';

const task: QueueTask = {
  protocol: 1,
  libraryId: '01M8H0AF0DX1QPVR8PAHG6R2P0',
  spaceKey: '4e9cf36ead4e98a3a100d7a83ce0942b',
  packSha256: 'a'.repeat(64),
  windows: 'all',
  contentHash: 'b'.repeat(64),
  path: '/music/a song.flac',
  durationSeconds: 12.5,
  steps: null,
  leaseSeconds: 30,
};

const answer = (windows: number, dim: number, peaks: number): QueueAnswer => ({
  spaceKey: task.spaceKey,
  contentHash: task.contentHash,
  outcome: {
    kind: 'embedded',
    durationSeconds: 12.5,
    note: null,
    ...{ windows, dim, peaks },
    by: { provider: 'cpu', runtime: 'onnxruntime 1.30.0', processor: 'a processor' },
  },
  numbers: {
    index: Int32Array.from({ length: windows }, (_, i) => i),
    startSeconds: Float32Array.from({ length: windows }, (_, i) => 0.1 * i),
    seconds: new Float32Array(windows).fill(0.1),
    vectors: Float32Array.from({ length: windows * dim }, (_, i) => Math.fround(Math.sin(i))),
    peaks: Int8Array.from({ length: peaks }, (_, i) => (i % 255) - 127),
  },
});

it('brings tasks and answers over unchanged, wherever a message begins in memory', () => {
  expect(readTask(writeTask(task))).toEqual(task);
  fc.assert(
    fc.property(fc.nat(20), fc.nat(40), fc.nat(30), fc.nat(7), (windows, dim, peaks, offset) => {
      const sent = answer(windows + 1, dim + 1, peaks);
      const bytes = writeAnswer(sent);
      const moved = new Uint8Array(bytes.length + offset);
      moved.set(bytes, offset);
      expect(readAnswer(moved.subarray(offset))).toEqual(sent);
    }),
    { numRuns: 50 },
  );
});

it('refuses whatever is cut, changed, too large or of another version', () => {
  const bytes = writeAnswer(answer(3, 8, 10));
  for (let length = 0; length < bytes.length; length += 7)
    expect(() => readAnswer(bytes.subarray(0, length))).toThrow('no answer of version 1');
  expect(() => readAnswer(Buffer.concat([bytes, Buffer.alloc(1)]))).toThrow('another length');
  const long = Buffer.alloc(8);
  long.writeUInt32LE(queueLimits.headerBytes + 1);
  expect(() => readAnswer(long)).toThrow('its header');
  expect(() => readTask(writeTask({ ...task, path: 'x'.repeat(queueLimits.taskBytes) }))).toThrow(
    'too large',
  );
  const other = Buffer.from(JSON.stringify({ ...task, protocol: 2 }));
  expect(() => readTask(other)).toThrow('no task of version 1');
  expect(() => readTask(Buffer.from([0xff, 0xfe]))).toThrow('not JSON');
});

it('reads any bytes at all without failing in another way', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(() => readAnswer(bytes)).toThrow('no answer of version 1');
      expect(() => readTask(bytes)).toThrow('no task of version 1');
    }),
  );
});
