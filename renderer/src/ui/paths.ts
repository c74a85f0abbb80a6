/** A path below a folder, with the separator the folder itself uses. */
export function joinPath(folder: string, name: string): string {
  const separator = folder.includes('\\') && !folder.includes('/') ? '\\' : '/';
  return folder.endsWith(separator) ? `${folder}${name}` : `${folder}${separator}${name}`;
}

/** A name that every file system takes as a folder. */
export function safeFolderName(name: string): string {
  const safe = name
    .replaceAll(/[<>:"/\\|?*\u0000-\u001f]+/g, '-')
    .replaceAll(/\s+/g, ' ')
    .replace(/^[. ]+|[. ]+$/g, '');
  return safe || 'archetone-export';
}

/** The last part of a path. */
export function fileName(path: string): string {
  return path.split(/[\\/]/).at(-1) ?? path;
}
