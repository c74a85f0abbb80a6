import type { PrototypeInfo } from '../../../engine/api/prototypes.ts';

/** A line of the Prototypes view: the name of a class, or some of its cards side by side. */
export type PrototypeRow =
  | { kind: 'class'; key: string; name: string; count: number }
  | { kind: 'cards'; key: string; name: string; list: PrototypeInfo[] };

/** Heights in pixels; a card is 12 px lower than its row. */
export const rowHeights: Record<PrototypeRow['kind'], number> = { class: 36, cards: 232 };
export const narrowestCard = 216;
export const cardGap = 12;

/** How many cards fit side by side. */
export function cardsAcross(width: number): number {
  return Math.max(1, Math.floor((width + cardGap) / (narrowestCard + cardGap)));
}

/** Lays the prototypes out by class, in the order of the classes; `find` keeps classes whose name contains it. */
export function prototypeRows(
  classes: readonly string[],
  prototypes: readonly PrototypeInfo[],
  across: number,
  find: string,
): PrototypeRow[] {
  const wanted = find.trim().toLowerCase();
  const byClass = groupByClass(prototypes);
  return classes
    .filter((name) => name.toLowerCase().includes(wanted))
    .flatMap((name) => {
      const list = byClass.get(name) ?? [];
      const rows: PrototypeRow[] = [{ kind: 'class', key: `class ${name}`, name, count: list.length }];
      for (let start = 0; start < list.length; start += across) {
        const part = list.slice(start, start + across);
        rows.push({ kind: 'cards', key: `cards ${String(part[0]?.index)}`, name, list: part });
      }
      return rows;
    });
}

/** The prototypes of each class. */
export function groupByClass(prototypes: readonly PrototypeInfo[]): Map<string, PrototypeInfo[]> {
  const groups = new Map<string, PrototypeInfo[]>();
  for (const prototype of prototypes) {
    const group = groups.get(prototype.class);
    if (group) group.push(prototype);
    else groups.set(prototype.class, [prototype]);
  }
  return groups;
}
