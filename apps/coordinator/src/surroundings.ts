import type { Bus } from '#bus';
import type { EventLog } from '#log';
import type { Clock, Logger } from '#platform';

/** What a coordinator is given at its start. */
export interface Surroundings {
  readonly bus: Bus;
  readonly log: EventLog;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Who records: unique to the process. */
  readonly id: string;
}
