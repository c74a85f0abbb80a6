/** A path below a folder, with the separator the folder itself uses. */
export function joinPath(folder: string, name: string): string {
  const separator = folder.includes('\\') && !folder.includes('/') ? '\\' : '/';
  return folder.endsWith(separator) ? `${folder}${name}` : `${folder}${separator}${name}`;
}

/** A name that every file system takes as a folder. */
export function safeFolderName(name: string): string {
  const safe = name
    // eslint-disable-next-line no-control-regex -- control characters are what must go
    .replaceAll(/[<>:"/\\|?*\u0000-\u001f]+/g, '-')
    .replaceAll(/\s+/g, ' ')
    .replace(/^[. ]+|[. ]+$/g, '');
  return safe || 'archetone-export';
}
