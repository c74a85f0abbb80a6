import { isUtf8 } from 'node:buffer';
import { StringDecoder } from 'node:string_decoder';

/** What Windows-1252 puts where Latin-1 has control characters; holes stay what Latin-1 says. */
const CP1252 = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ';
/** A line that has not ended after so many bytes is judged as far as it goes. */
const MAX_OPEN_BYTES = 1 << 20;
const NEWLINE = 10;

type Wide = 'utf-16le' | 'utf-16be';

/** A file in UTF-16 says so by its mark, or by a zero in every other byte of its first characters. */
function wideEncoding(head: Uint8Array): { encoding: Wide; mark: number } | null {
  if (head[0] === 0xff && head[1] === 0xfe) return { encoding: 'utf-16le', mark: 2 };
  if (head[0] === 0xfe && head[1] === 0xff) return { encoding: 'utf-16be', mark: 2 };
  if (head.length < 4) return null;
  const pairs = Math.min(32, Math.floor(head.length / 2));
  let low = 0;
  let high = 0;
  for (let i = 0; i < pairs; i++) {
    if (head[2 * i] === 0) high++;
    if (head[2 * i + 1] === 0) low++;
  }
  if (low > pairs / 2 && high === 0) return { encoding: 'utf-16le', mark: 0 };
  if (high > pairs / 2 && low === 0) return { encoding: 'utf-16be', mark: 0 };
  return null;
}

/** Text of Windows-1252, of which Latin-1 is the part that files use. */
export function decodeWindows1252(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');

  return text.replace(/[\x80-\x9f]/g, (character) => CP1252.charAt(character.charCodeAt(0) - 0x80));
}

/**
 * Text of a whole file in UTF-8, UTF-16 or Windows-1252, without its byte order mark. Text that is not UTF-8 is taken for
 * Windows-1252, which is what programs wrote before.
 */
export function decodeText(bytes: Uint8Array): string {
  const wide = wideEncoding(bytes);
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (wide) return wideText(all.subarray(wide.mark), wide.encoding);
  // Some programs put the mark of UTF-8 before whatever they write.
  const text = all.subarray(hasMark(all) ? 3 : 0);
  return isUtf8(text) ? text.toString('utf8') : decodeWindows1252(text);
}

function wideText(bytes: Buffer, encoding: Wide): string {
  const even = bytes.subarray(0, bytes.length & ~1);
  return (encoding === 'utf-16le' ? even : Buffer.from(even).swap16()).toString('utf16le');
}

const hasMark = (bytes: Uint8Array): boolean => bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;

/**
 * The same text in UTF-8, piece by piece and without a byte order mark, from UTF-8, UTF-16 or Windows-1252. Lines are
 * judged one by one: one that is not UTF-8 is Windows-1252.
 */
export async function* utf8Chunks(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
  let convert: ((chunk: Buffer) => Buffer) | null = null;
  let open: Buffer = Buffer.alloc(0);
  for await (const chunk of source) {
    let bytes = open.length === 0 ? chunk : Buffer.concat([open, chunk]);
    open = Buffer.alloc(0);
    if (convert === null) {
      // Gzip may hand out a byte at a time; four tell what the text is in.
      if (bytes.length < 4) {
        open = bytes;
        continue;
      }
      const wide = wideEncoding(bytes);
      convert = wide ? widener(wide.encoding) : narrowToUtf8;
      bytes = bytes.subarray(wide ? wide.mark : hasMark(bytes) ? 3 : 0);
    }
    if (convert === narrowToUtf8) {
      const end =
        bytes.lastIndexOf(NEWLINE) + 1 || (bytes.length > MAX_OPEN_BYTES ? wholeCharacters(bytes) : 0);
      open = bytes.subarray(end);
      bytes = bytes.subarray(0, end);
    }
    if (bytes.length > 0) yield convert(bytes);
  }
  if (open.length === 0) return;
  yield convert === null ? Buffer.from(decodeText(open), 'utf8') : convert(open);
}

function widener(encoding: Wide): (chunk: Buffer) => Buffer {
  const decoder = new StringDecoder('utf16le');
  let odd: Buffer = Buffer.alloc(0);
  return (chunk) => {
    const bytes = odd.length === 0 ? chunk : Buffer.concat([odd, chunk]);
    const even = bytes.length & ~1;
    odd = bytes.subarray(even);
    const pairs = bytes.subarray(0, even);
    return Buffer.from(decoder.write(encoding === 'utf-16le' ? pairs : Buffer.from(pairs).swap16()), 'utf8');
  };
}

function narrowToUtf8(bytes: Buffer): Buffer {
  if (isUtf8(bytes)) return bytes;
  const parts: Buffer[] = [];
  for (let from = 0; from < bytes.length;) {
    const at = bytes.indexOf(NEWLINE, from);
    const end = at < 0 ? bytes.length : at + 1;
    const line = bytes.subarray(from, end);
    parts.push(isUtf8(line) ? line : Buffer.from(decodeWindows1252(line), 'utf8'));
    from = end;
  }
  return Buffer.concat(parts);
}

/** Length without the bytes of a character that goes on in the next piece. */
function wholeCharacters(bytes: Buffer): number {
  for (let back = 1; back <= 3; back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte >= 0xc0) return bytes.length - back;
    if (byte < 0x80) break;
  }
  return bytes.length;
}
