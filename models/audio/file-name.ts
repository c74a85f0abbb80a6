import { existsSync } from 'node:fs';

/*
 * Paths are text everywhere: in databases, messages and pages. A name that is not UTF-8, as old disks and archives have
 * them on Linux, is written with its bytes beyond ASCII as `\xE9`, and turned into bytes again where a file is opened.
 */
const ESCAPED = /\\x([89A-F][0-9A-F])/;
const FIRST_ESCAPED = 0x80;

/** A name as text: bytes beyond ASCII as `\xE9`. */
export function escapedName(name: Uint8Array): string {
  return Array.from(name, (byte) =>
    byte < FIRST_ESCAPED ? String.fromCharCode(byte) : `\\x${byte.toString(16).toUpperCase()}`,
  ).join('');
}

/** The bytes of a path that holds escaped names. */
function unescapedPath(path: string): Buffer {
  const parts = path
    .split(new RegExp(ESCAPED, 'g'))
    // Every second part is what the group caught.
    .map((part, i) => (i % 2 === 1 ? Buffer.from(part, 'hex') : Buffer.from(part)));
  return Buffer.concat(parts);
}

/**
 * What to open for a path: itself, or its bytes where it names a file that is not called in UTF-8. A file that is really
 * called `\xE9` goes first; a scan refuses a folder that holds both.
 */
export function fileToOpen(path: string): string | Buffer {
  // There are no such names on Windows, where a backslash parts folders.
  if (process.platform === 'win32' || !ESCAPED.test(path) || existsSync(path)) return path;
  return unescapedPath(path);
}
