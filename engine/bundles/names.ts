/** Characters that Windows, macOS or Linux refuse in file names, and control characters. */
const REFUSED = /[<>:"/\\|?*\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;
/** Names that Windows keeps for devices, whatever the extension. */
const DEVICE = /^(con|prn|aux|nul|conin\$|conout\$|com[\d¹²³]|lpt[\d¹²³])(\.|$)/i;
const MAX_LENGTH = 80;
/**
 * File systems count bytes: 255 on most, 143 on encrypted Linux homes. What others put around a name (numbers, endings)
 * must fit too.
 */
const MAX_BYTES = 120;

const characters = new Intl.Segmenter('en', { granularity: 'grapheme' });

/**
 * A file name (without extension) for any text, valid on Windows, macOS and Linux: refused characters become `_`,
 * no leading dot, no trailing dot or space, no device name, at most 80 characters and 120 bytes of UTF-8, never empty. What
 * people see as one character is kept or left out as a whole.
 */
export function fileName(text: string): string {
  // Half of a surrogate pair has no bytes in UTF-8.
  const whole = text
    .replace(/\p{Cs}/gu, '_')
    .normalize('NFC')
    .replace(REFUSED, '_')
    .replace(/^\.+/, '_');
  const clean = shortened(whole).replace(/[. ]+$/, '');
  if (clean === '') return '_';
  return DEVICE.test(clean) ? `_${clean}` : clean;
}

function shortened(text: string): string {
  let kept = '';
  let length = 0;
  let bytes = 0;
  for (const { segment } of characters.segment(text.slice(0, 4 * MAX_BYTES))) {
    bytes += Buffer.byteLength(segment);
    if (++length > MAX_LENGTH || bytes > MAX_BYTES) break;
    kept += segment;
  }
  // One character may be longer than a name can be: letters with hundreds of marks.
  return kept === '' && text !== '' ? '_' : kept;
}

/** Gives every text a file name of its own, also where the file system ignores case: `name`, `name (2)` … */
export function distinctFileNames(texts: readonly string[]): string[] {
  const taken = new Set<string>();
  return texts.map((text) => {
    const base = fileName(text);
    let name = base;
    for (let i = 2; taken.has(folded(name)); i++) name = `${base} (${i})`;
    taken.add(folded(name));
    return name;
  });
}

/** The same for names that some file system takes for one: upper and lower case, and ß against SS. */
const folded = (name: string): string => name.toUpperCase().toLowerCase().normalize('NFC');
