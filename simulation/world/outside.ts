import type { World } from './world.js';

/** Where the connection of a request is cut: before it arrives, or when it has taken effect and is answered. */
export type Cut = 'request' | 'answer';

/** What lies outside of every machine: it takes HTTP requests, and can be asked by their keys whether it took them. */
export class Outside {
  private readonly taken = new Set<string>();
  private nextCut: Cut | undefined;

  constructor(private readonly world: World) {}

  cutNext(cut: Cut): void {
    this.nextCut = cut;
  }

  /** The request travels; it arrives even if its sender has died. `answered` hears whether an answer came back. */
  request(
    key: string,
    takesMs: number,
    on: { readonly arrived: () => void; readonly answered: (cut: boolean) => void },
  ): void {
    const cut = this.nextCut;
    this.nextCut = undefined;
    this.world.post(undefined, this.world.trip(), () => {
      if (cut !== 'request') {
        this.taken.add(key);
        on.arrived();
      }
      this.world.post(undefined, takesMs, () => on.answered(cut !== undefined));
    });
  }

  hasTaken(key: string): boolean {
    return this.taken.has(key);
  }
}
