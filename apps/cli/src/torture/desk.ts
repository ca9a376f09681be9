import type { Append, Treatment } from '../faults/log-proxy.js';
import type { Disturbance } from './disturbance.js';
import type { Writer } from './points.js';

interface Place {
  readonly taken: Promise<Disturbance>;
  readonly take: (disturbance: Disturbance) => void;
}

/** Finds for each append the disturbance of its run: a run may write before whoever started it has heard its name. */
export class Desk {
  private readonly places = new Map<string, Place>();

  register(run: string, disturbance: Disturbance): void {
    this.placeOf(run).take(disturbance);
  }

  async onAppend(writer: Writer, append: Append): Promise<Treatment> {
    return (await this.placeOf(append.run).taken).onAppend(writer, append);
  }

  private placeOf(run: string): Place {
    const known = this.places.get(run);
    if (known) return known;
    let take: Place['take'] = () => undefined;
    const taken = new Promise<Disturbance>((resolve) => {
      take = resolve;
    });
    const place = { taken, take };
    this.places.set(run, place);
    return place;
  }
}
