import type { Damage } from '../damage.ts';
import type { OggPage } from './pages.ts';

/** No packet of music is larger; setup headers and pictures in comments stay below as well. */
const MAX_PACKET_BYTES = 32 * 1024 * 1024;

/** Joins the packets of one stream across its pages; a packet of which a page is missing is dropped. */
export class PacketJoiner {
  readonly #damage: Damage;
  #open: Uint8Array[] = [];
  #openBytes = 0;
  #sequence: number | null = null;

  constructor(damage: Damage) {
    this.#damage = damage;
  }

  /** The packets that end in `page`. */
  push(page: OggPage): Uint8Array[] {
    const gap = this.#sequence !== null && page.sequence !== (this.#sequence + 1) % 2 ** 32;
    if (gap) this.#damage.piece();
    this.#sequence = page.sequence;
    if (gap || !page.continued) this.#drop();
    const packets: Uint8Array[] = [];
    // A packet whose beginning was lost cannot be used.
    const orphan = page.continued && this.#openBytes === 0;
    page.parts.forEach((part, index) => {
      const ends = index < page.parts.length - 1 || page.complete;
      if (orphan && index === 0) return;
      this.#open.push(part);
      this.#openBytes += part.length;
      if (this.#openBytes > MAX_PACKET_BYTES) {
        this.#damage.piece();
        this.#drop();
      } else if (ends) {
        packets.push(this.#open.length === 1 ? part : Buffer.concat(this.#open));
        this.#drop();
      }
    });
    return packets;
  }

  #drop(): void {
    this.#open = [];
    this.#openBytes = 0;
  }
}
