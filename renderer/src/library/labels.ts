/** How the editing of a label ended: by Enter or Escape, or because the person went elsewhere. */
export type EndedBy = 'key' | 'blur';

/** The labels that were typed, separated by commas, each once. */
export function labelsIn(text: string): string[] {
  const labels = text.split(',').map((label) => label.trim());
  return [...new Set(labels.filter((label) => label !== ''))];
}
