import { z } from 'zod';
import { FaultSpec } from '#contracts';
import type { TurnPlace } from './turn-place.js';

/** A fault that was ordered while the simulator runs: for the next `times` requests that it fits. */
export const FaultOrder = z.strictObject({
  fault: FaultSpec,
  /** Only for requests of this run. */
  run: z.string().min(1).optional(),
});
export type FaultOrder = z.infer<typeof FaultOrder>;

export interface ArmedFault extends FaultOrder {
  readonly left: number;
}

/** The first of an agent's faults that strikes here: a pure function of the turn and the attempt. */
export const faultAt = (faults: readonly FaultSpec[], place: TurnPlace): FaultSpec | undefined =>
  faults.find((fault) => strikes(fault, place) && place.attempt <= fault.times);

const strikes = ({ turns, on }: FaultSpec, place: TurnPlace): boolean =>
  on === place.on && (turns === undefined || turns.includes(place.turn));

/** The faults that were ordered at run time; they come before those of the agents, and are used up. */
export class ArmedFaults {
  private armed: readonly ArmedFault[] = [];

  get list(): readonly ArmedFault[] {
    return this.armed;
  }

  order(order: FaultOrder): void {
    this.armed = [...this.armed, { ...order, left: order.fault.times }];
  }

  clear(): void {
    this.armed = [];
  }

  /** The fault that strikes this request, if one does; it is then one less. */
  strike(place: TurnPlace): FaultSpec | undefined {
    const struck = this.armed.find(
      ({ fault, run }) => strikes(fault, place) && (run === undefined || run === place.run),
    );
    if (struck === undefined) return undefined;
    const left = struck.left - 1;
    this.armed = this.armed.flatMap((armed) => (armed === struck ? (left > 0 ? [{ ...armed, left }] : []) : [armed]));
    return struck.fault;
  }
}
