import type { ReportedProcess } from '#platform';
import { type Identity, identify, lives, signal } from './born.js';
import type { ListedProcess } from './listed-process.js';

interface Child {
  readonly listed: ReportedProcess;
  readonly identity: Identity | undefined;
}

const isAlive = ({ identity }: Child): boolean => identity !== undefined && lives(identity);

/** The processes that a service runs for itself and told us of. */
export class ReportedChildren {
  private present: readonly Child[] = [];
  /** Those whose service died before them. */
  private orphaned: readonly Child[] = [];

  /** The service says which there are now. */
  replace(processes: readonly ReportedProcess[]): void {
    const known = new Map(this.present.map(({ listed, identity }) => [listed.pid, identity]));
    this.present = processes.map((listed) => ({ listed, identity: known.get(listed.pid) ?? identify(listed.pid) }));
  }

  /** The service has died. */
  orphan(): void {
    this.orphaned = [...this.orphaned, ...this.present].filter(isAlive);
    this.present = [];
  }

  list(): readonly ListedProcess[] {
    return [
      ...this.present.map(({ listed }) => listed),
      ...this.orphaned.filter(isAlive).map(({ listed }) => Object.assign({}, listed, { state: 'orphaned' })),
    ];
  }

  /** Leaves none of them alive. */
  kill(): void {
    for (const { listed } of [...this.present, ...this.orphaned].filter(isAlive)) signal(listed.pid, 'SIGKILL');
    this.present = [];
    this.orphaned = [];
  }
}
