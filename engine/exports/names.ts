/** Characters that Windows, macOS or Linux refuse in file names, and control characters. */
const REFUSED = /[<>:"/\\|?*\u0000-\u001f\u007f]/g;
/** Names that Windows keeps for devices, whatever the extension. */
const DEVICE = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;
const MAX_LENGTH = 80;

/**
 * A file name (without extension) for any text, valid on Windows, macOS and Linux: refused characters become `_`,
 * no leading dot, no trailing dot or space, no device name, at most 80 characters, never empty.
 */
export function fileName(text: string): string {
  const clean = Array.from(text.normalize('NFC').replace(REFUSED, '_').replace(/^\.+/, '_'))
    .slice(0, MAX_LENGTH)
    .join('')
    .replace(/[. ]+$/, '');
  if (clean === '') return '_';
  return DEVICE.test(clean) ? `_${clean}` : clean;
}

/** Gives every text a file name of its own, also where the file system ignores case: `name`, `name (2)` … */
export function distinctFileNames(texts: readonly string[]): string[] {
  const taken = new Set<string>();
  return texts.map((text) => {
    const base = fileName(text);
    let name = base;
    for (let i = 2; taken.has(name.toLowerCase()); i++) name = `${base} (${i})`;
    taken.add(name.toLowerCase());
    return name;
  });
}
