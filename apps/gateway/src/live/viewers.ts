import { Injectable } from '@nestjs/common';
import { Unavailable } from '#platform';

/** All who watch now, so that they can be told when the gateway stops. */
@Injectable()
export class Viewers {
  private readonly goodbyes = new Set<() => void>();
  private closed = false;

  /** @returns the way to leave @throws Unavailable while the gateway stops */
  enter(goodbye: () => void): () => void {
    if (this.closed) throw new Unavailable('The gateway is stopping.');
    this.goodbyes.add(goodbye);
    return () => this.goodbyes.delete(goodbye);
  }

  sayGoodbye(): void {
    this.closed = true;
    for (const goodbye of this.goodbyes) goodbye();
    this.goodbyes.clear();
  }
}
