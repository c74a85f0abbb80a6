/* eslint-disable svelte/prefer-svelte-reactivity -- sets are replaced as a whole, never changed in place */
/** The tracks that are selected, everywhere at once: table, map, player and inspector share this. */
export class Selection {
  ids = $state.raw<ReadonlySet<string>>(new Set());
  /** The track acted on last: shown in the inspector, starting point of keyboard steps. */
  lead = $state<string | null>(null);
  /** A window of the lead, when one was picked; null means the whole track. */
  windowIndex = $state<number | null>(null);

  size = $derived(this.ids.size);

  only(id: string, windowIndex: number | null = null): void {
    this.set([id], id);
    this.windowIndex = windowIndex;
  }

  set(ids: Iterable<string>, lead?: string | null): void {
    this.ids = new Set(ids);
    const next = lead ?? [...this.ids].at(-1) ?? null;
    if (next !== this.lead) this.windowIndex = null;
    this.lead = next;
  }

  add(ids: Iterable<string>): void {
    const added = [...ids];
    this.set([...this.ids, ...added], added.at(-1) ?? this.lead);
  }

  toggle(id: string): void {
    const ids = new Set(this.ids);
    if (ids.delete(id)) this.set(ids, this.lead === id ? null : this.lead);
    else this.set(ids.add(id), id);
  }

  clear(): void {
    this.set([], null);
  }
}
