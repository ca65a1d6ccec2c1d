import { z } from 'zod';

/** ASCII's signs separate words, as in the database's `market.words`. */
const SEPARATORS = /[\u0000-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u007f]+/;
const MAX_WORDS = 8;

/** The words of a search; each must begin some word of the name. */
export function searchWords(text: string): string[] {
  return text.split(SEPARATORS).filter((word) => word !== '');
}

/** What is looked for in names, as Postgres's full-text search wants it: every word, each as a beginning. */
export function nameQuery(text: string): string {
  return searchWords(text)
    .map((word) => `'${word}':*`)
    .join(' & ');
}

export const searchText = z
  .string()
  .max(200)
  .refine((text) => {
    const words = searchWords(text).length;
    return words > 0 && words <= MAX_WORDS;
  }, `must be 1 to ${MAX_WORDS} words`)
  .meta({ description: 'words that the name holds; each may be only the beginning of one' });
