import { join } from 'node:path';
import type { RunId } from '#contracts';
import { type CallKey, labelOf } from './journal/entries.js';

/** Where a manager keeps things, below its data folder. */
export class Folders {
  readonly root: string;
  readonly journal: string;
  readonly holder: string;
  readonly ballast: string;
  /** The few files of /etc that a sandbox sees. */
  readonly etc: string;

  constructor(data: string) {
    this.root = join(data, 'workspaces');
    this.journal = join(this.root, 'journal.db');
    this.holder = join(this.root, 'holder');
    this.ballast = join(this.root, 'ballast');
    this.etc = join(this.root, 'etc');
  }

  workspace(runId: RunId): string {
    return join(this.root, runId);
  }

  files(runId: RunId): string {
    return join(this.root, runId, 'files');
  }

  /** Where `files` is made before it is put in its place whole. */
  seed(runId: RunId): string {
    return join(this.root, runId, 'seed');
  }

  /** Where `files` waits for its removal; see retirement.ts. */
  leaving(runId: RunId): string {
    return join(this.root, runId, 'leaving');
  }

  /** What a running command leaves about itself; see shim.ts. */
  call(key: CallKey): string {
    return join(this.root, key.runId, 'calls', labelOf(key));
  }
}
