/** Is it all of the database? A partial backup never counts as a full one. */
import type { Filters } from '../contract/filters.ts';

export function scopeOf(filters: Filters): 'full' | 'partial' {
  const { sections, ...patterns } = filters;
  const isFull = sections === 'all' && Object.values(patterns).every((list) => list.length === 0);
  return isFull ? 'full' : 'partial';
}
