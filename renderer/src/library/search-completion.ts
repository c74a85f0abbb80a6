import { fieldInfo, fieldNamed, searchFieldNames, searchFields } from '../../../engine/api/search-fields.ts';
import type { NameField, SearchField, TagField, TextField } from '../../../engine/api/search-fields.ts';
import { parseSearch } from '../../../engine/api/search-query.ts';
import type { SearchTerm, Span } from '../../../engine/api/search-query.ts';

/** Something that can be written at the caret. */
export interface Completion {
  /** What is written in place of what the caret stands in. */
  text: string;
  /** For people, beside it. */
  about: string;
}

/** What is being written at the caret: the name of a field, or a value of one. */
export interface Place extends Span {
  /** Null: its name is being written. */
  field: SearchField | null;
  partial: string;
}

/** What is being written at the caret; null where nothing can be completed. */
export function placeAt(search: string, caret: number): Place | null {
  const before = search.slice(0, caret);
  const written = /(?:"(?:[^"\\]|\\.)*"?|[^\s"])*$/s.exec(before)?.[0] ?? '';
  const term = written.replace(/^-/, '');
  const start = caret - term.length;
  const name = /^[A-Za-z]*/.exec(term)?.[0] ?? '';
  if (name === term) return { field: null, partial: term, start, end: caret };
  const operator = /^[:=]/.exec(term.slice(name.length))?.[0];
  const field = fieldNamed(name);
  if (operator === undefined || field === undefined || fieldInfo(field).kind === 'number') return null;
  const values = term.slice(name.length + 1);
  const last = /(?:"(?:[^"\\]|\\.)*"?|[^,"])*$/s.exec(values)?.[0] ?? '';
  const partial = last
    .replace(/^"/, '')
    .replace(/"$/, '')
    .replaceAll(/\\(["\\])/g, '$1');
  return { field, partial, start: caret - last.length, end: caret };
}

/** Whether the values of a field are those that tracks have, which the engine knows. */
export function hasStoredValues(field: SearchField): field is TextField | NameField | TagField {
  return ['text', 'name', 'tag'].includes(fieldInfo(field).kind);
}

/** Fields whose names begin so, each with what comes after it. */
export function fieldCompletions(partial: string): Completion[] {
  const wanted = partial.toLowerCase();
  return searchFieldNames
    .filter((name) => name.startsWith(wanted) && name !== wanted)
    .map((name) => ({
      text: `${name}${fieldInfo(name).kind === 'number' ? '<' : ':'}`,
      about: searchFields[name].about,
    }));
}

/** The search with a completion in it, and where the caret goes. */
export function complete(search: string, place: Place, text: string): { search: string; caret: number } {
  // After a value the next term may follow at once.
  const end = place.field !== null && search.slice(place.end).trim() === '' ? `${text} ` : text;
  const rest = place.field !== null && end !== text ? '' : search.slice(place.end);
  return { search: search.slice(0, place.start) + end + rest, caret: place.start + end.length };
}

/** The terms of a search that a chip stands for, with their text: those with a field, and those turned round. */
export function chipsOf(search: string): { text: string; term: SearchTerm }[] {
  try {
    return parseSearch(search)
      .filter((term) => term.kind !== 'words' || term.negated)
      .map((term) => ({ text: search.slice(term.start, term.end), term }));
  } catch {
    // It is being written.
    return [];
  }
}

/** The search without one of its terms. */
export function withoutTerm(search: string, { start, end }: Span): string {
  return `${search.slice(0, start).trimEnd()} ${search.slice(end).trimStart()}`.trim();
}
