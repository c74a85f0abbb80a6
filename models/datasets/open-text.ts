import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

/** Bytes of a text file, unpacked where it is gzip: its first bytes tell, whatever it is called. */
export interface OpenText {
  bytes: Readable;
  close(): void;
}

/** @param chunkBytes most bytes that are handed out at once @throws what the file system throws */
export async function openText(path: string, chunkBytes?: number): Promise<OpenText> {
  const packed = await isGzip(path);
  const file = createReadStream(path, { highWaterMark: chunkBytes });
  if (!packed) return { bytes: file, close: () => file.destroy() };
  const unpacked = file.pipe(createGunzip({ chunkSize: chunkBytes }));
  // Errors of a piped source do not travel along the pipe by themselves.
  file.on('error', (error) => unpacked.destroy(error));
  return {
    bytes: unpacked,
    close: () => {
      file.destroy();
      unpacked.destroy();
    },
  };
}

async function isGzip(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0);
    return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
  } finally {
    await file.close();
  }
}
